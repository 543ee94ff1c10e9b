"""Fits all the models to the training part: what `train.py` writes and what `bench/models` measures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve

from boosting import Boosting, fit_boosters
from calibrating import choose_calibration
from calibration import Calibration
from clustering import Clustering, find_segments
from ensemble import rounded
from evaluation import Answers
from model import LABELS, input_places
from records import Label, Schema
from segments import Floats
from settings import BoosterSettings
from training_data import TrainingData


@dataclass(frozen=True)
class FittedLabel:
    """The models of one label.

    `scores`, the calibrated probabilities of all players, are of boosters that were not fitted to the player, as `Boosting.log_odds` is.
    """

    boosting: Boosting
    before: Boosting | None
    calibration: Calibration
    calibration_losses: Mapping[str, float]
    scores: Floats
    threshold: float


@dataclass(frozen=True)
class Fitted:
    labels: Mapping[str, FittedLabel]
    clustering: Clustering

    @property
    def scores(self) -> dict[str, Floats]:
        return {name: fitted.scores for name, fitted in self.labels.items()}


def fit_models(schema: Schema, data: TrainingData, settings: BoosterSettings, seed: int) -> Fitted:
    """Fits boosters, calibrations, thresholds and segments."""
    labels = {label.name: fit_label(schema, label, data, settings, seed) for label in schema.labels}
    scores = {name: fitted.scores for name, fitted in labels.items()}
    return Fitted(labels, find_segments(schema, data, scores, seed))


def fit_label(schema: Schema, label: Label, data: TrainingData, settings: BoosterSettings, seed: int) -> FittedLabel:
    """Who is about to pay follows in part from who is about to leave. The answer is not known when the model is used, but an estimate of
    it, from the same columns, helps the boosters of purchase."""
    places = input_places(schema, label)
    before = None
    if label.name == "purchase":
        before = fit_boosters(schema, data, data.labels["churn"], places, None, settings["churn_for_purchase"], seed)
    answers = data.labels[label.name]
    boosting = fit_boosters(schema, data, answers, places, before, settings[label.name], seed)
    train = data.parts["train"]
    calibration, losses = choose_calibration(boosting.log_odds[train], answers[train], data.folds[train])
    scores = rounded(calibration.probability(boosting.log_odds))
    return FittedLabel(boosting, before, calibration, losses, scores, _best_threshold(answers[train], scores[train]))


def _best_threshold(answers: Answers, probability: Floats) -> float:
    """The threshold of the greatest F1; a probability equal to it counts as yes."""
    precision, recall, thresholds = precision_recall_curve(answers, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[np.argmax(f1[:-1])])


def ensembles_json(schema: Schema, fitted: Fitted) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The content of `ensembles.json`, as `read_ensemble` takes it, and the boosters' files that it names."""
    files: dict[str, bytes] = {}

    def entry(name: str, boosting: Boosting, before: Boosting | None, calibration: Calibration) -> dict[str, Any]:
        texts = {f"{name}-{number}.txt": booster.model_to_string().encode() for number, booster in enumerate(boosting.boosters, 1)}
        files.update(texts)
        content = {
            "boosters": list(texts),
            "features": [schema.features[place].name for place in boosting.places],
            "calibration": calibration.to_json(),
        }
        return content if before is None else content | {"before": entry(f"churn-for-{name}", before, None, Calibration("none", {}))}

    content = {
        name: entry(name, fitted.labels[name].boosting, fitted.labels[name].before, fitted.labels[name].calibration) for name in LABELS
    }
    return content, files
