"""The gate: what it lets pass, what it refuses, and what becomes of a refused model."""

import json
import random
from hashlib import sha256

from pathlib import Path

import numpy as np
import pytest

import train
from clustering import Clustering, CurvePoint
from conftest import read_csv, write_csv
from evaluation import evaluate
from gate import Check, Comparison, check_model, compare_models, table, verdict
from model import load_model
from segments import Floats, Segments

GENERATOR = np.random.default_rng(1)
TRUE = 1 / (1 + np.exp(-GENERATOR.normal(-1, 2, 5_000)))
ANSWERS = {"churn": GENERATOR.random(5_000) < TRUE}


def clustering(stability: float) -> Clustering:
    segments = Segments((), np.empty(0), np.empty(0), np.empty((4, 0)))
    return Clustering(segments, (), (CurvePoint(4, 0.3, 100.0, stability), CurvePoint(5, 0.2, 100.0, 0.99)))


def compared(candidate: Floats, current: Floats, rows: slice = slice(None)) -> dict[str, bool]:
    answers = {"churn": ANSWERS["churn"][rows]}
    metrics = [{"churn": evaluate(answers["churn"], scores[rows], 0.5)} for scores in (candidate, current)]
    checks = compare_models(answers, {"churn": candidate[rows]}, metrics[0], Comparison("b", {"churn": current[rows]}, metrics[1]))
    return {check.what: check.passed for check in checks}


def test_a_model_must_be_calibrated_and_its_segments_stable() -> None:
    for scores, stability, expected in [
        (TRUE, 0.95, [True, True]),
        (np.sqrt(TRUE), 0.95, [False, True]),
        (TRUE, 0.5, [True, False]),
    ]:
        checks = check_model(ANSWERS, {"churn": scores}, clustering(stability))
        assert [check.passed for check in checks] == expected
    # So far off that few players show it, too, and right for few players of whom chance alone makes a calibration error of 0.1.
    few = {"churn": ANSWERS["churn"][:100]}
    assert [check_model(few, {"churn": scores[:100]}, clustering(1))[0].passed for scores in (1 - TRUE, TRUE)] == [False, True]


def test_a_model_may_be_as_good_as_the_current_one_but_not_worse() -> None:
    noisy = 1 / (1 + np.exp(-(np.log(TRUE / (1 - TRUE)) + GENERATOR.normal(0, 1, len(TRUE)))))
    assert compared(TRUE, TRUE) == compared(TRUE, noisy) == {"churn ROC AUC": True, "churn log loss": True}
    assert compared(noisy, TRUE) == {"churn ROC AUC": False, "churn log loss": False}
    # As good at telling players apart, but not as calibrated.
    assert compared(TRUE**2, TRUE) == {"churn ROC AUC": True, "churn log loss": False}
    # Thirty players cannot tell that much apart.
    assert compared(noisy, TRUE, slice(30)) == {"churn ROC AUC": True, "churn log loss": True}


def test_the_verdict_has_the_reasons() -> None:
    checks = [Check("churn ROC AUC", 0.7, 0.9, "at most 0.01 lower", False), Check("segment stability", 0.9, None, "at least 0.8", True)]
    reasons = ["churn ROC AUC is 0.7000, the current model has 0.9000, expected at most 0.01 lower"]
    assert verdict(checks, False, "b") == {"passed": False, "accepted": False, "reasons": reasons, "comparedWith": "b"}
    assert verdict(checks, True, "b")["accepted"]
    assert verdict(checks[1:], True, None) == {"passed": True, "accepted": False, "reasons": [], "comparedWith": None}
    assert table(checks).splitlines()[1:] == [
        "churn ROC AUC      0.7000     0.9000   at most 0.01 lower  FAILED",
        "segment stability  0.9000     -        at least 0.8",
    ]



def test_a_refused_model_is_kept_beside_and_taken_only_when_accepted(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, candidate = tmp_path / "model", tmp_path / "model.candidate"

    def run(data: Path, *more: str) -> tuple[int, str]:
        code = train.main(["--data", str(data), "--out", str(out), "--no-report", *more])
        return code, capsys.readouterr().out

    code, told = run(few)
    assert code == 0 and "FAILED" not in told
    first = load_model(out).version
    assert json.loads((out / "model.json").read_bytes())["gate"] == {"passed": True, "accepted": False, "reasons": [], "comparedWith": None}

    # The same players, of whom the training part has answers by chance: nothing is to be learned from it.
    rows = read_csv(few)
    noise = random.Random(1)
    wrong = write_csv(tmp_path / "wrong.csv", [{**row, "churn_YN": noise.choice("YN") if not in_test(row["idx"]) else row["churn_YN"]} for row in rows])
    code, told = run(wrong)
    assert code == 3 and "FAILED" in told and "REFUSED" in told and str(candidate) in told
    assert load_model(out).version == first
    refused = json.loads((candidate / "model.json").read_bytes())
    assert refused["gate"]["comparedWith"] == first and any("churn ROC AUC" in reason for reason in refused["gate"]["reasons"])
    assert not refused["gate"]["passed"] and not refused["gate"]["accepted"]

    code, told = run(wrong, "--accept")
    assert code == 0 and "accepted" in told
    accepted = json.loads((out / "model.json").read_bytes())
    assert accepted["gate"]["accepted"] and accepted["gate"]["reasons"] == refused["gate"]["reasons"]
    # What the gate says of a model is no part of what it is.
    assert load_model(out).version == accepted["version"] == refused["version"]
    assert not candidate.exists()


def in_test(player: str) -> bool:
    return int.from_bytes(sha256(player.encode()).digest()[:8], "big") / 2**64 >= 0.8


def test_a_current_model_that_cannot_be_compared_with_is_told(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / "model.json").write_text('{"version": "from long ago"}')
    trained = train.train([few], out, 1, with_report=False)
    assert not trained.refused and "not compared with the current model" in trained.notes[0]
    assert trained.described["gate"]["comparedWith"] is None
    assert load_model(out).version == trained.described["version"]
