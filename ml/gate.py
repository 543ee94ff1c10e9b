"""Whether a model may take the place of the current one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clustering import STABLE, Clustering
from evaluation import Answers, auc_difference, calibration_error, calibration_noise, loss_difference
from segments import Floats

AUC_TOLERANCE = 0.005
"""By how much ROC AUC may be lower than the current model's."""
LOSS_TOLERANCE = 0.005
"""By how much the log loss may be higher than the current model's."""
CALIBRATION_TOLERANCE = 0.02
"""By how much the calibration error may exceed twice what chance alone makes of so many players: of 240 players with exactly right
probabilities it makes 0.056, and more than 0.096 once in a hundred times."""
SIGMAS = 2
"""A difference of less than so many standard errors, of the same players' scores by both models, counts for nothing: with few players
chance alone makes it."""


@dataclass(frozen=True)
class Comparison:
    """What the current model says of the players of the test part."""

    version: str
    scores: Mapping[str, Floats]
    metrics: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Check:
    """One line of the gate: a figure of the candidate, of the current model where there is one, and what the candidate must reach."""

    what: str
    candidate: float
    current: float | None
    limit: str
    passed: bool

    def reason(self) -> str:
        beside = "" if self.current is None else f", the current model has {self.current:.4f}"
        return f"{self.what} is {self.candidate:.4f}{beside}, expected {self.limit}"


def check_model(answers: Mapping[str, Answers], scores: Mapping[str, Floats], clustering: Clustering) -> list[Check]:
    """What a model must reach by itself, by players of the test part."""
    checks = []
    for name, probability in scores.items():
        limit = CALIBRATION_TOLERANCE + 2 * calibration_noise(answers[name], probability)
        error = calibration_error(answers[name], probability)
        checks.append(Check(f"{name} calibration error", error, None, f"at most {limit:.4f}", error <= limit))
    stability = clustering.stability
    checks.append(Check("segment stability", stability, None, f"at least {STABLE}", stability >= STABLE))
    return checks


def compare_models(
    answers: Mapping[str, Answers], candidate: Mapping[str, Floats], metrics: Mapping[str, Mapping[str, float]], current: Comparison
) -> list[Check]:
    """What a model must reach beside the current one, both on the same players of the test part."""
    checks = []
    for name, truth in answers.items():
        auc, auc_error = auc_difference(truth, candidate[name], current.scores[name])
        loss, loss_error = loss_difference(truth, candidate[name], current.scores[name])
        figures = (
            ("rocAuc", "ROC AUC", -auc, AUC_TOLERANCE + SIGMAS * auc_error, "lower"),
            ("logLoss", "log loss", loss, LOSS_TOLERANCE + SIGMAS * loss_error, "higher"),
        )
        for key, title, worse, tolerance, direction in figures:
            limit = f"at most {tolerance:.4f} {direction}"
            checks.append(Check(f"{name} {title}", metrics[name][key], current.metrics[name][key], limit, worse <= tolerance))
    return checks


def verdict(checks: Sequence[Check], accepted: bool, compared_with: str | None) -> dict[str, Any]:
    """The gate's entry of `model.json`. `accepted` is whether a person said to take the model whatever the gate says."""
    reasons = [check.reason() for check in checks if not check.passed]
    return {"passed": not reasons, "accepted": accepted and bool(reasons), "reasons": reasons, "comparedWith": compared_with}


def table(checks: Sequence[Check]) -> str:
    """The checks, one a line."""
    lines = [("check", "candidate", "current", "expected", "")]
    for check in checks:
        current = "-" if check.current is None else f"{check.current:.4f}"
        lines.append((check.what, f"{check.candidate:.4f}", current, check.limit, "" if check.passed else "FAILED"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def candidate_folder(out: Path) -> Path:
    """Where a refused model is kept, beside the one that it was to replace."""
    return out.with_name(f"{out.name}.candidate")
