"""Segments: which of some centres a player is nearest to, by the two scores and a few features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SegmentInput:
    """One axis: the probability of a label (`score`) or a number column (`feature`), on a logarithmic scale or not."""

    source: str
    name: str
    log: bool


@dataclass(frozen=True)
class Segments:
    """Centres in scaled inputs: input i less `means[i]`, divided by `scales[i]`. A segment's id is the place of its centre."""

    inputs: tuple[SegmentInput, ...]
    means: Floats
    scales: Floats
    centres: Floats

    def nearest(self, scores: Mapping[str, Floats], features: Mapping[str, Floats]) -> NDArray[np.intp]:
        """The segment's id of each player; of two equally near the lower."""
        scaled = (raw_inputs(self.inputs, scores, features) - self.means) / self.scales
        # One input after another, so that a player's distances do not depend on who else is in the chunk.
        distances = np.zeros((len(scaled), len(self.centres)))
        for column, centre in zip(scaled.T, self.centres.T, strict=True):
            difference = column[:, np.newaxis] - centre
            distances += difference * difference
        return np.argmin(distances, axis=1)

    def to_json(self) -> dict[str, Any]:
        inputs = [
            {"source": entry.source, "name": entry.name, "log": entry.log, "mean": mean, "scale": scale}
            for entry, mean, scale in zip(self.inputs, self.means.tolist(), self.scales.tolist(), strict=True)
        ]
        return {"inputs": inputs, "centres": self.centres.tolist()}


def read_segments(content: Mapping[str, Any]) -> Segments:
    """Reads what `Segments.to_json` wrote."""
    entries = content["inputs"]
    return Segments(
        inputs=tuple(SegmentInput(entry["source"], entry["name"], entry["log"]) for entry in entries),
        means=np.array([entry["mean"] for entry in entries]),
        scales=np.array([entry["scale"] for entry in entries]),
        centres=np.array(content["centres"]),
    )


def raw_inputs(inputs: Sequence[SegmentInput], scores: Mapping[str, Floats], features: Mapping[str, Floats]) -> Floats:
    """The inputs before scaling, a row a player."""
    columns = []
    for entry in inputs:
        column = (scores if entry.source == "score" else features)[entry.name]
        columns.append(np.log1p(np.maximum(column, 0)) if entry.log else column)
    return np.column_stack(columns)
