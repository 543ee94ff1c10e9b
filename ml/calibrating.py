"""Chooses and fits the calibration of a label by log-odds of boosters that were not fitted to the players."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from calibration import Calibration
from segments import Floats
from training_data import FOLDS

# Below this many digits, results of one machine and another may differ.
_DECIMALS = 6

ISOTONIC_COST = 0.001
"""Log loss that the isotonic calibration may cost over the folds."""

Fit = Callable[[Floats, NDArray[np.bool_]], Calibration]


def choose_calibration(log_odds: Floats, answers: NDArray[np.bool_], folds: NDArray[np.intp]) -> tuple[Calibration, dict[str, float]]:
    """The isotonic method wherever it costs little: it alone follows any bend, and so has the least calibration error. With few players, or
    where it costs more, the method of the least log loss over the folds, each with a calibration of the others; of equal ones the
    simpler. It is fitted to all players. Also tells the losses."""
    # One thread: the matrices are small, and several wait for each other longer than they work.
    with threadpool_limits(1):
        return _choose(log_odds, answers, folds)


def _choose(log_odds: Floats, answers: NDArray[np.bool_], folds: NDArray[np.intp]) -> tuple[Calibration, dict[str, float]]:
    losses: dict[str, float] = {}
    for method, fit in _METHODS.items():
        probability = np.empty(len(log_odds))
        for fold in range(FOLDS):
            inside = folds == fold
            probability[inside] = fit(log_odds[~inside], answers[~inside]).probability(log_odds[inside])
        losses[method] = round(float(log_loss(answers, probability)), _DECIMALS)
    best = min(losses, key=lambda method: losses[method])
    if losses["isotonic"] <= losses[best] + ISOTONIC_COST:
        best = "isotonic"
    return _METHODS[best](log_odds, answers), losses


def _fit_none(log_odds: Floats, answers: NDArray[np.bool_]) -> Calibration:
    return Calibration("none", {})


def _fit_platt(log_odds: Floats, answers: NDArray[np.bool_]) -> Calibration:
    slope, intercept = _logistic(np.column_stack([log_odds]), answers)
    return Calibration("platt", {"slope": slope, "intercept": intercept})


def _fit_beta(log_odds: Floats, answers: NDArray[np.bool_]) -> Calibration:
    yes, no, intercept = _logistic(np.column_stack([-np.log1p(np.exp(-log_odds)), np.log1p(np.exp(log_odds))]), answers)
    return Calibration("beta", {"yes": yes, "no": no, "intercept": intercept})


def _fit_isotonic(log_odds: Floats, answers: NDArray[np.bool_]) -> Calibration:
    # Nobody leaves or stays for certain: the ends are what one player of each kind more would make of them.
    low, high = 1 / (len(answers) + 2), 1 - 1 / (len(answers) + 2)
    steps = IsotonicRegression(y_min=low, y_max=high).fit_transform(log_odds, answers.astype(float))
    # Each step stands in the middle of its players, and the lines between the middles keep their order, which steps would lose.
    levels, players = np.unique(steps, return_inverse=True)
    middles = np.bincount(players, log_odds) / np.bincount(players)
    knots = np.column_stack([middles, levels])
    return Calibration("isotonic", {"knots": np.round(knots, _DECIMALS).tolist()})


_METHODS: dict[str, Fit] = {"none": _fit_none, "platt": _fit_platt, "beta": _fit_beta, "isotonic": _fit_isotonic}


def _logistic(inputs: Floats, answers: NDArray[np.bool_]) -> list[float]:
    """The weights, none negative lest a higher score meant a lower probability, and the intercept of the least log loss."""
    signs = np.where(answers, 1.0, -1.0)
    design = np.column_stack([inputs, np.ones(len(inputs))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = signs * (design @ weights)
        pull = signs / (1 + np.exp(margins))
        return float(np.logaddexp(0, -margins).mean()), -(pull @ design) / len(design)

    start = np.append(np.ones(inputs.shape[1]), 0.0)
    bounds = [(0.0, None)] * inputs.shape[1] + [(None, None)]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000})
    return np.round(fitted.x, _DECIMALS).tolist()
