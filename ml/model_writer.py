"""Writes what was fitted as a model folder."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from boosting import ROUNDS
from clustering import SEGMENT_INPUTS, Clustering, number_features
from ensemble import read_ensemble
from evaluation import evaluate
from fitting import Fitted, ensembles_json
from model import content_version, to_json
from player_statistics import Statistics, make_bins
from profiles import Profile, segment_names
from records import SCHEMA_FILE, Schema
from segments import Segments
from settings import BoosterSettings
from training_data import FOLDS, TEST_SHARE, DataError, TrainingData

_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy")


def model_contents(
    schema: Schema, data: TrainingData, fitted: Fitted, settings: BoosterSettings, seed: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What `model.json` tells of the models, the gate's verdict aside, and the folder's other files by name."""
    features = json.loads(SCHEMA_FILE.read_bytes())
    ensembles, boosters = ensembles_json(schema, fitted)
    contents = {
        **boosters,
        "ensembles.json": to_json(ensembles),
        "segments.json": to_json(fitted.clustering.segments.to_json()),
        "features.json": to_json(features | {"categories": data.categories}),
        "statistics.json": to_json(_statistics(schema, data, fitted.clustering.segments, ensembles, boosters)),
    }
    test = data.parts["test"]
    described = {
        "thresholds": {name: label.threshold for name, label in fitted.labels.items()},
        "segments": _segments(fitted.clustering, float(data.labels["purchase"].mean())),
        "metrics": {
            name: evaluate(data.labels[name][test], label.scores[test], label.threshold) for name, label in fitted.labels.items()
        },
        "calibration": {
            name: {"method": label.calibration.method, "logLoss": dict(label.calibration_losses)} for name, label in fitted.labels.items()
        },
        "clustering": _clustering(fitted.clustering),
        "dataHash": data.hash,
        "players": {name: len(rows) for name, rows in data.parts.items()} | {"rejected": len(data.rejections)},
        "settings": {
            "seed": seed,
            "testShare": TEST_SHARE,
            "folds": FOLDS,
            "boosters": settings,
            "rounds": ROUNDS,
            "segmentInputs": [entry.name for entry in SEGMENT_INPUTS],
        },
        "rounds": {
            name: {"churn": label.before.rounds, name: label.boosting.rounds} if label.before else {name: label.boosting.rounds}
            for name, label in fitted.labels.items()
        },
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    return {"version": content_version(contents, described)} | described, contents


def _segments(clustering: Clustering, purchase_rate: float) -> list[dict[str, Any]]:
    names = segment_names(clustering.profiles, purchase_rate)
    return [
        {"id": number, "name": name, "profile": _rounded(profile)}
        for number, (name, profile) in enumerate(zip(names, clustering.profiles, strict=True))
    ]


def _rounded(profile: Profile) -> dict[str, Any]:
    numbers = {"share": profile.share, "churn": profile.churn, "purchase": profile.purchase, "paid": profile.paid}
    return {
        **{name: round(number, 4) for name, number in numbers.items()},
        "deviations": {name: round(number, 4) for name, number in profile.deviations.items()},
    }


def _clustering(clustering: Clustering) -> dict[str, Any]:
    curve = [
        {
            "segments": point.count,
            "silhouette": point.silhouette,
            "calinskiHarabasz": point.calinski_harabasz,
            "stability": point.stability,
        }
        for point in clustering.curve
    ]
    return {"stability": clustering.stability, "curve": curve}


def _statistics(
    schema: Schema, data: TrainingData, segments: Segments, ensembles: Mapping[str, Any], boosters: Mapping[str, bytes]
) -> dict[str, Any]:
    """What later days are compared with. All players are scored as a day's are, most of which are the same players: by all boosters,
    not, as for the metrics, by the one that a player was held back from. One scatters more than the mean of five, which would look like a
    drift."""
    scores = {name: read_ensemble(content, boosters, schema.feature_places).probability(data.matrix) for name, content in ensembles.items()}
    statistics = Statistics(schema, make_bins(schema, data.categories, data.matrix, scores, len(segments.centres)))
    statistics.add_inputs(data.matrix)
    statistics.add_scores(scores, segments.nearest(scores, number_features(schema, data.matrix)))
    return statistics.to_json()


def check_out(out: Path) -> None:
    """What is no model's is not to be replaced. Raises DataError."""
    if out.exists() and not (out / "model.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is there and no model folder; give --out a new folder or one of an earlier model")


def write_folder(out: Path, contents: Mapping[str, bytes]) -> None:
    """Puts a new folder in the place of the old one: at any moment, what is there is whole."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
        fresh, former = Path(temporary, "fresh"), Path(temporary, "former")
        for name, content in contents.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if out.exists():
            os.rename(out, former)
        os.rename(fresh, out)
        shutil.rmtree(former, ignore_errors=True)
