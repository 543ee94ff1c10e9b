"""The report's plots, each as a figure of matplotlib."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from clustering import CurvePoint
from evaluation import BINS, Answers
from segments import Floats

# Told apart by those who see colours otherwise, too (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8c8c8c"
PALETTE = (BLUE, "#e69f00", GREEN, "#cc79a7", ORANGE, "#56b4e9", "#f0e442", "#000000")
_WIDTH = 6.4

Series = Mapping[str, Floats]
"""Probabilities of the same players by the name of who gave them: the new model first, then the current one."""


def _figure(title: str, width: float = _WIDTH, height: float = 4.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=12, loc="left")
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _percent(*axes_axis: object) -> None:
    for axis in axes_axis:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))  # type: ignore[attr-defined]


def _styles(series: Series) -> list[tuple[str, Floats, str, str]]:
    return [(name, scores, *style) for (name, scores), style in zip(series.items(), ((BLUE, "-"), (GREY, "--")), strict=False)]


def roc(label: str, answers: Answers, series: Series, areas: Mapping[str, float]) -> Figure:
    figure, axes = _figure(f"{label}: ROC")
    for name, scores, colour, line in _styles(series):
        false, true, _ = roc_curve(answers, scores)
        axes.plot(false, true, line, color=colour, label=f"{name}, area {areas[name]:.4f}")
    axes.plot([0, 1], [0, 1], ":", color=GREY, label="by chance, area 0.5")
    axes.set_xlabel("players of the other kind who are taken for yes")
    axes.set_ylabel("players of this kind who are found")
    _percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="lower right", frameon=False)
    return figure


def precision_recall(label: str, answers: Answers, series: Series, averages: Mapping[str, float]) -> Figure:
    figure, axes = _figure(f"{label}: precision and recall")
    for name, scores, colour, line in _styles(series):
        precision, recall, _ = precision_recall_curve(answers, scores)
        # The first few players make precision jump: it starts where 20 are chosen.
        found = recall * answers.sum() >= min(20 * precision[0], answers.sum())
        axes.plot(recall[found], precision[found], line, color=colour, label=f"{name}, average precision {averages[name]:.4f}")
    axes.axhline(answers.mean(), linestyle=":", color=GREY, label=f"by chance, {answers.mean():.1%}")
    axes.set_xlabel("recall: share of this kind who are found")
    axes.set_ylabel("precision: share of the chosen who are right")
    _percent(axes.xaxis, axes.yaxis)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02 if answers.mean() > 0.3 else None)
    axes.legend(loc="best", frameon=False)
    return figure


def calibration(label: str, answers: Answers, series: Series, errors: Mapping[str, float]) -> Figure:
    figure, axes = _figure(f"{label}: calibration", height=5.2)
    highest = 0.0
    for name, scores, colour, line in _styles(series):
        # Bins of equally many players: of a rare answer, all are near 0.
        bins = np.array_split(np.argsort(scores, kind="stable"), BINS)
        means = np.array([scores[rows].mean() for rows in bins if len(rows)])
        rates = np.array([answers[rows].mean() for rows in bins if len(rows)])
        spread = np.array([1.96 * np.sqrt(max(answers[rows].mean() * (1 - answers[rows].mean()), 1e-9) / len(rows)) for rows in bins if len(rows)])
        axes.errorbar(means, rates, spread, fmt=f"o{line}", color=colour, capsize=2, label=f"{name}, expected calibration error {errors[name]:.4f}")
        highest = max(highest, float(np.max(rates + spread)), float(means.max()))
    highest = min(1.0, highest * 1.05)
    axes.plot([0, highest], [0, highest], ":", color=GREY, label="as foretold")
    axes.set_xlim(0, highest * 1.01)
    axes.set_ylim(0, highest * 1.01)
    axes.set_xlabel("mean probability, a tenth of the players a point")
    axes.set_ylabel("share who did it, with 95 % interval")
    _percent(axes.xaxis, axes.yaxis)
    axes.legend(loc="upper left", frameon=False)
    return figure


def gain_and_lift(label: str, answers: Answers, scores: Floats, who: str) -> Figure:
    """Gain and lift by tenths of the players, those with the highest probability first. `who` is the plural of a yes."""
    figure = Figure(figsize=(2 * _WIDTH * 0.8, 4.4), layout="constrained")
    gains, lifts = figure.subplots(1, 2)
    shares = np.arange(1, 11) / 10
    ranked = answers[np.argsort(-scores, kind="stable")]
    tenths = np.array_split(ranked, 10)
    found = np.cumsum([part.sum() for part in tenths]) / answers.sum()
    gains.plot(np.append(0, shares), np.append(0, found), "o-", color=BLUE, label="the model")
    best = np.minimum(1, np.append(0, shares) / answers.mean())
    gains.plot(np.append(0, shares), best, "--", color=GREEN, label="knowing all")
    gains.plot([0, 1], [0, 1], ":", color=GREY, label="by chance")
    gains.annotate(f"{found[0]:.0%}", (0.1, found[0]), xytext=(6, -12), textcoords="offset points", color=BLUE)
    gains.set_title(f"{label}: gain", fontsize=12, loc="left")
    gains.set_xlabel("share of the players who are contacted, most likely first")
    gains.set_ylabel(f"share of the {who} who are reached")
    gains.legend(loc="lower right", frameon=False)
    _percent(gains.xaxis, gains.yaxis)
    lift = np.array([part.mean() for part in tenths]) / answers.mean()
    bars = lifts.bar(np.arange(1, 11), lift, color=BLUE)
    lifts.bar_label(bars, [f"{value:.2f}" for value in lift], fontsize=8)
    lifts.axhline(1, linestyle=":", color=GREY)
    lifts.set_xticks(np.arange(1, 11))
    lifts.set_title(f"{label}: lift", fontsize=12, loc="left")
    lifts.set_xlabel("tenth of the players, most likely first")
    lifts.set_ylabel("times the share among all players")
    for axes in (gains, lifts):
        _plain(axes)
    return figure


def contributions(label: str, names: Sequence[str], values: Floats, shap: Floats, is_category: Sequence[bool]) -> Figure:
    """SHAP values: a dot a player and feature. The colour is the feature's rank among the players, low to high; of categories, grey."""
    order = np.argsort(np.abs(shap).mean(axis=0))
    figure = Figure(figsize=(2 * _WIDTH * 0.8, 0.42 * len(names) + 1.6), layout="constrained")
    bars, dots = figure.subplots(1, 2, sharey=True, width_ratios=(1, 2))
    places = np.arange(len(names))
    bars.barh(places, np.abs(shap).mean(axis=0)[order], color=BLUE)
    bars.set_yticks(places, [names[feature] for feature in order])
    bars.set_title(f"{label}: what moves the score", fontsize=12, loc="left")
    bars.set_xlabel("mean |SHAP value|, log-odds")
    drawn = None
    for place, feature in enumerate(order):
        height = place + _jitter(shap[:, feature])
        if is_category[feature]:
            dots.scatter(shap[:, feature], height, s=5, color=GREY, linewidths=0)
        else:
            ranks = np.searchsorted(np.sort(values[:, feature]), values[:, feature]) / len(values)
            drawn = dots.scatter(shap[:, feature], height, s=5, c=ranks, cmap="coolwarm", vmin=0, vmax=1, linewidths=0)
    dots.axvline(0, color="black", linewidth=0.6)
    dots.set_xlabel("SHAP value of each player, log-odds")
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=dots, ticks=[0, 1], aspect=40, pad=0.01)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value (categories: grey)", labelpad=-18)
    for axes in (bars, dots):
        _plain(axes)
    return figure


