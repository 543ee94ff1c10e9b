"""How good the scores are: over five folds of a data file, and beside the truth behind generated players."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from evaluation import Answers, calibration_error, calibration_noise
from fitting import fit_label
from model import input_places
from records import Schema
from segments import Floats
from settings import BOOSTER_SETTINGS
from table import Row
from training_data import InTest, TrainingData, read_training_data

FOLDS = 5

Measure = Callable[[Answers, Floats], float]

MEASURES: dict[str, tuple[str, Measure, bool]] = {
    "auc": ("ROC AUC", lambda answers, scores: float(roc_auc_score(answers, scores)), True),
    "loss": ("log loss", lambda answers, scores: float(log_loss(answers, scores)), False),
    "precision": ("average precision", lambda answers, scores: float(average_precision_score(answers, scores)), True),
    "ece": ("expected calibration error", calibration_error, False),
}
GOALS = {
    ("churn", "auc"): (">=", 0.930),
    ("churn", "loss"): ("<=", 0.275),
    ("churn", "ece"): ("<=", 0.01),
    ("purchase", "auc"): (">=", 0.70),
    ("purchase", "precision"): (">=", 0.10),
    ("purchase", "ece"): ("<=", 0.01),
}
# The least that the 5 decimals of the notes show.
BETTER = (">=", 0.00001)
CLASSIC = "the classic settings: 100 trees, rate 0.2, 20 leaves, codes as numbers, no calibration"


def quality_rows(schema: Schema, path: Path, with_goals: bool) -> list[Row]:
    """The models that `npm run train` fits, and the classic settings, each fitted to four folds and measured on the fifth."""
    keys = [(label.name, measure) for label in schema.labels for measure in MEASURES]
    ours: dict[tuple[str, str], list[float]] = {key: [] for key in keys}
    classic: dict[tuple[str, str], list[float]] = {key: [] for key in keys}
    pooled = _Pooled()
    for number, in_test in enumerate(_folds(schema, path), 1):
        print(f"fold {number} of {FOLDS}", flush=True)
        data = read_training_data([path], schema, 1, in_test)
        test = data.parts["test"]
        for label in schema.labels:
            answers = data.labels[label.name]
            scores = fit_label(schema, label, data, BOOSTER_SETTINGS, 1).scores[test]
            usual = _classic_scores(schema, data, answers, input_places(schema, label))
            pooled.add(label.name, answers[test], scores, usual)
            for measure, (_, function, _) in MEASURES.items():
                ours[label.name, measure].append(function(answers[test], scores))
                classic[label.name, measure].append(function(answers[test], usual))
    rows = [row for key in keys for row in _fold_rows(key, ours[key], classic[key], with_goals)]
    return rows + [row for label in schema.labels for row in pooled.rows(label.name, with_goals)]


def _folds(schema: Schema, path: Path) -> list[InTest]:
    """Folds with equal shares of leavers and payers. What differs by chance between them would else count as bad calibration."""
    whole = read_training_data([path], schema, 1)
    kinds = whole.labels["churn"] + 2 * whole.labels["purchase"].astype(int)
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(kinds, kinds)
    # Players stand in the same order whatever the split.
    masks = [np.isin(np.arange(len(kinds)), test) for _, test in splits]
    return [lambda numbers, mask=mask: mask for mask in masks]


def _fold_rows(key: tuple[str, str], ours: Sequence[float], classic: Sequence[float], with_goals: bool) -> list[Row]:
    label, measure = key
    title, _, higher_is_better = MEASURES[measure]
    gains = np.subtract(ours, classic) * (1 if higher_is_better else -1)
    better = f"{np.count_nonzero(gains > 0)} of {FOLDS} folds better; they have {np.mean(classic):.5f}"
    goal = GOALS.get(key) if with_goals else None
    return [
        Row(f"{label}-{measure}", f"{label}: {title}, mean of {FOLDS} folds", [float(np.mean(ours))], "", goal, None, _spread(ours)),
        Row(f"{label}-{measure}-gain", f"the same, better by", [float(np.mean(gains))], "", BETTER if with_goals else None, CLASSIC, better),
    ]


@dataclass
class _Pooled:
    """The players of all folds together, each scored by models that were not fitted to him."""

    answers: dict[str, list[Answers]] = field(default_factory=dict)
    scores: dict[str, list[Floats]] = field(default_factory=dict)
    classic: dict[str, list[Floats]] = field(default_factory=dict)

    def add(self, label: str, answers: Answers, scores: Floats, classic: Floats) -> None:
        for parts, part in ((self.answers, answers), (self.scores, scores), (self.classic, classic)):
            parts.setdefault(label, []).append(part)

    def rows(self, label: str, with_goals: bool) -> list[Row]:
        """The calibration error of a fold is mostly chance: its few players have one though their probabilities be exactly right."""
        answers, scores, classic = (np.concatenate(parts[label]) for parts in (self.answers, self.scores, self.classic))
        error, usual = calibration_error(answers, scores), calibration_error(answers, classic)
        in_folds = np.mean([calibration_noise(*pair) for pair in zip(self.answers[label], self.scores[label], strict=True)])
        note = f"chance alone makes {calibration_noise(answers, scores):.5f}, and {in_folds:.5f} in a fold"
        title = f"{label}: expected calibration error, all folds together"
        goal = GOALS[label, "ece"] if with_goals else None
        return [
            Row(f"{label}-ece-all", title, [error], "", goal, None, note),
            Row(f"{label}-ece-all-gain", "the same, better by", [usual - error], "", BETTER if with_goals else None, CLASSIC, f"they have {usual:.5f}"),
        ]


def _spread(values: Sequence[float]) -> str:
    return f"folds {min(values):.5f} to {max(values):.5f}, standard deviation {np.std(values, ddof=1):.5f}"


def _classic_scores(schema: Schema, data: TrainingData, answers: Answers, places: Sequence[int]) -> Floats:
    inputs = data.matrix.copy()
    for place, column in enumerate(schema.features):
        if column.type == "category":
            texts = data.categories[column.name]
            numbers = [float(text) for text in texts] if all(text.isdecimal() for text in texts) else list(range(len(texts)))
            known = ~np.isnan(inputs[:, place])
            inputs[known, place] = np.array(numbers, dtype=float)[inputs[known, place].astype(np.intp)]
    train, test = data.parts["train"], data.parts["test"]
    parameters = {"objective": "binary", "learning_rate": 0.2, "num_leaves": 20, "num_threads": 1, "seed": 1, "verbosity": -1}
    fitted = lightgbm.Dataset(inputs[np.ix_(train, places)], answers[train].astype(float), params=parameters)
    return np.asarray(lightgbm.train(parameters, fitted, 100).predict(inputs[np.ix_(test, places)], num_threads=1))


def truth_rows(schema: Schema, path: Path, truth: dict[str, dict[str, float]]) -> list[Row]:
    """Generated players: the models beside the probabilities, by id, that the players were drawn from. `truth` has them by label."""
    rows: list[Row] = []
    data = read_training_data([path], schema, 1)
    test = data.parts["test"]
    for label in schema.labels:
        answers = data.labels[label.name][test]
        scores = fit_label(schema, label, data, BOOSTER_SETTINGS, 1).scores[test]
        true = np.array([truth[label.name][player] for player in data.test_ids])
        learned, best = (float(roc_auc_score(answers, probability)) for probability in (scores, true))
        rows.append(
            Row(
                f"truth-{label.name}",
                f"{label.name}: ROC AUC of the truth less the model's, {len(data.matrix):,} generated players",
                [best - learned],
                "",
                ("<=", 0.01),
                "the probabilities that the players were drawn from",
                f"the truth {best:.4f}, the model {learned:.4f}; mean distance of the probabilities {np.mean(np.abs(scores - true)):.4f}",
            )
        )
    return rows
