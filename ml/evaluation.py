"""What scores are worth, by players that nothing was fitted to."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, log_loss, roc_auc_score

from segments import Floats

BINS = 10

Answers = NDArray[np.bool_]


def evaluate(answers: Answers, probability: Floats, threshold: float) -> dict[str, float]:
    """The metrics of one label, each rounded to 6 decimals."""
    metrics = {
        "baseRate": answers.mean(),
        "rocAuc": roc_auc_score(answers, probability),
        "logLoss": log_loss(answers, probability),
        "averagePrecision": average_precision_score(answers, probability),
        "brierScore": brier_score_loss(answers, probability),
        "calibrationError": calibration_error(answers, probability),
        "gainOfTopTenth": gain(answers, probability, 0.1),
        "f1": f1_score(answers, probability >= threshold, zero_division=0),
    }
    return {metric: round(float(number), 6) for metric, number in metrics.items()}


def calibration_error(answers: Answers, probability: Floats) -> float:
    """Expected calibration error: how far the share of yes is from the mean probability, in 10 bins of equal width, weighted by their
    players (Naeini, Cooper and Hauskrecht, 2015)."""
    return float(sum(count * abs(rate - mean) for count, rate, mean, _ in _bins(answers, probability)) / len(answers))


def calibration_noise(answers: Answers, probability: Floats) -> float:
    """The calibration error that so many players would show on average if the probabilities were exactly right."""
    # The mean distance of a normal distribution from its middle is sqrt(2/pi) standard deviations.
    return float(sum(np.sqrt(2 / np.pi * count * variance) for count, _, _, variance in _bins(answers, probability)) / len(answers))


def _bins(answers: Answers, probability: Floats) -> list[tuple[int, float, float, float]]:
    """Of each bin with players: how many, the share of yes, the mean of the probability p and that of p (1 - p)."""
    numbers = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
    chosen = (numbers == number for number in np.unique(numbers))
    return [
        (int(inside.sum()), float(answers[inside].mean()), float(probability[inside].mean()), float((probability * (1 - probability))[inside].mean()))
        for inside in chosen
    ]


def gain(answers: Answers, probability: Floats, share: float) -> float:
    """Which share of all yes is among the `share` of players with the highest probability."""
    count = max(1, round(len(answers) * share))
    highest = np.argsort(-probability, kind="stable")[:count]
    return float(answers[highest].sum() / answers.sum())


def auc_difference(answers: Answers, candidate: Floats, current: Floats) -> tuple[float, float]:
    """ROC AUC of the candidate less that of the current scores, and the standard error of this difference (DeLong, 1988)."""
    parts = [_placements(answers, scores) for scores in (candidate, current)]
    yes, no = (parts[0][kind] - parts[1][kind] for kind in (0, 1))
    return float(yes.mean()), float(np.sqrt(yes.var(ddof=1) / len(yes) + no.var(ddof=1) / len(no)))


def _placements(answers: Answers, scores: Floats) -> tuple[Floats, Floats]:
    """Of each yes, the share of no with a lower score; of each no, the share of yes with a higher one; equal ones count half."""
    yes, no = np.sort(scores[answers]), np.sort(scores[~answers])

    def below(values: Floats, others: Floats) -> Floats:
        return (np.searchsorted(others, values, side="left") + np.searchsorted(others, values, side="right")) / (2 * len(others))

    return below(scores[answers], no), 1 - below(scores[~answers], yes)


def loss_difference(answers: Answers, candidate: Floats, current: Floats) -> tuple[float, float]:
    """Log loss of the candidate less that of the current probabilities, and the standard error of this difference."""
    differences = _losses(answers, candidate) - _losses(answers, current)
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))


def _losses(answers: Answers, probability: Floats) -> Floats:
    # Rounded to 6 decimals, a probability may be 0 or 1.
    likelihood = np.where(answers, probability, 1 - probability)
    return -np.log(np.maximum(likelihood, 1e-7))
