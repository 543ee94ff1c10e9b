"""The scorer of one label: the averaged boosters of its folds, and the calibration on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openmp  # before lightgbm
import lightgbm
import numpy as np

from calibration import Calibration, read_calibration
from forest import Forest
from segments import Floats


def rounded(probability: Floats) -> Floats:
    """Probabilities as they are kept and told everywhere: 6 decimals."""
    return np.round(probability, 6)


@dataclass(frozen=True)
class Ensemble:
    """Boosters that take some columns of the matrix of all features and, where there is `before`, its log-odds as one more."""

    forest: Forest
    places: tuple[int, ...]
    before: "Ensemble | None"
    calibration: Calibration

    def log_odds(self, matrix: Floats) -> Floats:
        """Uncalibrated, a number a row."""
        return self.forest.log_odds(self.inputs(matrix, None if self.before is None else self.before.log_odds(matrix)))

    def inputs(self, matrix: Floats, before: Floats | None) -> Floats:
        """What the boosters take: a row a player."""
        return joined_inputs(matrix, self.places, before)

    def probability(self, matrix: Floats) -> Floats:
        """Rounded probabilities of yes. A player's does not depend on who else is asked for."""
        return rounded(self.calibration.probability(self.log_odds(matrix)))


def joined_inputs(matrix: Floats, places: Sequence[int], before: Floats | None) -> Floats:
    """Some columns of the matrix of all features, and the log-odds of the ensemble before, if there is one."""
    inputs = matrix[:, list(places)]
    return inputs if before is None else np.column_stack([inputs, before])


def read_ensemble(content: Mapping[str, Any], files: Mapping[str, bytes], feature_places: Mapping[str, int]) -> Ensemble:
    """Reads an entry of `ensembles.json`:

        {"boosters": ["churn-1.txt", ..], "features": ["age", ..], "calibration": {..}, "before"?: {an entry}}
    """
    boosters = [lightgbm.Booster(model_str=files[name].decode()) for name in content["boosters"]]
    return Ensemble(
        Forest(boosters),
        tuple(feature_places[name] for name in content["features"]),
        read_ensemble(content["before"], files, feature_places) if "before" in content else None,
        read_calibration(content["calibration"]),
    )


def booster_files(content: Mapping[str, Any]) -> list[str]:
    """The files of an entry of `ensembles.json`, those of the one before it among them."""
    return [*content["boosters"], *(booster_files(content["before"]) if "before" in content else [])]
