"""The check of one player's inputs, and the fingerprint that the handlers must agree on."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import PLAYER
from records import Column, InvalidValue, Schema, fingerprints, number_text, parse_features

NUMBER = Column("age", "number", "feature")
CATEGORY = Column("country", "category", "feature")


def fingerprint(schema: Schema, features: dict[str, Any]) -> str:
    (print_,) = fingerprints([[value] for value in parse_features(schema, features)])
    return print_


def test_fingerprint_is_the_one_that_the_handlers_compute(schema: Schema) -> None:
    assert fingerprint(schema, dict(PLAYER)) == "23802805b9fc437c"


def test_fingerprint_is_of_the_checked_inputs_alone(schema: Schema) -> None:
    otherwise = {**PLAYER, "age": "39.0", "crystal": 800, "purchase_num": -0.0, "identity": 77516, "clan": "none"}
    assert fingerprint(schema, dict(reversed(otherwise.items()))) == "23802805b9fc437c"
    assert fingerprint(schema, {**PLAYER, "age": 40}) != "23802805b9fc437c"


def test_features_leave_out_what_is_ignored_or_only_a_label(schema: Schema) -> None:
    names = [column.name for column in schema.features]
    assert names == list(PLAYER)
    assert "identity" not in names and "churn_YN" not in names
    assert {label.name: label.excludes for label in schema.labels} == {"churn": (), "purchase": ("purchase_num",)}


@pytest.mark.parametrize(
    ("value", "number"),
    [(39, 39.0), ("39", 39.0), ("+39.50", 39.5), ("-.5", -0.5), ("3.", 3.0), ("1e3", 1000.0), ("1E-3", 0.001), (0.1, 0.1), ("-0", 0.0)],
)
def test_numbers_may_be_text(value: Any, number: float) -> None:
    parsed = NUMBER.parse(value)
    assert parsed == number and math.copysign(1, parsed) == math.copysign(1, number)


NO_NUMBERS = ["", " ", " 39", "39 ", "1_000", "1,000", "0x10", "nan", "inf", "Infinity", "1e999", "٣", "１", "--1", "1e", "."]


@pytest.mark.parametrize("value", [*NO_NUMBERS, None, True, [], {}, math.nan, 10**400])
def test_numbers_are_finite_and_plain(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^age is .*, expected a finite number$"):
        NUMBER.parse(value)


@pytest.mark.parametrize(("value", "text"), [(" 대한 ", " 대한 "), (40, "40"), (40.0, "40"), (2**53 + 1, "9007199254740992")])
def test_categories_may_be_numbers(value: Any, text: str) -> None:
    assert CATEGORY.parse(value) == text


@pytest.mark.parametrize("value", ["", " ", "\u3000\ufeff\n", "\ud800", "a\udc80", "x" * 257, "😀" * 129, None, True, [], math.inf])
def test_categories_are_text_with_something_in_it(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^country is .*, expected non-empty text of at most 256 characters$") as error:
        CATEGORY.parse(value)
    error.value.args[0].encode()


@pytest.mark.parametrize("value", ["x" * 256, "😀" * 128])
def test_categories_are_as_long_as_requests_may_have_them(value: str) -> None:
    assert CATEGORY.parse(value) == value


def test_a_message_names_every_wrong_column_its_value_and_what_is_expected(schema: Schema) -> None:
    features = {**PLAYER, "age": "old", "country": ""}
    del features["race"]
    with pytest.raises(InvalidValue) as error:
        parse_features(schema, features)
    assert str(error.value) == (
        'age is "old", expected a finite number; race is missing; country is "", expected non-empty text of at most 256 characters'
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-12.5, "-12.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.23e-7, "1.23e-7"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_number_text_is_that_of_javascript(number: float, text: str) -> None:
    assert number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_keeps_the_number(number: float) -> None:
    assert float(number_text(number)) == number


plain_json = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


@given(st.recursive(plain_json, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_value_is_taken_or_refused_with_a_message(value: Any) -> None:
    value = json.loads(json.dumps(value))
    for column in (NUMBER, CATEGORY):
        try:
            parsed = column.parse(value)
        except InvalidValue as error:
            assert str(error).startswith(f"{column.name} is ")
        else:
            assert isinstance(parsed, float if column is NUMBER else str)
            assert column.parse(parsed) == parsed
