"""What is counted of players: training's own statistics, a file's, and the counts of single columns."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import batch_score
import count_players
from conftest import Trained, read_csv, write_csv
from player_statistics import UNSEEN_TEXTS, Bins, Statistics, make_bins
from records import Column, Schema

NUMBER, CATEGORY = Column("level", "number", "feature"), Column("country", "category", "feature")
SCHEMA = Schema("idx", 64, (NUMBER, CATEGORY), (), (NUMBER, CATEGORY))
BINS = Bins({"level": np.array([1.0, 5.0])}, {"country": ["FR", "KR"]}, {"churn": np.array([0.5])}, 2)


def counted(*blocks: tuple[list[float], list[str]]) -> dict:
    statistics = Statistics(SCHEMA, BINS)
    for levels, countries in blocks:
        codes = [float(BINS.categories["country"].index(text)) if text in BINS.categories["country"] else np.nan for text in countries]
        statistics.add_inputs(np.column_stack([levels, codes]), [levels, countries])
        statistics.add_scores({"churn": np.full(len(levels), 0.5)}, np.zeros(len(levels), dtype=np.intp))
    return statistics.to_json("v")


def test_counts_numbers_by_upper_edges_and_categories_by_text() -> None:
    assert counted(([0, 1, 1.5, 5, 6], ["KR", "KR", "FR", "JP", ""])) == {
        "shape": 1,
        "modelVersion": "v",
        "players": 5,
        "features": {
            "level": {"type": "number", "edges": [1.0, 5.0], "counts": [2, 2, 1], "sum": 13.5, "missing": 0},
            "country": {"type": "category", "counts": {"FR": 1, "KR": 2}, "unseen": {"JP": 1}, "unseenOthers": 0, "missing": 1},
        },
        "scores": {"churn": {"edges": [0.5], "counts": [5, 0], "sum": 2.5}},
        "segments": [5, 0],
    }


def test_counts_the_same_however_the_players_come() -> None:
    levels, countries = [0.0, 7.0, 3.0, 5.0], ["KR", "JP", "FR", "JP"]
    assert counted((levels[:1], countries[:1]), ([], []), (levels[1:], countries[1:])) == counted((levels, countries))


def test_missing_numbers_are_counted_apart() -> None:
    level = counted(([np.nan, 3], ["KR", "KR"]))["features"]["level"]
    assert (level["missing"], level["counts"], level["sum"]) == (1, [0, 1, 0], 3.0)


def test_keeps_the_texts_of_few_unseen_categories_and_counts_all() -> None:
    texts = [f"unseen {number}" for number in range(UNSEEN_TEXTS + 5)]
    country = counted((list(range(len(texts))), texts), ([0], [texts[0]]))["features"]["country"]
    assert len(country["unseen"]) == UNSEEN_TEXTS
    assert country["unseen"][texts[0]] == 2
    assert country["unseenOthers"] == 5


@given(arrays(np.float64, st.integers(1, 200), elements=st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)))
def test_bins_are_increasing_and_each_holds_a_player(values: np.ndarray) -> None:
    schema = Schema("idx", 64, (NUMBER,), (), (NUMBER,))
    bins = make_bins(schema, {}, values[:, np.newaxis], {}, 1)
    statistics = Statistics(schema, bins)
    statistics.add_inputs(values[:, np.newaxis])
    level = statistics.to_json()["features"]["level"]
    assert sum(level["counts"]) == len(values)
    assert all(count > 0 for count in level["counts"])
    assert np.all(np.diff(level["edges"]) > 0)


def test_a_value_of_most_players_has_a_bin_that_it_ends() -> None:
    bins = make_bins(Schema("idx", 64, (NUMBER,), (), (NUMBER,)), {}, np.array([[0.0]] * 96 + [[1.0]] * 4), {}, 1)
    assert bins.numbers["level"].tolist() == [0.0]


def test_the_model_folder_has_the_statistics_of_its_training(trained: Trained) -> None:
    statistics = json.loads((trained.folder / "statistics.json").read_bytes())
    described = json.loads((trained.folder / "model.json").read_bytes())
    parts = described["players"]
    everyone = parts["train"] + parts["test"]
    assert statistics["players"] == everyone
    for name, feature in statistics["features"].items():
        counts = feature["counts"] if feature["type"] == "number" else [*feature["counts"].values(), feature["unseenOthers"]]
        assert sum(counts) == everyone, name
    for score in statistics["scores"].values():
        assert sum(score["counts"]) == everyone
    assert len(statistics["segments"]) == len(described["segments"])


def test_counts_files_as_a_batch_job_does(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = read_csv(trained.others)[:100]
    rows[0]["country"] = "Atlantis"
    halves = [write_csv(tmp_path / "a.csv", rows[:60]), write_csv(tmp_path / "b.csv", rows[60:])]
    assert count_players.main(["--model", str(trained.folder), *map(str, halves)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["players"], printed["modelVersion"]) == (100, trained.model.version)
    assert printed["features"]["country"]["unseen"] == {"Atlantis": 1}
    assert printed["features"]["age"]["sum"] == sum(float(row["age"]) for row in rows)
    assert sum(printed["segments"]) == 100


def test_says_which_file_is_wrong(trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = write_csv(tmp_path / "good.csv", read_csv(trained.others)[:3]), write_csv(tmp_path / "bad.csv", [{"idx": "1"}])
    assert count_players.main(["--model", str(trained.folder), str(good), str(bad)]) == 2
    assert "bad.csv: " in capsys.readouterr().err
    assert count_players.main(["--model", str(tmp_path), str(good)]) == 2
    assert "not a model folder" in capsys.readouterr().err


def test_a_batch_job_counts_each_file_beside_its_output(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_csv(trained.others)[:90]
    rows[1]["country"] = "Atlantis"
    rows[2]["age"] = "old"
    path = write_csv(tmp_path / "part.csv", rows)
    output = tmp_path / "out"
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained.folder))
    monkeypatch.setenv("AZUREML_BI_OUTPUT_PATH", str(output))
    batch_score.init()
    # Twice, as when the job is repeated: no player is counted twice.
    for _ in range(2):
        batch_score.run([str(path)])
    (written,) = output.glob("*.csv")
    counts = json.loads((output / "_statistics" / f"{written.stem}.json").read_bytes())
    assert (counts["players"], counts["modelVersion"]) == (89, trained.model.version)
    assert counts["features"]["country"]["unseen"] == {"Atlantis": 1}
    training = json.loads((output / "_statistics" / "training.json").read_bytes())
    assert training == json.loads((trained.folder / "statistics.json").read_bytes()) | {"modelVersion": trained.model.version}
    assert len(list((output / "_statistics").iterdir())) == 2
