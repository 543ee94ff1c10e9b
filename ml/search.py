"""Looks for better settings of the boosters for a while, by Optuna."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from sklearn.metrics import log_loss

from boosting import Boosting, fit_boosters
from forest import MOST_LEAVES
from model import input_places
from records import Schema
from settings import BoosterSettings
from training_data import TrainingData

Fit = Callable[[Mapping[str, Any]], Boosting]


@dataclass(frozen=True)
class _Task:
    """Boosters to find settings of: their key in the settings, the label that they learn, the label whose inputs they take, and their share
    of the time."""

    key: str
    learns: str
    inputs_of: str
    share: float


_TASKS = (
    _Task("churn", "churn", "churn", 0.5),
    _Task("churn_for_purchase", "churn", "purchase", 0.2),
    _Task("purchase", "purchase", "purchase", 0.3),
)


def search_settings(
    schema: Schema, data: TrainingData, settings: BoosterSettings, seed: int, seconds: float, trials: int | None = None
) -> dict[str, dict[str, Any]]:
    """Settings whose boosters have the least log loss on the folds that they were not fitted to; the given ones are tried first. The test
    part has no say.

    The seed decides what is tried, and the time or, where it comes first, the number of trials of each kind of booster how much of it.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    places = {label.name: input_places(schema, label) for label in schema.labels}
    found: dict[str, dict[str, Any]] = {}
    before: Boosting | None = None
    for task in _TASKS:

        def fit(candidate: Mapping[str, Any], task: _Task = task, before: Boosting | None = before) -> Boosting:
            return fit_boosters(schema, data, data.labels[task.learns], places[task.inputs_of], before, candidate, seed)

        found[task.key] = _search(data, task, fit, settings[task.key], seed, seconds, trials)
        before = fit(found[task.key]) if task.key == "churn_for_purchase" else None
    return found


def _search(
    data: TrainingData, task: _Task, fit: Fit, given: Mapping[str, Any], seed: int, seconds: float, trials: int | None
) -> dict[str, Any]:
    train = data.parts["train"]

    def loss(trial: optuna.Trial) -> float:
        log_odds = fit(_suggest(trial, given)).log_odds[train]
        return float(log_loss(data.labels[task.learns][train], 1 / (1 + np.exp(-log_odds))))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({name: given[name] for name in _suggest(optuna.trial.FixedTrial(dict(given)), {})})
    study.optimize(loss, n_trials=1)
    first = study.best_value
    study.optimize(loss, n_trials=None if trials is None else max(0, trials - 1), timeout=task.share * seconds)
    print(f"search    {task.key}: {len(study.trials)} settings tried, log loss {first:.6f} -> {study.best_value:.6f}")
    return {**given, **study.best_params}


def _suggest(trial: optuna.Trial, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **given,
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.4, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 2, MOST_LEAVES),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 100, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0, step=0.1),
        "cat_smooth": trial.suggest_int("cat_smooth", 1, 100, log=True),
        "cat_l2": trial.suggest_int("cat_l2", 1, 100, log=True),
    }
