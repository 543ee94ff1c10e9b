"""What the tests of `ml/` share: the schema, one player, generated players and a model trained on them."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import batch_score
import sample
import train
from model import Model, load_model
from records import SCHEMA_FILE, Schema, read_schema

# A busy machine is no finding; the examples are the same in every run.
settings.register_profile("tests", deadline=None, derandomize=True, database=None, max_examples=100)
settings.load_profile("tests")

BATCH_TIME = datetime(2026, 1, 31, 21, 0, 0, 123_456, timezone(timedelta(hours=9)))

PLAYER: Mapping[str, Any] = {
    "age": 39,
    "promotion_num": "20",
    "game_play_min_per_day": "70",
    "item_purchase_num_in_90_days": 13,
    "game_level": "15",
    "crystal": "800",
    "race": "White",
    "gender": "Male",
    "register_code": 2174,
    "purchase_num": 0,
    "game_play_num_per_week": 40,
    "country": "United-States",
}


@dataclass(frozen=True)
class Trained:
    """A model folder, the players that it was trained on, and others with the truth behind them, drawn from the same block."""

    folder: Path
    model: Model
    data: Path
    others: Path
    truth: Path


@pytest.fixture(scope="session")
def schema() -> Schema:
    return read_schema(json.loads(SCHEMA_FILE.read_bytes()))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    data, others, truth = folder / "players.csv", folder / "others.csv", folder / "truth.csv"
    sample.write_sample(40_000, 7, data, None)
    sample.write_sample(20_000, 8, others, truth)
    train.train([data], folder / "model", 1, with_report=False)
    return Trained(folder / "model", load_model(folder / "model"), data, others, truth)


@pytest.fixture(scope="session")
def few_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "few.csv"
    sample.write_sample(1_500, 3, path, None)
    return path


@pytest.fixture
def few(few_once: Path) -> Path:
    """A file of players, just enough to train on."""
    return few_once


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    rows = list(rows)
    with open(path, "w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def batch_lines(trained: Trained, path: Path, output: Path) -> list[dict[str, str]]:
    """What the batch script writes about a file, row by row."""
    output.mkdir(exist_ok=True)
    batch_score.score_file(path, trained.model, output, lambda: BATCH_TIME)
    (written,) = output.glob("*.csv")
    return read_csv(written)
