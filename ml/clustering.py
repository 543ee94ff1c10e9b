"""Finds the segments: how many there are, their centres, and how far they are the same whatever the chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import openmp  # before scikit-learn
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, calinski_harabasz_score, silhouette_score
from threadpoolctl import threadpool_limits

from profiles import Profile
from records import Schema
from segments import Floats, SegmentInput, Segments, raw_inputs
from training_data import TrainingData

SEGMENT_INPUTS = (
    SegmentInput("score", "churn", log=False),
    SegmentInput("score", "purchase", log=True),
    SegmentInput("feature", "age", log=False),
    SegmentInput("feature", "purchase_num", log=True),
    SegmentInput("feature", "item_purchase_num_in_90_days", log=False),
    SegmentInput("feature", "game_play_num_per_week", log=False),
)
COUNTS = range(4, 9)
"""How many segments there may be: fewer than 4 cannot tell yes and no of two scores apart, more than 8 nobody makes promotions for."""
STABLE = 0.8
"""The adjusted Rand index from which segments count as the same."""

_SEEDS = 5
# Players of the curve, which needs no more of them to tell the counts apart.
_CURVE_PLAYERS = 10_000
_SILHOUETTE_PLAYERS = 3_000
# Below this many digits, results of one machine and another may differ.
_DECIMALS = 6


@dataclass(frozen=True)
class CurvePoint:
    """What speaks for one count of segments. `stability` is the mean adjusted Rand index between the segments of all players and those
    that other seeds find in four fifths of them."""

    count: int
    silhouette: float
    calinski_harabasz: float
    stability: float


@dataclass(frozen=True)
class Clustering:
    segments: Segments
    profiles: tuple[Profile, ...]
    curve: tuple[CurvePoint, ...]
    """Ascending by the count; without those for which there are too few different players."""

    @property
    def stability(self) -> float:
        count = len(self.segments.centres)
        return next((point.stability for point in self.curve if point.count == count), 1.0)


def find_segments(schema: Schema, data: TrainingData, scores: Mapping[str, Floats], seed: int) -> Clustering:
    """Finds segments in the training part, numbered by size, the largest 0."""
    rows = data.parts["train"]
    features = number_features(schema, data.matrix)
    raw = raw_inputs(SEGMENT_INPUTS, scores, features)
    means = np.round(raw[rows].mean(axis=0), _DECIMALS)
    deviations = np.round(raw[rows].std(axis=0), _DECIMALS)
    scales = np.where(deviations > 0, deviations, 1.0)
    scaled = (raw - means) / scales
    # One thread: several add up their parts in the order in which they end.
    with threadpool_limits(1):
        # The rows stand in the order of hashes of the players' ids: the first ones are a fair draw.
        curve = _curve(scaled[rows][:_CURVE_PLAYERS], seed)
        count = _best_count(curve) if curve else len(np.unique(scaled[rows], axis=0))
        centres = KMeans(count, n_init=5, random_state=seed).fit(scaled[rows]).cluster_centers_
    unordered = Segments(SEGMENT_INPUTS, means, scales, np.round(centres, _DECIMALS))
    members = np.bincount(unordered.nearest(scores, features)[rows], minlength=count)
    segments = Segments(SEGMENT_INPUTS, means, scales, unordered.centres[np.argsort(-members, kind="stable")])
    nearest = segments.nearest(scores, features)
    profiles = tuple(_profile(data, scores, scaled, nearest, number) for number in range(count))
    return Clustering(segments, profiles, tuple(curve))


def number_features(schema: Schema, matrix: Floats) -> dict[str, Floats]:
    return {column.name: matrix[:, place] for place, column in enumerate(schema.features) if column.type == "number"}


def _curve(scaled: Floats, seed: int) -> list[CurvePoint]:
    possible = len(np.unique(scaled, axis=0)) - 1
    return [_point(scaled, count, seed) for count in COUNTS if count <= possible]


def _point(scaled: Floats, count: int, seed: int) -> CurvePoint:
    found = KMeans(count, n_init=3, random_state=seed).fit_predict(scaled)
    indexes = []
    for number in range(_SEEDS):
        generator = np.random.default_rng([seed, number])
        drawn = generator.random(len(scaled)) < 0.8
        other = KMeans(count, n_init=3, random_state=(seed + 1 + number) % 2**32).fit(scaled[drawn] if drawn.sum() >= count else scaled)
        indexes.append(adjusted_rand_score(found, other.predict(scaled)))
    few = slice(_SILHOUETTE_PLAYERS)
    return CurvePoint(
        count,
        round(float(silhouette_score(scaled[few], found[few])), _DECIMALS),
        round(float(calinski_harabasz_score(scaled, found)), 1),
        round(float(np.mean(indexes)), 4),
    )


def _best_count(curve: Sequence[CurvePoint]) -> int:
    """The count of the greatest silhouette among the stable ones; where none is stable, the most stable."""
    stable = [point for point in curve if point.stability >= STABLE]
    if stable:
        return max(stable, key=lambda point: point.silhouette).count
    return max(curve, key=lambda point: point.stability).count


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
