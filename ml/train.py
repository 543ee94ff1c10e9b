"""Trains the models of churn, purchase and segments and writes them as one folder, named by its content.

    python train.py --data FILE [FILE ...] --out DIR [--seed N]

Exit codes: 0, a model folder was written; 2, the data or the arguments are wrong (one line says how), and nothing was written.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openmp  # before lightgbm and scikit-learn
import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import average_precision_score, f1_score, log_loss, precision_recall_curve, roc_auc_score
from threadpoolctl import threadpool_limits

from arguments import whole_number
from model import LABELS, booster_probability, content_version, input_places, to_json
from player_statistics import Statistics, make_bins
from profiles import Profile, segment_names
from records import SCHEMA_FILE, Label, Schema, read_schema
from segments import Floats, SegmentInput, Segments, raw_inputs
from training_data import DataError, TrainingData, read_training_data

# No weights for the rare answer: they would bend the probabilities. The threshold, chosen for F1, makes up for the imbalance.
BOOSTER_SETTINGS: dict[str, dict[str, Any]] = {
    "churn": {"learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20, "feature_fraction": 0.5, "cat_smooth": 20, "cat_l2": 20},
    "purchase": {"learning_rate": 0.05, "num_leaves": 4, "min_data_in_leaf": 50, "feature_fraction": 0.4, "cat_smooth": 20},
}
ROUNDS = {"most": 1500, "without_gain": 100}
# Below so many players threads wait for each other longer than they work, many times so on a busy machine.
PLAYERS_FOR_THREADS = 200_000
SEGMENT_COUNT = 5
SEGMENT_INPUTS = (
    SegmentInput("score", "churn", log=False),
    SegmentInput("score", "purchase", log=True),
    SegmentInput("feature", "age", log=False),
    SegmentInput("feature", "purchase_num", log=True),
    SegmentInput("feature", "item_purchase_num_in_90_days", log=False),
    SegmentInput("feature", "game_play_num_per_week", log=False),
)
_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy")
# Below this many digits, results of one machine and another may differ.
_CENTRE_DECIMALS = 6


def train(paths: Sequence[Path], out: Path, seed: int) -> dict[str, Any]:
    """Trains on files or folders of players, replaces the folder `out` and returns what its `model.json` holds.

    Raises DataError, or OSError when `out` cannot be written; `out` is then as it was.
    """
    _check_out(out)
    features = json.loads(SCHEMA_FILE.read_bytes())
    schema = read_schema(features)
    data = read_training_data(paths, schema, seed)
    boosters = {label.name: _fit_booster(schema, label, data, seed) for label in schema.labels}
    scores = {label.name: booster_probability(boosters[label.name], data.matrix[:, input_places(schema, label)]) for label in schema.labels}
    thresholds = {name: _best_threshold(data, name, probability) for name, probability in scores.items()}
    segments, profiles = _fit_segments(schema, data, scores, seed)
    names = segment_names(profiles, float(data.labels["purchase"].mean()))

    contents = {
        **{f"{name}.txt": boosters[name].model_to_string().encode() for name in LABELS},
        "segments.json": to_json(segments.to_json()),
        "features.json": to_json(features | {"categories": data.categories}),
        "statistics.json": to_json(_statistics(schema, data, scores, segments)),
    }
    described = {
        "thresholds": thresholds,
        "segments": [
            {"id": number, "name": name, "profile": _rounded_profile(profile)}
            for number, (name, profile) in enumerate(zip(names, profiles, strict=True))
        ],
        "metrics": {name: _metrics(data, name, probability, thresholds[name]) for name, probability in scores.items()},
        "dataHash": data.hash,
        "players": {name: len(rows) for name, rows in data.parts.items()} | {"rejected": len(data.rejections)},
        "settings": {"seed": seed, "boosters": BOOSTER_SETTINGS, "rounds": ROUNDS, "segments": SEGMENT_COUNT},
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    described = {"version": content_version(contents, described)} | described
    _write_folder(out, contents | {"model.json": to_json(described)})
    _report_rejections(data)
    return described


def _fit_booster(schema: Schema, label: Label, data: TrainingData, seed: int) -> lightgbm.Booster:
    places = input_places(schema, label)
    inputs = [schema.features[place] for place in places]
    categories = [number for number, column in enumerate(inputs) if column.type == "category"]
    parameters = {
        "objective": "binary",
        "metric": "binary_logloss",
        "seed": seed,
        # The same trees on any machine. The number of threads stands in the model's text, so it must not be the number of cores.
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1 if len(data.matrix) < PLAYERS_FOR_THREADS else 0,
        "verbosity": -1,
        **BOOSTER_SETTINGS[label.name],
    }

    def dataset(part: str, reference: lightgbm.Dataset | None) -> lightgbm.Dataset:
        rows = data.parts[part]
        return lightgbm.Dataset(
            data.matrix[np.ix_(rows, places)],
            data.labels[label.name][rows].astype(float),
            reference=reference,
            feature_name=[column.name for column in inputs],
            categorical_feature=categories,
            params=parameters,
        )

    fitted = dataset("train", None)
    booster = lightgbm.train(
        parameters,
        fitted,
        ROUNDS["most"],
        valid_sets=[dataset("validation", fitted)],
        callbacks=[lightgbm.early_stopping(ROUNDS["without_gain"], verbose=False)],
    )
    # Through its text, so that what is measured here is what the folder gives.
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))


def _best_threshold(data: TrainingData, name: str, probability: Floats) -> float:
    """The threshold of the greatest F1 on the validation part; a probability equal to it counts as yes."""
    rows = data.parts["validation"]
    precision, recall, thresholds = precision_recall_curve(data.labels[name][rows], probability[rows])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[np.argmax(f1[:-1])])


def _fit_segments(schema: Schema, data: TrainingData, scores: Mapping[str, Floats], seed: int) -> tuple[Segments, list[Profile]]:
    rows = data.parts["train"]
    features = {column.name: data.matrix[:, place] for place, column in enumerate(schema.features) if column.type == "number"}
    raw = raw_inputs(SEGMENT_INPUTS, scores, features)
    means = np.round(raw[rows].mean(axis=0), _CENTRE_DECIMALS)
    deviations = np.round(raw[rows].std(axis=0), _CENTRE_DECIMALS)
    scales = np.where(deviations > 0, deviations, 1.0)
    scaled = (raw - means) / scales
    count = min(SEGMENT_COUNT, len(np.unique(scaled[rows], axis=0)))
    # One thread: several add up their parts in the order in which they end.
    with threadpool_limits(1):
        centres = KMeans(count, n_init=10, random_state=seed).fit(scaled[rows]).cluster_centers_
    segments = Segments(SEGMENT_INPUTS, means, scales, np.round(centres, _CENTRE_DECIMALS))
    members = np.bincount(segments.nearest(scores, features)[rows], minlength=count)
    segments = Segments(SEGMENT_INPUTS, means, scales, segments.centres[np.argsort(-members, kind="stable")])
    nearest = segments.nearest(scores, features)
    return segments, [_profile(data, scores, scaled, nearest, number) for number in range(count)]


def _profile(data: TrainingData, scores: Mapping[str, Floats], scaled: Floats, nearest: NDArray[np.intp], number: int) -> Profile:
    train = data.parts["train"]
    rows = train[nearest[train] == number]
    return Profile(
        share=len(rows) / len(train),
        churn=float(scores["churn"][rows].mean()),
        purchase=float(scores["purchase"][rows].mean()),
        paid=float(data.labels["purchase"][rows].mean()),
        deviations={entry.name: float(scaled[rows, axis].mean()) for axis, entry in enumerate(SEGMENT_INPUTS) if entry.source == "feature"},
    )


def _statistics(schema: Schema, data: TrainingData, scores: Mapping[str, Floats], segments: Segments) -> dict[str, Any]:
    """What later days are compared with: the inputs of all players, and the scores of those that the boosters were not fitted to, who
    are scored as strangers are."""
    rows = np.concatenate([data.parts["validation"], data.parts["test"]])
    held_out = {name: probability[rows] for name, probability in scores.items()}
    features = {column.name: data.matrix[rows, place] for place, column in enumerate(schema.features) if column.type == "number"}
    statistics = Statistics(schema, make_bins(schema, data.categories, data.matrix, held_out, len(segments.centres)))
    statistics.add_inputs(data.matrix)
    statistics.add_scores(held_out, segments.nearest(held_out, features))
    return statistics.to_json()


def _rounded_profile(profile: Profile) -> dict[str, Any]:
    numbers = {"share": profile.share, "churn": profile.churn, "purchase": profile.purchase, "paid": profile.paid}
    return {
        **{name: round(number, 4) for name, number in numbers.items()},
        "deviations": {name: round(number, 4) for name, number in profile.deviations.items()},
    }


def _metrics(data: TrainingData, name: str, probability: Floats, threshold: float) -> dict[str, float]:
    """What the booster is worth on the part that nothing was fitted to or chosen by."""
    rows = data.parts["test"]
    answers, guesses = data.labels[name][rows], probability[rows]
    metrics = {
        "baseRate": answers.mean(),
        "rocAuc": roc_auc_score(answers, guesses),
        "logLoss": log_loss(answers, guesses),
        "averagePrecision": average_precision_score(answers, guesses),
        "f1": f1_score(answers, guesses >= threshold, zero_division=0),
    }
    return {metric: round(float(number), 6) for metric, number in metrics.items()}


def _check_out(out: Path) -> None:
    """What is no model's is not to be replaced. Raises DataError."""
    if out.exists() and not (out / "model.json").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is there and no model folder; give --out a new folder or one of an earlier model")


