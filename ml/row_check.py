"""Rows of players' files, checked: what is kept, by column, and what is set aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from math import isfinite
from typing import Any

from records import Column, InvalidValue, ParsedText, Schema, Value, is_well_formed, number_text, show


@dataclass(frozen=True)
class Rejection:
    """A row set aside: the line where it begins, counted from 1, the reason, and the row as it stands in the file."""

    line: int
    reason: str
    row: str


@dataclass
class Chunk:
    """Some rows of a file, by column: `columns` are those that were asked for, in that order."""

    lines: Sequence[int] = ()
    ids: list[str] = field(default_factory=list)
    columns: list[list[Value]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


@dataclass
class Record:
    """One row before its check: its fields in the order id, columns."""

    line: int
    fields: Sequence[Any]
    raw: str


class RowCheck:
    """Turns fields into checked rows."""

    def __init__(self, schema: Schema, columns: Sequence[Column]) -> None:
        self.names = [schema.id, *(column.name for column in columns)]
        self._id_length = schema.id_length
        self._texts = [ParsedText(column) for column in columns]
        self._parsers: list[Callable[[Any], Any]] = [self._player_id, *map(_parser, columns, self._texts)]

    def by_column(self, lines: Sequence[int], ids: list[str], columns: Sequence[Sequence[str]]) -> Chunk:
        """All of some rows at once. Raises InvalidValue if any of them is wrong."""
        lengths = set(map(len, ids))
        if min(lengths) == 0 or max(lengths) > self._id_length or any(map(str.endswith, ids, repeat(" "))) or not is_well_formed("".join(ids)):
            raise InvalidValue(f"one {self.names[0]} at least is wrong")
        return Chunk(lines, ids, [list(map(texts.__getitem__, column)) for texts, column in zip(self._texts, columns, strict=True)])

    def by_row(self, records: Sequence[Record], rejections: Sequence[Rejection] = ()) -> Chunk:
        """Some rows one by one, the wrong ones set aside with those that were set aside before."""
        lines: list[int] = []
        chunk = Chunk(lines, columns=[[] for _ in self._texts], rejections=list(rejections))
        for record in records:
            try:
                player_id, *values = self._row(record.fields)
            except InvalidValue as error:
                chunk.rejections.append(Rejection(record.line, str(error), record.raw))
                continue
            lines.append(record.line)
            chunk.ids.append(player_id)
            for column, value in zip(chunk.columns, values, strict=True):
                column.append(value)
        chunk.rejections.sort(key=lambda rejection: rejection.line)
        return chunk

    def _row(self, fields: Sequence[Any]) -> list[Any]:
        row: list[Any] = []
        problems: list[str] = []
        for parse, value in zip(self._parsers, fields, strict=True):
            try:
                row.append(parse(value))
            except InvalidValue as error:
                problems.append(str(error))
        if problems:
            raise InvalidValue("; ".join(problems))
        return row

    def _player_id(self, value: Any) -> str:
        text = number_text(value) if isinstance(value, float) and isfinite(value) else value
        # MySQL's collations pad with blanks when they compare: `a` and `a ` would be one player there.
        if not isinstance(text, str) or not 0 < len(text) <= self._id_length or text.endswith(" ") or not is_well_formed(text):
            raise InvalidValue(f"{self.names[0]} is {show(value)}, expected 1 to {self._id_length} characters, the last no space")
        return text


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """The rows of several chunks, one after the other, as one."""
    if len(chunks) == 1:
        return chunks[0]
    return Chunk(
        lines=[line for chunk in chunks for line in chunk.lines],
        ids=[player for chunk in chunks for player in chunk.ids],
        columns=[[value for part in parts for value in part] for parts in zip(*(chunk.columns for chunk in chunks), strict=True)],
        rejections=[rejection for chunk in chunks for rejection in chunk.rejections],
    )


def _parser(column: Column, texts: ParsedText) -> Callable[[Any], Value]:
    return lambda value: texts[value] if isinstance(value, str) else column.parse(value)
