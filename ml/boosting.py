"""Boosters of one label, one a fold: each is fitted to the other folds, stopped by its own and scored on it."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openmp  # before lightgbm
import lightgbm
import numpy as np
from numpy.typing import NDArray

from ensemble import joined_inputs
from forest import Forest
from records import Schema
from segments import Floats
from training_data import FOLDS, TrainingData

ROUNDS = {"most": 1500, "without_gain": 60}


@dataclass(frozen=True)
class Boosting:
    """The boosters of a label.

    `log_odds`, a number a row, are of boosters that were not fitted to the row: of its fold's alone for the training part, the average
    of all for the test part.
    """

    boosters: tuple[lightgbm.Booster, ...]
    places: tuple[int, ...]
    log_odds: Floats

    @property
    def rounds(self) -> list[int]:
        return [booster.num_trees() for booster in self.boosters]


def fit_boosters(
    schema: Schema,
    data: TrainingData,
    answers: NDArray[np.bool_],
    places: Sequence[int],
    before: Boosting | None,
    settings: Mapping[str, Any],
    seed: int,
) -> Boosting:
    """Fits LightGBM's boosters to some columns of the matrix and, unless None, the log-odds of the boosters before."""
    inputs = joined_inputs(data.matrix, places, None if before is None else before.log_odds)
    names = [schema.features[place].name for place in places] + ([] if before is None else ["log_odds"])
    categories = [number for number, place in enumerate(places) if schema.features[place].type == "category"]
    train = data.parts["train"]

    def fit(fold: int) -> lightgbm.Booster:
        parameters = _parameters(settings, seed * FOLDS + fold)

        def dataset(rows: NDArray[np.intp], reference: lightgbm.Dataset | None) -> lightgbm.Dataset:
            return lightgbm.Dataset(
                inputs[rows],
                answers[rows].astype(float),
                reference=reference,
                feature_name=names,
                categorical_feature=categories,
                params=parameters,
            )

        fitted = dataset(train[data.folds[train] != fold], None)
        booster = lightgbm.train(
            parameters,
            fitted,
            ROUNDS["most"],
            valid_sets=[dataset(train[data.folds[train] == fold], fitted)],
            callbacks=[lightgbm.early_stopping(ROUNDS["without_gain"], verbose=False)],
        )
        # Through its text, so that what is measured here is what the folder gives.
        return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))

    # LightGBM works outside of Python's lock. Each booster has one thread, so that its trees are the same on any machine.
    with ThreadPoolExecutor(min(FOLDS, os.cpu_count() or 1)) as pool:
        boosters = tuple(pool.map(fit, range(FOLDS)))
    log_odds = np.empty(len(inputs))
    for fold, booster in enumerate(boosters):
        rows = train[data.folds[train] == fold]
        log_odds[rows] = Forest([booster]).log_odds(inputs[rows])
    test = data.parts["test"]
    log_odds[test] = Forest(boosters).log_odds(inputs[test])
    return Boosting(boosters, tuple(places), log_odds)


def _parameters(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        **settings,
    }
