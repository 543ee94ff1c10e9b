"""The player record of `features.json`: its columns, the check of one player's inputs and the fingerprint of these inputs.

`functions/predict/features.ts` and `fingerprint.ts` do the same for requests: what one side takes, the other takes, and the
fingerprints are equal to the byte.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from pathlib import Path
from struct import pack
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("features.json")

MAX_CATEGORY_LENGTH = 256
"""Longest text of a category, in UTF-16 units, as requests count it."""

Value = float | str
"""A checked value: a finite number or the text of a category."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# What `String.prototype.trim` takes for a blank; `str.strip()` takes a few others.
_BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CACHED_VALUES = 1 << 16


class InvalidValue(ValueError):
    """A value is not what its column takes; the message names the column, the value and what is expected."""


@dataclass(frozen=True)
class Column:
    """One column of the player record: type `number` or `category`; role `feature`, `ignored` or `label`."""

    name: str
    type: str
    role: str

    def parse(self, value: Any) -> Value:
        """Checks one value, as text or as JSON gives it, and normalises it.

        Raises InvalidValue.
        """
        parsed = _to_number(value) if self.type == "number" else _to_category(value)
        if parsed is None:
            expected = "a finite number" if self.type == "number" else f"non-empty text of at most {MAX_CATEGORY_LENGTH} characters"
            raise InvalidValue(f"{self.name} is {show(value)}, expected {expected}")
        return parsed


@dataclass(frozen=True)
class Label:
    """What a model is to predict: `column` equals a text, or is above a number. `excludes` are features that give it away."""

    name: str
    column: Column
    equals: str | None
    above: float | None
    excludes: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """The player record. `id` is the id's column in files."""

    id: str
    id_length: int
    features: tuple[Column, ...]
    labels: tuple[Label, ...]
    columns: tuple[Column, ...]

    @property
    def feature_places(self) -> dict[str, int]:
        """The place of each feature, by its name."""
        return {column.name: place for place, column in enumerate(self.features)}

    @property
    def training_columns(self) -> tuple[Column, ...]:
        """The features, then what else the labels are read from."""
        sources = (label.column for label in self.labels)
        return (*self.features, *dict.fromkeys(column for column in sources if column not in self.features))


def read_schema(content: Mapping[str, Any]) -> Schema:
    """Reads the content of `features.json`."""
    columns = {entry["name"]: Column(entry["name"], entry["type"], entry["role"]) for entry in content["columns"]}
    return Schema(
        id=content["id"]["name"],
        id_length=content["id"]["maxLength"],
        features=tuple(column for column in columns.values() if column.role == "feature"),
        labels=tuple(
            Label(name, columns[entry["column"]], entry.get("equals"), entry.get("above"), tuple(entry["excludes"]))
            for name, entry in content["labels"].items()
        ),
        columns=tuple(columns.values()),
    )


def parse_features(schema: Schema, features: Mapping[str, Any]) -> list[Value]:
    """One player's inputs, in the schema's order. Names that are no feature are passed over.

    Raises InvalidValue with everything that is wrong.
    """
    values: list[Value] = []
    problems: list[str] = []
    for column in schema.features:
        try:
            values.append(column.parse(features[column.name]))
        except KeyError:
            problems.append(f"{column.name} is missing")
        except InvalidValue as error:
            problems.append(str(error))
    if problems:
        raise InvalidValue("; ".join(problems))
    return values


class ParsedText(dict[str, Value]):
    """Texts of one column to their values, remembered: a column has few different ones, and a look-up costs a tenth of a check."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, text: str) -> Value:
        if len(self) >= _CACHED_VALUES:
            self.clear()
        value = self[text] = self._column.parse(text)
        return value


class _Encoded(dict[Value, bytes]):
    """The bytes by which values enter the fingerprint."""

    def __missing__(self, value: Value) -> bytes:
        if len(self) >= _CACHED_VALUES:
            self.clear()
        if isinstance(value, str):
            text = value.encode()
            encoded = b"c" + pack("<I", len(text)) + text
        else:
            encoded = b"n" + pack("<d", value)
        self[value] = encoded
        return encoded


_encoded = _Encoded()


def fingerprints(columns: Sequence[Sequence[Value]]) -> list[str]:
    """Fingerprints of players' inputs, from the feature columns in the schema's order.

    First 8 bytes of the SHA-256, as 16 hexadecimal digits, over: number, 0x6e and the double, little-endian (never -0); category,
    0x63, the length in UTF-8 as uint32, little-endian, and the UTF-8 bytes.
    """
    encoded = [map(_encoded.__getitem__, column) for column in columns]
    join = b"".join
    return [sha256(join(values)).hexdigest()[:16] for values in zip(*encoded, strict=True)]


def show(value: Any) -> str:
    """A value for a message: as JSON, not longer than a line."""
    text = json.dumps(value, ensure_ascii=False, default=str).encode(errors="backslashreplace").decode()
    return text if len(text) <= 80 else f"{text[:79]}…"


def number_text(value: float) -> str:
    """A number as JavaScript's `String(number)` writes it: 40.0 is "40", 1e-07 is "1e-7"."""
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    text, minus = "".join(map(str, digits)), "-" if sign and any(digits) else ""
    assert isinstance(exponent, int)
    point = len(text) + exponent
    if len(text) <= point <= 21:
        return minus + text + "0" * (point - len(text))
    if 0 < point <= 21:
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
    return f"{minus}{mantissa}e{point - 1:+d}"


def _to_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    # -0 becomes 0: they are one number, and their fingerprints must be one, too.
    return number + 0.0 if isfinite(number) else None


def _to_category(value: Any) -> str | None:
    if not isinstance(value, str):
        number = _to_number(value)
        return None if number is None else number_text(number)
    if value.strip(_BLANKS) == "" or not is_well_formed(value):
        return None
    fits = len(value) <= MAX_CATEGORY_LENGTH // 2 or len(value.encode("utf-16-le")) <= 2 * MAX_CATEGORY_LENGTH
    return value if fits else None


def is_well_formed(text: str) -> bool:
    """Whether a text has no lone surrogate: what JSON's escapes, or bytes of a file that are no UTF-8, may bring in."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
