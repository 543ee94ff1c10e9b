"""Calibrations: what is fitted, what is chosen, and that none turns the order of players round."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibrating import ISOTONIC_COST, choose_calibration
from calibration import Calibration, read_calibration
from evaluation import auc_difference, calibration_error, calibration_noise, gain, loss_difference
from segments import Floats

GENERATOR = np.random.default_rng(1)
TRUE = GENERATOR.normal(-1, 2, 20_000)
ANSWERS = GENERATOR.random(20_000) < 1 / (1 + np.exp(-TRUE))
FOLDS = np.arange(20_000) % 5


def logistic(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


@pytest.mark.parametrize(
    ("log_odds", "method"),
    [
        (TRUE, "none"),
        (2 * TRUE + 1, "platt"),
        (np.where(TRUE > 0, 3 * TRUE, TRUE), "beta"),
        (np.sign(TRUE) * TRUE**2 + 2 * (TRUE > -1), "isotonic"),
    ],
)
def test_few_players_get_the_method_of_the_least_loss_and_it_repairs(log_odds: Floats, method: str) -> None:
    few = slice(2_000)
    chosen, losses = choose_calibration(log_odds[few], ANSWERS[few], FOLDS[few])
    assert chosen.method == method == min(losses, key=lambda name: losses[name])
    repaired = chosen.probability(log_odds)
    assert calibration_error(ANSWERS, repaired) < 0.02
    assert np.mean(np.abs(repaired - logistic(TRUE))) < 0.03
    assert read_calibration(json.loads(json.dumps(chosen.to_json()))) == chosen
    assert choose_calibration(log_odds[few], ANSWERS[few], FOLDS[few]) == (chosen, losses)


@pytest.mark.parametrize("log_odds", [TRUE, 2 * TRUE + 1, np.where(TRUE > 0, 3 * TRUE, TRUE), np.sign(TRUE) * TRUE**2 + 2 * (TRUE > -1)])
def test_many_players_get_the_isotonic_method_which_follows_any_bend_and_keeps_their_order(log_odds: Floats) -> None:
    chosen, losses = choose_calibration(log_odds, ANSWERS, FOLDS)
    assert chosen.method == "isotonic"
    assert losses["isotonic"] <= min(losses.values()) + ISOTONIC_COST
    repaired = chosen.probability(log_odds)
    assert calibration_error(ANSWERS, repaired) < 0.005
    assert np.mean(np.abs(repaired - logistic(TRUE))) < 0.01
    inside = np.argsort(log_odds)[200:-200]
    assert (np.diff(repaired[inside]) >= 0).all()
    assert np.count_nonzero(np.diff(repaired[inside]) == 0) < 200


CALIBRATIONS = [
    Calibration("none", {}),
    Calibration("platt", {"slope": 0.5, "intercept": -1.0}),
    Calibration("beta", {"yes": 0.3, "no": 2.0, "intercept": 1.0}),
    Calibration("isotonic", {"knots": [[-1.0, 0.1], [0.0, 0.1], [0.5, 0.9]]}),
]


@pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda calibration: calibration.method)
@given(log_odds=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_probability_is_one_and_rises_with_the_log_odds(calibration: Calibration, log_odds: list[float]) -> None:
    values = np.sort(log_odds)
    probability = calibration.probability(values)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= -1e-15).all()
    assert all(calibration.probability(values[place : place + 1])[0] == probability[place] for place in range(len(values)))


def test_a_score_that_tells_nothing_is_given_the_mean() -> None:
    wrong = -TRUE
    chosen, _ = choose_calibration(wrong, ANSWERS, FOLDS)
    assert chosen.probability(wrong) == pytest.approx(np.full(len(wrong), ANSWERS.mean()), abs=0.01)


def test_the_calibration_error_of_right_probabilities_is_the_noise_of_chance() -> None:
    right = logistic(TRUE[:2_000])
    errors = [calibration_error(np.random.default_rng(seed).random(2_000) < right, right) for seed in range(50)]
    assert np.mean(errors) == pytest.approx(calibration_noise(ANSWERS[:2_000], right), rel=0.1)
    assert calibration_error(ANSWERS, np.full(len(ANSWERS), 0.95)) == pytest.approx(0.95 - ANSWERS.mean())


def test_differences_come_with_the_error_that_repeated_draws_have() -> None:
    worse = TRUE + GENERATOR.normal(0, 1, len(TRUE))
    for difference in (auc_difference, loss_difference):
        draws = [difference(ANSWERS[rows], logistic(worse[rows]), logistic(TRUE[rows])) for rows in np.split(np.arange(20_000), 40)]
        found, errors = np.array(draws).T
        assert found.std(ddof=1) == pytest.approx(errors.mean(), rel=0.4)
        assert difference(ANSWERS, logistic(TRUE), logistic(TRUE)) == (0.0, 0.0)
    auc, _ = auc_difference(ANSWERS, worse, TRUE)
    assert auc < 0 < loss_difference(ANSWERS, logistic(worse), logistic(TRUE))[0]


def test_the_gain_is_the_share_of_yes_among_the_first() -> None:
    answers = np.array([True, False, True, False, False, False, False, False, False, True])
    assert gain(answers, np.arange(10) / 10, 0.1) == pytest.approx(1 / 3)
    assert gain(answers, np.arange(10) / 10, 1) == 1
