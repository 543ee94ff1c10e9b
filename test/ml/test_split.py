"""The parts and folds of the training data: by the player, and the same test part whatever the seed and the day."""

from pathlib import Path

import numpy as np
import pytest

from conftest import read_csv, write_csv
from records import Schema
from training_data import FOLDS, TrainingData, read_training_data


@pytest.fixture
def days(schema: Schema, few: Path, tmp_path: Path) -> Path:
    """A file with three rows of each player; the age is the player's number."""
    rows = [{**row, "age": row["idx"]} for row in read_csv(few)]
    return write_csv(tmp_path / "days.csv", [{**row, "game_play_num_per_week": str(day)} for day in range(3) for row in rows])


def players(schema: Schema, data: TrainingData) -> np.ndarray:
    return data.matrix[:, [column.name for column in schema.features].index("age")]


def test_all_rows_of_a_player_are_in_one_part_and_one_fold(schema: Schema, days: Path) -> None:
    data = read_training_data([days], schema, 1)
    player = players(schema, data)
    assert sorted(np.concatenate([data.parts["train"], data.parts["test"]])) == list(range(4_500))
    assert not set(player[data.parts["train"]]) & set(player[data.parts["test"]])
    train = data.parts["train"]
    by_fold = [set(player[train[data.folds[train] == fold]]) for fold in range(FOLDS)]
    assert sum(map(len, by_fold)) == len(set().union(*by_fold)) == len(set(player[train]))
    assert [int(name) for name in data.test_ids] == list(player[data.parts["test"]])


def test_the_seed_moves_the_folds_but_not_the_test_part(schema: Schema, days: Path, few: Path) -> None:
    one, other, another_day = (read_training_data([path], schema, seed) for path, seed in ((days, 1), (days, 2), (few, 3)))
    assert np.array_equal(one.matrix, other.matrix, equal_nan=True) and (one.parts["test"] == other.parts["test"]).all()
    assert (one.folds != other.folds).any()
    assert set(another_day.test_ids) == set(one.test_ids)
    assert len(one.test_ids) / 4_500 == pytest.approx(0.2, abs=0.03)
    shares = np.bincount(one.folds[one.parts["train"]], minlength=FOLDS) / len(one.parts["train"])
    assert shares == pytest.approx(np.full(FOLDS, 1 / FOLDS), abs=0.05)


def test_the_test_part_has_its_columns_as_a_request_would(schema: Schema, few: Path, tmp_path: Path) -> None:
    rows = read_csv(few)
    data = read_training_data([few], schema, 1)
    # A category that the test part alone has: missing in the matrix, told as it is for a model that may know it.
    alone = data.test_ids[0]
    changed = [{**row, "country": "Atlantis" if row["idx"] == alone else row["country"]} for row in rows]
    data = read_training_data([write_csv(tmp_path / "changed.csv", changed)], schema, 1)
    by_id = {row["idx"]: row for row in changed}
    expected = [[float(by_id[player][column.name]) if column.type == "number" else by_id[player][column.name] for column in schema.features] for player in data.test_ids]
    assert [list(row) for row in zip(*data.test_columns, strict=True)] == expected
    place = [column.name for column in schema.features].index("country")
    assert "Atlantis" not in data.categories["country"] and np.isnan(data.matrix[data.parts["test"][0], place])
