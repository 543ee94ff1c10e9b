"""A trained model folder, and the predictions that it makes: the one code behind the online endpoint, the batch jobs and training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble import Ensemble, booster_files, read_ensemble
from player_statistics import Bins, read_bins
from records import Column, Label, Schema, Value, read_schema
from segments import Floats, Segments, read_segments

CONTENT_FILES = ("ensembles.json", "segments.json", "features.json", "statistics.json")
"""What a model folder has beside `model.json` and the boosters that `ensembles.json` names."""
LABELS = ("churn", "purchase")

# How a model fared against the one before it is no part of what it is.
_NOT_IN_VERSION = {"version", "gate"}


class ModelFolderError(ValueError):
    """The folder is not a whole model folder; the message names the folder and what is wrong."""


@dataclass(frozen=True)
class Scores:
    """One label of some players: the probability of yes, and yes or no."""

    probability: Floats
    label: NDArray[np.bool_]


@dataclass(frozen=True)
class Predictions:
    """What the models say of some players, an array a column."""

    churn: Scores
    purchase: Scores
    segment: NDArray[np.intp]
    inputs: Floats
    """What the boosters were given, a row a player and a column a feature."""

    @property
    def probabilities(self) -> dict[str, Floats]:
        return {"churn": self.churn.probability, "purchase": self.purchase.probability}


class Encoder:
    """Turns checked columns into the matrix that boosters take: numbers as they are, categories as the place in `categories`.

    A category that training has not seen is a missing value (NaN), which LightGBM sends down the side of all other categories
    (https://lightgbm.readthedocs.io/en/stable/Advanced-Topics.html#missing-value-handle).
    """

    def __init__(self, features: Sequence[Column], categories: Mapping[str, Sequence[str]]) -> None:
        self._codes = [_Codes(categories[column.name]) if column.type == "category" else None for column in features]
        self.number_places = {column.name: place for place, column in enumerate(features) if column.type == "number"}

    def encode(self, columns: Sequence[Sequence[Value]]) -> Floats:
        """A row a player, a column a feature."""
        matrix = np.empty((len(columns[0]), len(columns)))
        for place, (codes, column) in enumerate(zip(self._codes, columns, strict=True)):
            matrix[:, place] = column if codes is None else list(map(codes.__getitem__, column))
        return matrix


class _Codes(dict[Value, float]):
    """The places of a column's categories; NaN for all others."""

    def __init__(self, categories: Sequence[str]) -> None:
        super().__init__((text, float(code)) for code, text in enumerate(categories))

    def __missing__(self, _: Value) -> float:
        return np.nan


def input_places(schema: Schema, label: Label) -> list[int]:
    """Which features a label's boosters take: all but those that give the label away."""
    return [place for place, column in enumerate(schema.features) if column.name not in label.excludes]


@dataclass(frozen=True)
class Model:
    """The models of one folder."""

    version: str
    schema: Schema
    encoder: Encoder
    ensembles: Mapping[str, Ensemble]
    thresholds: Mapping[str, float]
    segments: Segments
    segment_names: tuple[str, ...]
    bins: Bins

    def predict(self, columns: Sequence[Sequence[Value]]) -> Predictions:
        """Predicts for players given by checked feature columns, in the schema's order.

        A player's prediction is the same to the last bit whoever else is asked for.
        """
        matrix = self.encoder.encode(columns)
        scores = {label.name: self._score(label, matrix) for label in self.schema.labels}
        segment = self.segments.nearest(
            {name: score.probability for name, score in scores.items()},
            {name: matrix[:, place] for name, place in self.encoder.number_places.items()},
        )
        return Predictions(**scores, segment=segment, inputs=matrix)

    def _score(self, label: Label, matrix: Floats) -> Scores:
        probability = self.ensembles[label.name].probability(matrix)
        return Scores(probability, probability >= self.thresholds[label.name])


def find_model_folder(mounted: Path) -> Path:
    """The model folder in AZUREML_MODEL_DIR: itself, or its one folder, as Azure ML mounts a model that is a folder.

    Raises ModelFolderError.
    """
    candidates = [folder for folder in (mounted, *sorted(mounted.glob("*/"))) if (folder / "model.json").is_file()]
    if not candidates:
        raise ModelFolderError(f"{mounted}: there is no model.json here nor in a folder of it; give a folder that ml/train.py wrote")
    if len(candidates) > 1 and candidates[0] != mounted:
        raise ModelFolderError(f"{mounted}: several models ({', '.join(folder.name for folder in candidates)}), expected one")
    return candidates[0]


def load_model(folder: Path) -> Model:
    """Loads a model folder and checks it against its version. Raises ModelFolderError."""
    try:
        contents = {name: (folder / name).read_bytes() for name in CONTENT_FILES}
        described = json.loads((folder / "model.json").read_bytes())
        ensembles = json.loads(contents["ensembles.json"])
        contents |= {name: (folder / name).read_bytes() for content in ensembles.values() for name in booster_files(content)}
    except (OSError, ValueError, LookupError) as error:
        raise ModelFolderError(f"{folder}: not a model folder: {error}; train again") from error
    version = content_version(contents, described)
    if described.get("version") != version:
        raise ModelFolderError(f"{folder}: the files are of version {version}, model.json says {described.get('version')}; train again")
    features = json.loads(contents["features.json"])
    schema = read_schema(features)
    return Model(
        version=version,
        schema=schema,
        encoder=Encoder(schema.features, features["categories"]),
        ensembles={name: read_ensemble(ensembles[name], contents, schema.feature_places) for name in LABELS},
        thresholds=described["thresholds"],
        segments=read_segments(json.loads(contents["segments.json"])),
        segment_names=tuple(segment["name"] for segment in described["segments"]),
        bins=read_bins(json.loads(contents["statistics.json"]), features["categories"]),
    )


def content_version(contents: Mapping[str, bytes], described: Mapping[str, Any]) -> str:
    """The version of a model folder: 12 hexadecimal digits of the SHA-256 over what is in it, but the version itself, the gate's verdict
    and the report."""
    parts = dict(contents) | {"model.json": to_json({name: entry for name, entry in described.items() if name not in _NOT_IN_VERSION})}
    listing = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(parts.items()))
    return sha256(listing.encode()).hexdigest()[:12]


def to_json(content: Any) -> bytes:
    """JSON as the files of a model folder hold it: the same content gives the same bytes."""
    return (json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
