"""Training: repeatable, learns the truth behind generated players, and refuses what cannot train a model."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lightgbm import Booster
from sklearn.metrics import average_precision_score, roc_auc_score

import train
from conftest import Trained, read_csv, write_csv
from files import TextFile
from model import CONTENT_FILES, ModelFolderError, Predictions, find_model_folder, load_model
from profiles import MAX_NAME_LENGTH, Profile, segment_names, vocabulary
from promotions import PROMOTIONS_FILE, names_without_promotion
from readers import read_players

SCRIPT = Path(train.__file__)


def contents(folder: Path) -> dict[str, bytes]:
    """The folder's files, the report aside."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def reports(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "report").iterdir()}


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that the command says to these arguments."""
    assert train.main([*map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("train: ") and err.count("\n") == 1
    return err


def predicted(trained: Trained) -> Iterator[Predictions]:
    """What the model says of players that it has not seen, chunk by chunk."""
    with TextFile(trained.others) as file:
        for chunk in read_players(file.text, False, trained.model.schema, trained.model.schema.features):
            yield trained.model.predict(chunk.columns)


def test_the_models_come_close_to_the_truth(trained: Trained) -> None:
    truth = read_csv(trained.truth)
    rows = read_csv(trained.others)
    predictions = list(predicted(trained))
    answers = {"churn": [row["churn_YN"] == "Y" for row in rows], "purchase": [int(row["purchase_num"]) > 0 for row in rows]}
    for label, tolerance in (("churn", 0.01), ("purchase", 0.03)):
        true = np.array([float(row[f"{label}_probability"]) for row in truth])
        learned = np.concatenate([getattr(prediction, label).probability for prediction in predictions])
        assert roc_auc_score(answers[label], learned) > roc_auc_score(answers[label], true) - tolerance
        assert average_precision_score(answers[label], learned) > 0.8 * average_precision_score(answers[label], true)
        assert np.mean(learned) == pytest.approx(np.mean(true), abs=0.01)
        assert np.mean(np.abs(learned - true)) < 0.05


def test_labels_follow_the_thresholds_and_find_the_rare_payers(trained: Trained) -> None:
    described = json.loads((trained.folder / "model.json").read_bytes())
    assert described["metrics"]["purchase"]["f1"] > 2 * described["metrics"]["purchase"]["baseRate"]
    for prediction in predicted(trained):
        for label in ("churn", "purchase"):
            scores = getattr(prediction, label)
            assert (scores.label == (scores.probability >= described["thresholds"][label])).all()
            assert (scores.probability == np.round(scores.probability, 6)).all()
            assert scores.label.any() and not scores.label.all()


def test_the_model_folder_says_what_it_is(trained: Trained) -> None:
    described = json.loads((trained.folder / "model.json").read_bytes())
    boosters = [f"{name}-{fold}.txt" for name in ("churn", "churn-for-purchase", "purchase") for fold in range(1, 6)]
    assert sorted(contents(trained.folder)) == sorted([*CONTENT_FILES, "model.json", *boosters])
    assert described["version"] == trained.model.version and len(described["version"]) == 12
    assert set(described["metrics"]) == {"churn", "purchase"}
    assert set(described["libraries"]) == {"lightgbm", "numpy", "scikit-learn", "scipy"}
    assert len(described["dataHash"]) == 64
    assert sum(described["players"].values()) == 40_000
    names = [segment["name"] for segment in described["segments"]]
    assert [segment["id"] for segment in described["segments"]] == list(range(len(names)))
    assert len(set(names)) == len(names) and all(0 < len(name) <= MAX_NAME_LENGTH for name in names)
    shares = [segment["profile"]["share"] for segment in described["segments"]]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1, abs=0.001)


def test_what_gives_a_label_away_is_no_input(trained: Trained) -> None:
    names = {path.name: Booster(model_file=path).feature_name() for path in trained.folder.glob("*-*.txt")}
    features = [column.name for column in trained.model.schema.features]
    assert not {"identity", "churn_YN", "idx"} & set(features)
    without = [name for name in features if name != "purchase_num"]
    expected = {"churn": features, "churn-for-purchase": without, "purchase": [*without, "log_odds"]}
    assert names == {f"{name}-{fold}.txt": expected[name] for name in expected for fold in range(1, 6)}


def test_the_same_players_give_the_same_model_whatever_their_files(few: Path, tmp_path: Path) -> None:
    first = train.train([few], tmp_path / "first", 4).described
    again = train.train([few], tmp_path / "again", 4).described
    assert contents(tmp_path / "first") == contents(tmp_path / "again") and first == again
    assert reports(tmp_path / "first") == reports(tmp_path / "again")

    rows = read_csv(few)
    random.Random(1).shuffle(rows)
    (folder := tmp_path / "folder" / "dt=2026-01-01").mkdir(parents=True)
    # Columns in another order, noise in the one that is ignored, and files beside that hold no players.
    write_csv(folder / "part-1.csv", ({**dict(reversed(row.items())), "identity": "?"} for row in rows[:700]))
    (folder / "part-0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[700:]), encoding="utf-8")
    (folder / "_SUCCESS").touch()
    (folder / ".part-2.csv.crc").write_text("crc")
    assert train.train([tmp_path / "folder"], tmp_path / "shuffled", 4, with_report=False).described["version"] == first["version"]
    assert contents(tmp_path / "first") == contents(tmp_path / "shuffled")

    assert train.train([few], tmp_path / "other-seed", 5, with_report=False).described["version"] != first["version"]
    rows[0]["age"] = "77"
    assert train.train([write_csv(tmp_path / "changed.csv", rows)], tmp_path / "changed", 4, with_report=False).described["dataHash"] != first["dataHash"]


def test_the_command_replaces_the_former_model(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "model"
    for seed in ("4", "5"):
        # As a program of its own, from another folder than its modules.
        run = subprocess.run(
            [sys.executable, SCRIPT, "--data", few, "--out", out, "--seed", seed], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert load_model(out).version in run.stdout
        assert run.stderr == ""
    assert [path.name for path in out.parent.iterdir()] == ["model"]


def test_every_name_is_in_the_vocabulary_and_every_promotion_for_a_name() -> None:
    known = vocabulary()
    assert "likely leavers who have paid" in known and all(len(name) <= MAX_NAME_LENGTH for name in known)
    assert set(json.loads(PROMOTIONS_FILE.read_bytes())) <= known
    generator = random.Random(1)
    for _ in range(200):
        profiles = [
            Profile(
                0.2,
                generator.random(),
                generator.random() / 5,
                generator.choice([0.0, 1.0]),
                {name: generator.gauss(0, 1) for name in ("age", "game_play_num_per_week", "item_purchase_num_in_90_days")},
            )
            for _ in range(8)
        ]
        names = segment_names(profiles, 0.05)
        assert len(set(names)) == 8
        assert {name for name in names if not re.search(r", group \d$", name)} <= known


def test_a_segment_without_a_promotion_is_told() -> None:
    assert names_without_promotion(["likely stayers", "likely dragons"]) == ["likely dragons"]


def test_wrong_rows_are_told_and_left_out(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = read_csv(few)
    data = write_csv(tmp_path / "data.csv", [{**rows[0], "churn_YN": ""}, *rows[1:]])
    described = train.train([data], tmp_path / "model", 4, with_report=False).described
    assert described["players"]["rejected"] == 1
    assert f"rejected {data}:2: churn_YN is " in capsys.readouterr().out


def test_data_that_cannot_train_is_refused(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = read_csv(few)
    out = tmp_path / "model"
    train.train([few], out, 4, with_report=False)
    before = contents(out)

    def file(name: str, changed: list[dict[str, str]]) -> Path:
        return write_csv(tmp_path / name, changed)

    without_race = [{name: value for name, value in row.items() if name != "race"} for row in rows]
    unlabelled = [{name: value for name, value in row.items() if name != "churn_YN"} for row in rows]
    (tmp_path / "header.csv").write_text(",".join(rows[0]) + "\n")
    (tmp_path / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (tmp_path / "empty").mkdir()
    for data, reason in [
        (file("race.csv", without_race), "the header lacks race"),
        (file("unlabelled.csv", unlabelled), "the header lacks churn_YN"),
        (tmp_path / "header.csv", "no player to train on"),
        (file("old.csv", [{**row, "age": "old"} for row in rows]), 'no player to train on; the first of 1500 rejected rows: age is "old"'),
        (file("all.csv", [{**row, "churn_YN": "Y"} for row in rows]), "1500 of 1500 have churn_YN equal to Y"),
        (file("none.csv", [{**row, "purchase_num": "0"} for row in rows]), "0 of 1500 have purchase_num above 0"),
        (file("few.csv", rows[:30]), "more players are needed"),
        (tmp_path / "cut.csv.gz", "Compressed file ended"),
        (tmp_path / "empty", "the folder has no file of players"),
        (tmp_path / "missing.csv", "there is no such file"),
    ]:
        assert reason in refusal(capsys, "--data", data, "--out", out)
    assert contents(out) == before


def test_a_folder_that_is_no_model_is_not_replaced(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    assert "no model folder" in refusal(capsys, "--data", few, "--out", tmp_path / "papers")
    assert contents(tmp_path / "papers") == {"thesis.txt": b"years of work"}
    with pytest.raises(SystemExit, match="2"):
        train.main(["--data", str(few), "--seed", "-1"])


def test_a_changed_or_incomplete_folder_is_no_model(trained: Trained, tmp_path: Path) -> None:
    whole = contents(trained.folder)
    for name in whole:
        for content in (None, whole[name].replace(b"1", b"2", 1)):
            folder = tmp_path / f"{name}-{content is None}"
            folder.mkdir()
            for other, bytes_ in whole.items():
                if other != name or content is not None:
                    (folder / other).write_bytes(bytes_ if other != name else content)
            with pytest.raises(ModelFolderError, match="train again"):
                load_model(folder)


def test_the_model_is_found_as_azure_ml_mounts_it(trained: Trained, tmp_path: Path) -> None:
    assert find_model_folder(trained.folder) == trained.folder
    assert find_model_folder(trained.folder.parent) == trained.folder
    with pytest.raises(ModelFolderError, match="there is no model.json"):
        find_model_folder(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text("{}")
    with pytest.raises(ModelFolderError, match=r"several models \(a, b\)"):
        find_model_folder(tmp_path)


def test_segments_are_named_by_what_their_players_are_like() -> None:
    def profile(churn: float, purchase: float = 0.05, paid: float = 0.0, **deviations: float) -> Profile:
        return Profile(0.1, churn, purchase, paid, deviations)

    profiles = [
        profile(0.9),
        profile(0.9),
        profile(0.5, purchase=0.2),
        profile(0.1, paid=1.0),
        profile(0.8, age=-0.7),
        profile(0.8, age=-0.7, game_play_num_per_week=0.6),
    ]
    assert segment_names(profiles, 0.05) == [
        "likely leavers",
        "likely leavers, group 2",
        "undecided players who may well pay",
        "likely stayers who have paid",
        "younger likely leavers",
        "likely leavers who play a lot",
    ]
    crowded = [profile(0.5, paid=1.0, age=2.0, game_play_num_per_week=-3.0, item_purchase_num_in_90_days=1.0)] * 12
    names = segment_names(crowded, 0.05)
    assert len(set(names)) == 12 and max(map(len, names)) <= MAX_NAME_LENGTH