def _write_folder(out: Path, contents: Mapping[str, bytes]) -> None:
    """Puts a new folder in the place of the old one: at any moment, what is there is whole."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
        fresh, former = Path(temporary, "fresh"), Path(temporary, "former")
        fresh.mkdir()
        for name, content in contents.items():
            (fresh / name).write_bytes(content)
        if out.exists():
            os.rename(out, former)
        os.rename(fresh, out)
        shutil.rmtree(former, ignore_errors=True)


def _report_rejections(data: TrainingData) -> None:
    for path, rejection in data.rejections[:5]:
        print(f"rejected {path}:{rejection.line}: {rejection.reason}")
    if len(data.rejections) > 5:
        print(f"rejected {len(data.rejections)} rows in all")


def _report(described: Mapping[str, Any], out: Path, seconds: float) -> None:
    players = described["players"]
    print(f"players   {players['train']} train, {players['validation']} validation, {players['test']} test, {players['rejected']} rejected")
    for name, metrics in described["metrics"].items():
        numbers = ", ".join(f"{metric} {number:.4f}" for metric, number in metrics.items())
        print(f"{name:<9} {numbers}, threshold {described['thresholds'][name]:.6f}")
    for segment in described["segments"]:
        print(f"segment {segment['id']} {segment['profile']['share']:6.1%}  {segment['name']}")
    print(f"model {described['version']} written to {out} in {seconds:.1f} s")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="train", description="Trains the models on players whose answers are known.")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="files (CSV, JSON Lines, either gzipped) or folders of them")
    parser.add_argument("--out", type=Path, default=Path("model"), help="folder to write, replacing an earlier model (default: model)")
    parser.add_argument("--seed", type=whole_number, default=1, help="decides the parts and the fits (default: 1)")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        described = train(options.data, options.out, options.seed)
    except (DataError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    _report(described, options.out, time.monotonic() - start)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
