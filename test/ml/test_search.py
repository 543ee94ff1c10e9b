"""The search for settings: repeatable, within what trees may be, and loaded only by who asks for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import train
from forest import MOST_LEAVES
from records import Schema
from search import search_settings
from settings import BOOSTER_SETTINGS, read_settings
from training_data import read_training_data

ML = Path(train.__file__).parent


def test_the_same_seed_finds_the_same_settings(schema: Schema, few: Path) -> None:
    data = read_training_data([few], schema, 1)
    found, again = (search_settings(schema, data, BOOSTER_SETTINGS, 1, 600, trials=2) for _ in range(2))
    assert found == again
    assert found.keys() == BOOSTER_SETTINGS.keys()
    assert all(2 <= settings["num_leaves"] <= MOST_LEAVES for settings in found.values())


def test_found_settings_are_recorded_and_taken_again(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    common = ["--data", str(few), "--out", str(out), "--no-report", "--accept"]
    assert train.main([*common, "--search", "0", "--trials", "2", "--seed", "3"]) == 0
    # The time is over before the second trial; the given settings are always tried.
    assert capsys.readouterr().out.count("1 settings tried") == 3
    described = json.loads((out / "model.json").read_bytes())
    assert described["settings"]["boosters"] == read_settings(out / "model.json") == {name: dict(entry) for name, entry in BOOSTER_SETTINGS.items()}

    settings = tmp_path / "settings.json"
    described["settings"]["boosters"]["churn"]["num_leaves"] = 3
    settings.write_text(json.dumps(described))
    assert train.main([*common, "--settings", str(settings)]) == 0
    assert json.loads((out / "model.json").read_bytes())["settings"]["boosters"]["churn"]["num_leaves"] == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{}", "no model.json with settings.boosters of churn, churn_for_purchase, purchase"),
        ("[", "no model.json"),
        (json.dumps({"settings": {"boosters": {name: {"num_leaves": 17} for name in BOOSTER_SETTINGS}}}), "whole numbers from 2 to 16"),
    ],
)
def test_settings_that_are_none_are_refused(content: str, reason: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    assert train.main(["--data", str(few), "--out", str(tmp_path / "model"), "--settings", str(path)]) == 2
    assert reason in capsys.readouterr().err


def test_scoring_needs_nothing_that_training_alone_has() -> None:
    # None in the place of a module makes its import fail, as where it is not installed.
    code = "import sys; sys.modules |= dict.fromkeys(('optuna', 'matplotlib', 'sklearn')); import model, score, batch_score"
    subprocess.run([sys.executable, "-c", code], cwd=ML, check=True)
    code = "import sys; sys.modules['optuna'] = None; import train"
    subprocess.run([sys.executable, "-c", code], cwd=ML, check=True)
