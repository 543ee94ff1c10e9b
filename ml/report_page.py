"""The report's page."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from gate import Check, Comparison

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid #e3e3e3; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
img { max-width: 100%; } .pair { display: flex; flex-wrap: wrap; gap: 1rem; } .pair img { max-width: 570px; width: 100%; }
.headline { font-size: 1.25rem; } .passed { color: #00704f; } .failed { color: #b3261e; font-weight: bold; } .quiet { color: #666; }
"""
_METRICS = {
    "baseRate": "share of yes among the players",
    "rocAuc": "ROC AUC",
    "logLoss": "log loss",
    "averagePrecision": "average precision",
    "brierScore": "Brier score",
    "calibrationError": "expected calibration error",
    "gainOfTopTenth": "reached by the top 10 %",
    "f1": "F1 at the threshold",
}


def page(
    described: Mapping[str, Any],
    headlines: Sequence[str],
    checks: Sequence[Check],
    comparison: Comparison | None,
    images: Mapping[str, str],
) -> str:
    """HTML that needs nothing beside it. `images` are the plots as URLs of their data, by name."""
    players = described["players"]
    parts = [
        f"<h1>Models {escape(described['version'])}</h1>",
        f'<p class="quiet">{players["train"]:,} players to train on, {players["test"]:,} held out, by whom all is measured here; '
        f"{players['rejected']:,} rows rejected. Data {escape(described['dataHash'][:12])}, seed {described['settings']['seed']}.</p>",
        *(f'<p class="headline">{escape(line)}</p>' for line in headlines),
        "<h2>Gate</h2>",
        _verdict(described["gate"], comparison),
        _check_table(checks),
    ]
    for name in described["metrics"]:
        parts += [
            f"<h2>{escape(name.capitalize())}</h2>",
            _metric_table(described["metrics"][name], None if comparison is None else comparison.metrics[name]),
            f"<p>Calibration: {escape(_calibration(described['calibration'][name]))}</p>",
            f'<div class="pair">{_image(images, f"{name}-roc")}{_image(images, f"{name}-precision-recall")}</div>',
            _image(images, f"{name}-gain"),
            _image(images, f"{name}-calibration"),
            _image(images, f"{name}-shap"),
        ]
    parts += [
        "<h2>Segments</h2>",
        f"<p>Stability (adjusted Rand index over seeds): {described['clustering']['stability']:.3f}.</p>",
        _image(images, "segment-profiles"),
        _image(images, "segment-scatter"),
        _image(images, "segment-curve") if "segment-curve" in images else "",
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>Models {escape(described["version"])}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _verdict(gate: Mapping[str, Any], comparison: Comparison | None) -> str:
    beside = "There is no current model to compare with." if comparison is None else f"Compared with the current model {escape(comparison.version)}."
    if gate["passed"]:
        return f'<p><span class="passed">Passed.</span> {beside}</p>'
    said = "Refused, and accepted by hand." if gate["accepted"] else "Refused."
    return f'<p><span class="failed">{said}</span> {beside}</p><ul>{"".join(f"<li>{escape(reason)}</li>" for reason in gate["reasons"])}</ul>'


def _check_table(checks: Sequence[Check]) -> str:
    rows = (
        (
            check.what,
            f"{check.candidate:.4f}",
            "-" if check.current is None else f"{check.current:.4f}",
            check.limit,
            "passed" if check.passed else "failed",
        )
        for check in checks
    )
    return _table(("check", "this model", "current model", "expected", ""), rows)


def _metric_table(metrics: Mapping[str, float], current: Mapping[str, float] | None) -> str:
    rows = ((_METRICS[metric], f"{value:.4f}", "-" if current is None else f"{current[metric]:.4f}") for metric, value in metrics.items())
    return _table(("", "this model", "current model"), rows)


def _calibration(chosen: Mapping[str, Any]) -> str:
    losses = ", ".join(f"{method} {loss:.5f}" for method, loss in chosen["logLoss"].items())
    return f"{chosen['method']}, chosen by cross-validated log loss ({losses})."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{_class(place, cell)}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells)) + "</tr>"

    return f"<table>{line(header, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _class(place: int, cell: str) -> str:
    if cell in ("passed", "failed"):
        return f' class="{cell}"'
    return ' class="number"' if place in (1, 2) else ""


def _image(images: Mapping[str, str], name: str) -> str:
    return f'<img alt="{escape(name.replace("-", " "))}" src="{images[name]}">'
