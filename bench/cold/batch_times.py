"""Times the batch script on a file, CSV to CSV, and LightGBM's predict of all boosters on the same rows, in memory: a line of JSON a run.

Usage: batch_times.py MODEL FILE OUTPUT RUNS, with ml/ in PYTHONPATH. Each may take all cores.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import batch_score
import lightgbm
import numpy as np
from ensemble import Ensemble
from files import TextFile
from model import load_model
from readers import read_players


def boosters(folder: Path, entry: Any, ensemble: Ensemble, matrix: np.ndarray) -> Iterator[tuple[lightgbm.Booster, np.ndarray]]:
    """The boosters of an entry of `ensembles.json`, each with the rows as it takes them."""
    before = None
    if ensemble.before is not None:
        yield from boosters(folder, entry["before"], ensemble.before, matrix)
        before = ensemble.before.log_odds(matrix)
    rows = np.ascontiguousarray(ensemble.inputs(matrix, before))
    for name in entry["boosters"]:
        yield lightgbm.Booster(model_file=str(folder / name)), rows


def seconds(work: Callable[[], Any]) -> float:
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


def main(folder: Path, file: Path, output: Path, runs: int) -> None:
    model = load_model(folder)
    with TextFile(file) as text:
        chunks = read_players(text.text, False, model.schema, model.schema.features)
        matrix = np.concatenate([model.encoder.encode(chunk.columns) for chunk in chunks])
    entries = json.loads((folder / "ensembles.json").read_bytes())
    asked = [each for name, ensemble in model.ensembles.items() for each in boosters(folder, entries[name], ensemble, matrix)]
    contenders = {
        "lightgbm": lambda: [booster.predict(rows) for booster, rows in asked],
        "script": lambda: batch_score.score_file(file, model, output),
    }
    for run in range(runs):
        names = sorted(contenders, reverse=run % 2 == 1)
        print(json.dumps({name: seconds(contenders[name]) for name in names}), flush=True)


main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