def _jitter(values: Floats) -> Floats:
    """Up and down by how many others are near, so that dots do not hide each other."""
    edges = np.histogram_bin_edges(values, 60)
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, 59)
    counts = np.bincount(bins, minlength=60)
    within = np.empty(len(values))
    for number in np.unique(bins):
        rows = np.flatnonzero(bins == number)
        within[rows] = (np.arange(len(rows)) - (len(rows) - 1) / 2) / max(1, counts.max())
    return within * 0.8


def segment_scatter(churn: Floats, purchase: Floats, segment: NDArray[np.intp], names: Sequence[str]) -> Figure:
    figure, axes = _figure("segments: players by their two scores", width=2 * _WIDTH * 0.8, height=5.6)
    for number, name in enumerate(names):
        inside = segment == number
        axes.scatter(churn[inside], purchase[inside], s=7, color=PALETTE[number % len(PALETTE)], alpha=0.55, linewidths=0, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("probability of leaving")
    axes.set_ylabel("probability of paying (logarithmic)")
    _percent(axes.xaxis)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=2.5)
    return figure


def segment_profiles(names: Sequence[str], columns: Sequence[str], numbers: Floats, texts: Sequence[Sequence[str]]) -> Figure:
    """A row a segment, a column a figure. The colour is how far it is from all players' mean, in standard deviations."""
    figure = Figure(figsize=(2 * _WIDTH * 0.8, 0.55 * len(names) + 1.9), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.clip(numbers, -2, 2), cmap="coolwarm", vmin=-2, vmax=2, aspect="auto")
    axes.set_xticks(np.arange(len(columns)), columns, rotation=18, ha="right")
    axes.set_yticks(np.arange(len(names)), names)
    for (row, column), number in np.ndenumerate(numbers):
        axes.text(column, row, texts[row][column], ha="center", va="center", color="white" if abs(number) > 1.4 else "black", fontsize=9)
    axes.set_title("segments: their players' means", fontsize=12, loc="left")
    figure.colorbar(image, ax=axes, label="standard deviations from\nthe mean of all players", pad=0.01)
    return figure


def segment_curve(curve: Sequence[CurvePoint], chosen: int, stable: float) -> Figure:
    figure = Figure(figsize=(2 * _WIDTH * 0.8, 3.4), layout="constrained")
    counts = [point.count for point in curve]
    figures = (
        ("silhouette (decides)", [point.silhouette for point in curve]),
        ("stability: adjusted Rand index", [point.stability for point in curve]),
        ("Calinski-Harabasz index", [point.calinski_harabasz for point in curve]),
    )
    for axes, (title, values) in zip(figure.subplots(1, 3), figures, strict=True):
        axes.plot(counts, values, "o-", color=BLUE)
        axes.plot(chosen, values[counts.index(chosen)], "o", color=ORANGE, markersize=9)
        axes.set_title(title, fontsize=11, loc="left")
        axes.set_xlabel("segments (orange: chosen)")
        axes.set_xticks(counts)
        if title.startswith("stability"):
            axes.axhline(stable, linestyle=":", color=GREY)
            axes.set_ylim(min(*values, stable) - 0.05, 1.02)
        _plain(axes)
    return figure
