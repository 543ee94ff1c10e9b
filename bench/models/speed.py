"""How long training takes, and answering a request by `score.py`."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import score
from records import Schema
from table import Row

ML = Path(__file__).resolve().parents[2] / "ml"


def training_rows(path: Path, out: Path, players: int) -> list[Row]:
    """`npm run train` as a process of its own, with its report; the model is left in `out`."""
    start = time.monotonic()
    subprocess.run([sys.executable, ML / "train.py", "--data", path, "--out", out], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    return [Row("training", f"training {players:,} players, with the report", [seconds], "s", ("<=", 60), None, f"{os.cpu_count()} cores")]


def scoring_rows(schema: Schema, path: Path, model: Path) -> list[Row]:
    """`run` of `score.py`, from the text of a request to the answer."""
    os.environ["AZUREML_MODEL_DIR"] = str(model)
    score.init()
    with open(path, encoding="utf-8", newline="") as text:
        players = [row for row, _ in zip(csv.DictReader(text), range(1_000), strict=False)]
    rows = []
    for count, runs, goal in ((1, 500, 3), (len(players), 100, 20)):
        body = _request(schema, players[:count])
        milliseconds = _times(lambda body=body: score.run(body), runs)
        note = f"{runs} requests; p99 {sorted(milliseconds)[int(runs * 0.99)]:.2f} ms"
        rows.append(Row(f"score-{count}", f"score.py: a request of {count:,} player(s), p50", milliseconds, "ms", ("<=", goal), None, note))
    return rows


def _request(schema: Schema, players: list[dict[str, str]]) -> str:
    def features(row: dict[str, str]) -> dict[str, float | str]:
        return {column.name: float(row[column.name]) if column.type == "number" else row[column.name] for column in schema.features}

    return json.dumps({"players": [{"playerId": row[schema.id], "features": features(row)} for row in players]})


def _times(work: Callable[[], object], runs: int) -> list[float]:
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1_000)
    return times
