"""Measures the models: how good their scores are, how long training and scoring take.

    npm run bench:models [-- --data FILE.csv]

Without a file of players, on generated ones, for which nothing is asked of the scores but to come near the truth behind them. Exit code
1: a goal is missed.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "ml")]

import sample
from quality import quality_rows, truth_rows
from records import SCHEMA_FILE, read_schema
from speed import scoring_rows, training_rows
from table import publish

TRUTH_PLAYERS = 100_000
SAMPLE_PLAYERS = 32_561


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench:models", description="Measures the models.")
    parser.add_argument("--data", type=Path, help="CSV of players whose answers are known (default: generated ones)")
    options = parser.parse_args()
    schema = read_schema(json.loads(SCHEMA_FILE.read_bytes()))
    with tempfile.TemporaryDirectory(prefix="bench-models-") as temporary:
        folder = Path(temporary)
        data = options.data
        if data is None:
            data = folder / "players.csv"
            sample.write_sample(SAMPLE_PLAYERS, 1, data, None)
        with open(data, encoding="utf-8", newline="") as text:
            players = sum(1 for _ in csv.reader(text)) - 1
        rows = training_rows(data, folder / "model", players)
        rows += scoring_rows(schema, data, folder / "model")
        rows += quality_rows(schema, data, options.data is not None)
        generated, truth = folder / "generated.csv", folder / "truth.csv"
        sample.write_sample(TRUTH_PLAYERS, 2, generated, truth)
        rows += truth_rows(schema, generated, _read_truth(truth, schema.id))
        return 0 if publish("models", rows) else 1


def _read_truth(path: Path, id_column: str) -> dict[str, dict[str, float]]:
    with open(path, encoding="utf-8", newline="") as text:
        lines = list(csv.DictReader(text))
    return {label: {line[id_column]: float(line[f"{label}_probability"]) for line in lines} for label in ("churn", "purchase")}


if __name__ == "__main__":
    sys.exit(main())
