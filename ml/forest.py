"""Boosted trees as tables of bits: what LightGBM computes row by row and tree by tree, for many rows and all trees at once.

Each leaf of a tree is a bit of one number. For every feature and every range of its values a table says which leaves of each tree are
still within reach; a player's leaves are the bitwise AND over the features, and the lowest bit left is the leaf. This is QuickScorer
(Lucchese et al., SIGIR 2015) in numpy, several times as fast as `Booster.predict` for the rows of a request or of a batch's chunk.

Leaf values are whole multiples of 2^-50, so that their sum has no rounding: it is the same in any order, on any machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import openmp  # before lightgbm
import lightgbm
import numpy as np
from numpy.typing import NDArray

from segments import Floats

MOST_LEAVES = 16
"""A tree's leaves are the bits of one 16-bit number."""

_UNIT = 2.0**-50
# Rows of one step times trees: so much stays in the cache of a core.
_CELLS = 1 << 17
_LOWEST_BIT = np.zeros(1 << MOST_LEAVES, dtype=np.uint8)
for _bit in reversed(range(MOST_LEAVES)):
    _LOWEST_BIT[1 << _bit :: 1 << (_bit + 1)] = _bit

Bits = NDArray[np.uint16] | NDArray[np.uint8]


class ForestError(ValueError):
    """A booster has something that the tables cannot hold."""


@dataclass(frozen=True)
class _Split:
    """Which leaves of a tree a split rules out: those on the left where its test fails, those on the right where it holds."""

    tree: int
    feature: int
    threshold: float
    """For a number: the test is `value <= threshold`."""
    categories: frozenset[int] | None
    left: int
    right: int


class Forest:
    """The average of boosters: its output is the log-odds of yes. The inputs are finite numbers and codes of categories; a code that no
    split knows, NaN among them, is like any other that is not in a split's set."""

    def __init__(self, boosters: Sequence[lightgbm.Booster]) -> None:
        """Raises ForestError for trees that are none of `MOST_LEAVES` leaves or that treat missing numbers in a way of their own."""
        dumps = [booster.dump_model() for booster in boosters]
        trees = [entry["tree_structure"] for dump in dumps for entry in dump["tree_info"]]
        splits: list[_Split] = []
        leaves = [_leaf_values(number, tree, splits) for number, tree in enumerate(trees)]
        width = max(map(len, leaves))
        if width > MOST_LEAVES:
            raise ForestError(f"a tree has {width} leaves, expected at most {MOST_LEAVES}")
        values = np.zeros((len(trees), width))
        for row, tree_leaves in zip(values, leaves, strict=True):
            row[: len(tree_leaves)] = tree_leaves
        self._values: NDArray[np.int64] = np.rint(values / len(boosters) / _UNIT).astype(np.int64).ravel()
        self._starts = np.arange(len(trees), dtype=np.intp) * width
        self._rows = max(1, _CELLS // len(trees))
        bits = np.uint8 if width <= 8 else np.uint16
        by_feature = [[split for split in splits if split.feature == feature] for feature in range(dumps[0]["max_feature_idx"] + 1)]
        self._columns = [
            (feature, _category_column(mine, len(trees), bits) if mine[0].categories is not None else _number_column(mine, len(trees), bits))
            for feature, mine in enumerate(by_feature)
            if mine
        ]

    def log_odds(self, inputs: Floats) -> Floats:
        """A number a row. A row's does not depend on the other rows."""
        sums = np.empty(len(inputs), dtype=np.int64)
        places = [(column, column.places(inputs[:, feature])) for feature, column in self._columns]
        for start in range(0, len(inputs), self._rows):
            rows = slice(start, start + self._rows)
            if not places:
                # Stumps without a split: nothing was learned.
                sums[rows] = self._values.sum()
                continue
            reachable = places[0][0].table[places[0][1][rows]]
            for column, place in places[1:]:
                reachable &= column.table[place[rows]]
            sums[rows] = self._values.take(_LOWEST_BIT.take(reachable) + self._starts).sum(axis=1)
        return sums * _UNIT


@dataclass(frozen=True)
class _NumberColumn:
    edges: Floats
    table: Bits

    def places(self, values: Floats) -> NDArray[np.intp]:
        return np.searchsorted(self.edges, values, side="left")


@dataclass(frozen=True)
class _CategoryColumn:
    """The last row of the table is for every code that no split knows."""

    table: Bits

    def places(self, codes: Floats) -> NDArray[np.intp]:
        unknown = len(self.table) - 1
        # NaN is in no range.
        return np.where((codes >= 0) & (codes < unknown), codes, unknown).astype(np.intp)


def _leaf_values(tree: int, root: dict[str, Any], splits: list[_Split]) -> list[float]:
    """The values of a tree's leaves from left to right. The tree's splits are added to `splits`."""
    values: list[float] = []

    def visit(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            values.append(node["leaf_value"])
            return 1 << len(values) - 1
        left, right = visit(node["left_child"]), visit(node["right_child"])
        is_category = node["decision_type"] == "=="
        if not is_category and (node["decision_type"], node["missing_type"]) != ("<=", "None"):
            raise ForestError(f"a split is {node['decision_type']}, missing {node['missing_type']}; expected <= and None")
        categories = frozenset(map(int, node["threshold"].split("||"))) if is_category else None
        splits.append(_Split(tree, node["split_feature"], 0.0 if is_category else node["threshold"], categories, left, right))
        return left | right

    visit(root)
    return values


def _number_column(splits: Sequence[_Split], trees: int, bits: type) -> _NumberColumn:
    edges = np.unique([split.threshold for split in splits])
    table = np.full((len(edges) + 1, trees), np.iinfo(bits).max, dtype=bits)
    for split in splits:
        above = int(np.searchsorted(edges, split.threshold)) + 1
        table[:above, split.tree] &= _without(split.right, bits)
        table[above:, split.tree] &= _without(split.left, bits)
    return _NumberColumn(edges, table)


def _category_column(splits: Sequence[_Split], trees: int, bits: type) -> _CategoryColumn:
    known = 1 + max(max(split.categories or ()) for split in splits)
    table = np.full((known + 1, trees), np.iinfo(bits).max, dtype=bits)
    for split in splits:
        inside = np.isin(np.arange(known + 1), list(split.categories or ()))
        table[inside, split.tree] &= _without(split.right, bits)
        table[~inside, split.tree] &= _without(split.left, bits)
    return _CategoryColumn(table)


def _without(leaves: int, bits: type) -> Any:
    return bits(np.iinfo(bits).max & ~leaves)
