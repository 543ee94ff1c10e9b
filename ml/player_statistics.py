"""Counts of players, a column and a score at a time, by which one day is compared with the training data.

Their file, `statistics.json` of a model folder and one an input file in a batch job's output, is

    {"shape": 1, "modelVersion"?, "players",
     "features": {"age": {"type": "number", "edges": [..], "counts": [..], "missing", "sum"},
                  "country": {"type": "category", "counts": {"Korea": 7}, "unseen": {"Atlantis": 1}, "unseenOthers", "missing"}},
     "scores": {"churn": {"edges": [..], "counts": [..], "sum"}},
     "segments": [..]}

A bin takes in its upper edge, and `counts` has one more than `edges`, for what is above the last: so a value that half of the players have
gets a bin whose end it is. Edges and categories are those of training, whatever is counted: counts of the same model add up.
`functions/drift/statistics.ts` reads this.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from records import Schema, Value
from segments import Floats

SHAPE = 1
BIN_COUNT = 10
UNSEEN_TEXTS = 100
"""Of how many categories that training has not seen the texts are kept, a column; players of others are counted without."""


@dataclass(frozen=True)
class Bins:
    """How players are counted: upper edges of the bins of each number and each score, the categories of each other column."""

    numbers: Mapping[str, Floats]
    categories: Mapping[str, Sequence[str]]
    scores: Mapping[str, Floats]
    segments: int


def make_bins(schema: Schema, categories: Mapping[str, Sequence[str]], matrix: Floats, scores: Mapping[str, Floats], segments: int) -> Bins:
    """Bins of about equally many players: those of `matrix`, a column a feature, and of `scores`."""
    numbers = {column.name: _edges(matrix[:, place]) for place, column in enumerate(schema.features) if column.type == "number"}
    return Bins(numbers, categories, {name: _edges(probability) for name, probability in scores.items()}, segments)


def read_bins(statistics: Mapping[str, Any], categories: Mapping[str, Sequence[str]]) -> Bins:
    """The bins of a model folder's `statistics.json`."""
    numbers = {name: np.array(entry["edges"]) for name, entry in statistics["features"].items() if entry["type"] == "number"}
    scores = {name: np.array(entry["edges"]) for name, entry in statistics["scores"].items()}
    return Bins(numbers, categories, scores, len(statistics["segments"]))


def _edges(values: Floats) -> Floats:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return np.empty(0)
    # Only values that there are: a mean of two neighbours would be another number on another machine.
    edges = np.unique(np.quantile(known, np.arange(1, BIN_COUNT) / BIN_COUNT, method="inverted_cdf"))
    return edges[edges < known.max()]


class Statistics:
    """Counts players as they come."""

    def __init__(self, schema: Schema, bins: Bins) -> None:
        self._schema = schema
        self._bins = bins
        self._players = 0
        self._features: dict[str, _Histogram | _Categories] = {
            column.name: _Histogram(bins.numbers[column.name]) if column.type == "number" else _Categories(bins.categories[column.name])
            for column in schema.features
        }
        self._scores = {name: _Histogram(edges) for name, edges in bins.scores.items()}
        self._segments = np.zeros(bins.segments, dtype=np.int64)

    def add(self, inputs: Floats, scores: Mapping[str, Floats], segment: NDArray[np.intp], columns: Sequence[Sequence[Value]]) -> None:
        """Counts predictions with what they were made from: both `inputs`, as the boosters took them, and `columns`, as they came."""
        self.add_inputs(inputs, columns)
        self.add_scores(scores, segment)

    def add_inputs(self, matrix: Floats, columns: Sequence[Sequence[Value]] | None = None) -> None:
        """Counts inputs, encoded as boosters take them: a row a player. `columns`, before they were encoded, tell what the categories are
        that training has not seen."""
        self._players += len(matrix)
        for place, counts in enumerate(self._features.values()):
            if isinstance(counts, _Histogram):
                counts.add(matrix[:, place])
            else:
                counts.add(matrix[:, place], None if columns is None else columns[place])

    def add_scores(self, scores: Mapping[str, Floats], segment: NDArray[np.intp]) -> None:
        """Counts what the models said of players."""
        for name, counts in self._scores.items():
            counts.add(scores[name])
        self._segments += np.bincount(segment, minlength=len(self._segments))

    def to_json(self, model_version: str | None = None) -> dict[str, Any]:
        """The content of the file. The model's version, which follows from the folder's files, cannot stand in one of them."""
        return {
            "shape": SHAPE,
            **({} if model_version is None else {"modelVersion": model_version}),
            "players": self._players,
            "features": {name: counts.to_json() for name, counts in self._features.items()},
            "scores": {name: counts.to_score_json() for name, counts in self._scores.items()},
            "segments": self._segments.tolist(),
        }


class _Histogram:
    def __init__(self, edges: Floats) -> None:
        self._edges = edges
        self._counts = np.zeros(len(edges) + 1, dtype=np.int64)
        self._missing = 0
        self._sum = 0.0

    def add(self, values: Floats) -> None:
        known = values[~np.isnan(values)]
        self._missing += len(values) - len(known)
        self._counts += np.bincount(np.searchsorted(self._edges, known, side="left"), minlength=len(self._counts))
        self._sum += float(known.sum())

    def to_score_json(self) -> dict[str, Any]:
        return {"edges": self._edges.tolist(), "counts": self._counts.tolist(), "sum": round(self._sum, 6)}

    def to_json(self) -> dict[str, Any]:
        return {"type": "number", **self.to_score_json(), "missing": self._missing}


class _Categories:
    def __init__(self, categories: Sequence[str]) -> None:
        self._categories = categories
        self._counts = np.zeros(len(categories), dtype=np.int64)
        self._unseen: Counter[str] = Counter()
        self._unseen_others = 0
        self._missing = 0

    def add(self, codes: Floats, texts: Sequence[Value] | None) -> None:
        unknown = np.isnan(codes)
        self._counts += np.bincount(codes[~unknown].astype(np.intp), minlength=len(self._counts))
        rows = np.flatnonzero(unknown).tolist()
        if texts is None:
            self._unseen_others += len(rows)
            return
        for row in rows:
            text = texts[row]
            if not isinstance(text, str) or text == "":
                self._missing += 1
            elif text in self._unseen or len(self._unseen) < UNSEEN_TEXTS:
                self._unseen[text] += 1
            else:
                self._unseen_others += 1

    def to_json(self) -> dict[str, Any]:
        counted = zip(self._categories, self._counts.tolist(), strict=True)
        return {
            "type": "category",
            "counts": {text: count for text, count in counted if count > 0},
            "unseen": dict(sorted(self._unseen.items())),
            "unseenOthers": self._unseen_others,
            "missing": self._missing,
        }
