"""Counts the players of files as a batch job of a model does, and prints the counts as JSON.

    python count_players.py --model FOLDER FILE [FILE ...]

Exit codes: 0; 2, the model or a file is wrong (one line says how).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from files import UNREADABLE, TextFile, is_json_lines
from model import Model, ModelFolderError, load_model
from player_statistics import Statistics
from readers import FileRefused, read_players


def count_players(path: Path, model: Model, statistics: Statistics) -> None:
    """Adds the players of a file; rows that cannot be scored are left out. Raises FileRefused or an error of UNREADABLE."""
    with TextFile(path) as file:
        for chunk in read_players(file.text, is_json_lines(path), model.schema, model.schema.features):
            if chunk.ids:
                predicted = model.predict(chunk.columns)
                statistics.add(predicted.inputs, predicted.probabilities, predicted.segment, chunk.columns)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="count_players", description="Counts players for a comparison with the training data.")
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("files", type=Path, nargs="+", help="files of players: CSV, JSON Lines, either gzipped")
    options = parser.parse_args(arguments)
    place = options.model
    try:
        model = load_model(options.model)
        statistics = Statistics(model.schema, model.bins)
        for place in options.files:
            count_players(place, model, statistics)
    except ModelFolderError as error:
        print(f"count_players: {error}", file=sys.stderr)
        return 2
    except (FileRefused, *UNREADABLE) as error:
        print(f"count_players: {place}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(statistics.to_json(model.version), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
