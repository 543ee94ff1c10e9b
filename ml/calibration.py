"""From the log-odds that boosters give to probabilities that come true: of the players who get 0.3, 30 % do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from segments import Floats

# Beyond these probabilities of 1e-12 and 1 - 1e-12 nothing is left to tell.
_MOST_LOG_ODDS = 27.6


@dataclass(frozen=True)
class Calibration:
    """A method and its numbers:

    - `none`: the probability is the logistic function of the log-odds z.
    - `platt`: of `slope` z + `intercept` (Platt, 1999).
    - `beta`: of `yes` ln p - `no` ln(1 - p) + `intercept`, p the uncalibrated probability (Kull, Silva Filho and Flach, 2017).
    - `isotonic`: the straight lines between `knots`, pairs of log-odds and probability: isotonic regression (Zadrozny and
      Elkan, 2002), centred (Oron and Flournoy, 2017).
    """

    method: str
    numbers: Mapping[str, Any]

    def probability(self, log_odds: Floats) -> Floats:
        z = np.clip(log_odds, -_MOST_LOG_ODDS, _MOST_LOG_ODDS)
        if self.method == "isotonic":
            knots = np.array(self.numbers["knots"])
            return np.interp(z, knots[:, 0], knots[:, 1])
        if self.method == "platt":
            z = self.numbers["slope"] * z + self.numbers["intercept"]
        elif self.method == "beta":
            z = self.numbers["yes"] * -np.log1p(np.exp(-z)) + self.numbers["no"] * np.log1p(np.exp(z)) + self.numbers["intercept"]
        return 1 / (1 + np.exp(-z))

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method, **self.numbers}


def read_calibration(content: Mapping[str, Any]) -> Calibration:
    """Reads what `Calibration.to_json` wrote."""
    return Calibration(content["method"], {name: number for name, number in content.items() if name != "method"})
