"""The report of a training: one page of HTML that needs nothing beside it, and its plots as PNG."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import plots
from boosting import Boosting
from clustering import SEGMENT_INPUTS, STABLE, number_features
from fitting import Fitted, FittedLabel
from gate import Check, Comparison
from records import Schema
from report_page import page
from segments import Floats
from training_data import TrainingData

LEAVERS_AND_PAYERS = {"churn": "leavers", "purchase": "payers"}
_SHAP_PLAYERS = 800
_SCATTER_PLAYERS = 4_000


def make_report(
    schema: Schema,
    data: TrainingData,
    fitted: Fitted,
    described: Mapping[str, Any],
    checks: Sequence[Check],
    comparison: Comparison | None,
) -> dict[str, bytes]:
    """The files of the report by name. All of it is about the players of the test part."""
    figures: dict[str, Figure] = {}
    headlines: list[str] = []
    for name, label in fitted.labels.items():
        figures |= _label_figures(schema, data, name, label, described, comparison)
        reached = described["metrics"][name]["gainOfTopTenth"]
        who = LEAVERS_AND_PAYERS[name]
        headlines.append(f"Contact the 10 % of players most likely to be {who} and you reach {reached:.0%} of the {who}.")
    figures |= _segment_figures(schema, data, fitted, [segment["name"] for segment in described["segments"]])
    images = {name: _png(figure) for name, figure in figures.items()}
    inline = {name: f"data:image/png;base64,{base64.b64encode(image).decode()}" for name, image in images.items()}
    html = page(described, headlines, checks, comparison, inline)
    return {"report/index.html": html.encode()} | {f"report/{name}.png": image for name, image in images.items()}


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without matplotlib's version in it: the same plot is the same file.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _label_figures(
    schema: Schema, data: TrainingData, name: str, label: FittedLabel, described: Mapping[str, Any], comparison: Comparison | None
) -> dict[str, Figure]:
    test = data.parts["test"]
    answers, scores = data.labels[name][test], label.scores[test]
    metrics = {"this model": described["metrics"][name]}
    series = {"this model": scores}
    if comparison is not None:
        series["current model"] = comparison.scores[name]
        metrics["current model"] = comparison.metrics[name]

    def by_model(metric: str) -> dict[str, float]:
        return {model: values[metric] for model, values in metrics.items()}

    return {
        f"{name}-roc": plots.roc(name, answers, series, by_model("rocAuc")),
        f"{name}-precision-recall": plots.precision_recall(name, answers, series, by_model("averagePrecision")),
        f"{name}-calibration": plots.calibration(name, answers, series, by_model("calibrationError")),
        f"{name}-gain": plots.gain_and_lift(name, answers, scores, LEAVERS_AND_PAYERS[name]),
        f"{name}-shap": _contributions(schema, data, name, label),
    }


def _contributions(schema: Schema, data: TrainingData, name: str, label: FittedLabel) -> Figure:
    rows = data.parts["test"][:_SHAP_PLAYERS]
    inputs = data.matrix[np.ix_(rows, label.boosting.places)]
    features = [schema.features[place] for place in label.boosting.places]
    names, is_category = [feature.name for feature in features], [feature.type == "category" for feature in features]
    if label.before is not None:
        inputs = np.column_stack([inputs, label.before.log_odds[rows]])
        names, is_category = [*names, "estimated log-odds of churn"], [*is_category, False]
    return plots.contributions(name, names, inputs, _shap(label.boosting, inputs), is_category)


def _shap(boosting: Boosting, inputs: Floats) -> Floats:
    """SHAP values (TreeSHAP, Lundberg et al., 2020), the mean over the boosters, without the column of the base value."""
    values = [np.asarray(booster.predict(inputs, pred_contrib=True, num_threads=1)) for booster in boosting.boosters]
    return np.mean(values, axis=0)[:, :-1]


def _segment_figures(schema: Schema, data: TrainingData, fitted: Fitted, names: Sequence[str]) -> dict[str, Figure]:
    clustering, scores = fitted.clustering, fitted.scores
    few = data.parts["test"][:_SCATTER_PLAYERS]
    nearest = clustering.segments.nearest(scores, number_features(schema, data.matrix))
    figures = {
        "segment-scatter": plots.segment_scatter(scores["churn"][few], scores["purchase"][few], nearest[few], names),
        "segment-profiles": _profiles(schema, data, fitted, names, nearest[data.parts["train"]]),
    }
    if clustering.curve:
        figures["segment-curve"] = plots.segment_curve(clustering.curve, len(names), STABLE)
    return figures


def _profiles(schema: Schema, data: TrainingData, fitted: Fitted, names: Sequence[str], nearest: NDArray[np.intp]) -> Figure:
    """`nearest` are the segments of the training part."""
    train = data.parts["train"]
    features = number_features(schema, data.matrix)
    columns: list[tuple[str, Floats, str]] = []
    for entry in SEGMENT_INPUTS:
        is_score = entry.source == "score"
        values = (fitted.scores if is_score else features)[entry.name][train]
        columns.append((f"{entry.name} score" if is_score else entry.name, values, "{:.1%}" if is_score else "{:,.1f}"))
    columns.append(("have paid", data.labels["purchase"][train].astype(float), "{:.1%}"))
    groups = range(len(names))
    numbers = np.array([[(values[nearest == group].mean() - values.mean()) / (values.std() or 1.0) for _, values, _ in columns] for group in groups])
    texts = [[form.format(values[nearest == group].mean()) for _, values, form in columns] for group in groups]
    shares = [f"{name}  ({np.mean(nearest == group):.0%})" for group, name in enumerate(names)]
    return plots.segment_profiles(shares, [title for title, _, _ in columns], numbers, texts)
