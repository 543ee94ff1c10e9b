"""The tables of bits give what LightGBM gives, for any inputs and in any company."""

import json
import re

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forest import MOST_LEAVES, Forest, ForestError
from segments import Floats

CATEGORY = 2


def boosters(leaves: int, count: int = 3, **settings: object) -> list[lightgbm.Booster]:
    """Boosters of two numbers and a category of 40 codes, each fitted to other rows."""
    generator = np.random.default_rng(1)
    inputs = np.column_stack([generator.normal(size=3_000), generator.integers(0, 5, 3_000), generator.integers(0, 40, 3_000)]).astype(float)
    answers = (np.sin(3 * inputs[:, 0]) + (inputs[:, CATEGORY] % 3 == 1) + 0.3 * inputs[:, 1] + generator.normal(size=3_000) > 1).astype(float)
    parameters = {"objective": "binary", "num_leaves": leaves, "num_threads": 1, "verbosity": -1, "min_data_per_group": 5, "seed": 1, **settings}
    fitted = []
    for part in range(count):
        rows = np.arange(3_000) % count != part if count > 1 else slice(None)
        data = lightgbm.Dataset(inputs[rows], answers[rows], categorical_feature=[CATEGORY], params=parameters)
        fitted.append(lightgbm.train(parameters, data, 30))
    return fitted


NUMBERS = st.floats(-3, 3) | st.sampled_from([0.0, -0.0, 1e300, -1e300])
CODES = st.integers(-1, 60).map(float) | st.just(np.nan)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, CODES), min_size=1, max_size=30)


@pytest.fixture(scope="module", params=[2, 8, 9, MOST_LEAVES])
def forest(request: pytest.FixtureRequest) -> tuple[Forest, list[lightgbm.Booster]]:
    fitted = boosters(request.param)
    return Forest(fitted), fitted


def lightgbm_says(fitted: list[lightgbm.Booster], inputs: Floats) -> Floats:
    return np.mean([booster.predict(inputs, raw_score=True, num_threads=1) for booster in fitted], axis=0)


@given(rows=ROWS)
def test_it_gives_what_lightgbm_gives(forest: tuple[Forest, list[lightgbm.Booster]], rows: list[tuple[float, ...]]) -> None:
    inputs = np.array(rows)
    assert forest[0].log_odds(inputs) == pytest.approx(lightgbm_says(forest[1], inputs), abs=1e-11)


def test_it_splits_numbers_where_lightgbm_does(forest: tuple[Forest, list[lightgbm.Booster]]) -> None:
    dumped = json.dumps(forest[1][0].dump_model()["tree_info"])
    splits = np.array([float(found) for found in re.findall(r'"split_feature": 0, "split_gain": [^,]+, "threshold": ([^,]+),', dumped)])
    edges = np.array([*splits, *np.nextafter(splits, np.inf), *np.nextafter(splits, -np.inf)])
    inputs = np.column_stack([edges, np.zeros(len(edges)), np.zeros(len(edges))])
    assert len(edges) > 3
    assert forest[0].log_odds(inputs) == pytest.approx(lightgbm_says(forest[1], inputs), abs=1e-11)


@given(rows=ROWS, data=st.data())
def test_a_row_is_the_same_to_the_last_bit_in_any_company(
    forest: tuple[Forest, list[lightgbm.Booster]], rows: list[tuple[float, ...]], data: st.DataObject
) -> None:
    inputs = np.array(rows)
    order = np.array(data.draw(st.permutations(range(len(rows)))))
    whole = forest[0].log_odds(inputs)
    assert (forest[0].log_odds(np.asfortranarray(inputs[order])) == whole[order]).all()
    assert forest[0].log_odds(inputs[:1])[0] == whole[0]


def test_many_rows_are_as_few() -> None:
    forest = Forest(boosters(MOST_LEAVES))
    inputs = np.random.default_rng(2).normal(size=(5_000, 3))
    one_by_one = np.concatenate([forest.log_odds(inputs[row : row + 1]) for row in range(0, 5_000, 50)])
    assert (forest.log_odds(inputs)[::50] == one_by_one).all()
    assert len(forest.log_odds(inputs[:0])) == 0


def test_what_has_nothing_to_learn_gives_one_number() -> None:
    parameters = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1}
    fitted = lightgbm.train(parameters, lightgbm.Dataset(np.zeros((100, 1)), np.arange(100) % 4 == 0, params=parameters), 3)
    assert Forest([fitted]).log_odds(np.ones((7, 1))) == pytest.approx(np.log(0.25 / 0.75))


def test_what_the_tables_cannot_hold_is_refused() -> None:
    with pytest.raises(ForestError, match="has 17 leaves, expected at most 16"):
        Forest(boosters(17, 1))
    inputs = np.random.default_rng(3).normal(size=(500, 1))
    inputs[::7] = np.nan
    parameters = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1}
    fitted = lightgbm.train(parameters, lightgbm.Dataset(inputs, np.isnan(inputs[:, 0]).astype(float), params=parameters), 3)
    with pytest.raises(ForestError, match="missing NaN"):
        Forest([fitted])
