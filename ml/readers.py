"""Files of players, CSV or JSON Lines, read in chunks: constant memory whatever the file's size."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite
from typing import Any, TextIO

from records import Column, InvalidValue, ParsedText, Schema, Value, is_well_formed, number_text, show

CHUNK_ROWS = 10_000
_HEADER_CHARACTERS = 1 << 20
# A quote that is never closed takes in the lines below it: past this many, its own line is the broken one.
_RECORD_LINES = 1_000
_ID = re.compile(r"[^\ud800-\udfff]*[^ \ud800-\udfff]")


class FileRefused(ValueError):
    """None of the file's rows can be trusted: its header is wrong."""


@dataclass(frozen=True)
class Rejection:
    """A row set aside: the line where it begins, counted from 1, the reason, and the row as it stands in the file."""

    line: int
    reason: str
    row: str


@dataclass
class Chunk:
    """Some rows of a file, by column: `columns` are those that were asked for, in that order."""

    lines: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    columns: list[list[Value]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


@dataclass
class _Record:
    """One row before its check: its fields in the order id, columns."""

    line: int
    fields: Sequence[Any]
    raw: str


def read_players(text: TextIO, json_lines: bool, schema: Schema, columns: Sequence[Column], rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Reads the id and some columns of every row, `rows` lines a chunk. Other columns may be there and are passed over.

    Raises FileRefused when a CSV's header lacks one of the columns.
    """
    check = _Check(schema, columns)
    return _json_chunks(text, check, rows) if json_lines else _csv_chunks(text, check, rows)


class _Check:
    """Turns fields into checked rows, the ones of a CSV column by column."""

    def __init__(self, schema: Schema, columns: Sequence[Column]) -> None:
        self.names = [schema.id, *(column.name for column in columns)]
        self._id_length = schema.id_length
        self._texts = [ParsedText(column) for column in columns]
        self._parsers: list[Callable[[Any], Any]] = [self.player_id, *map(_parser, columns, self._texts)]

    def player_id(self, value: Any) -> str:
        text = number_text(value) if isinstance(value, float) and isfinite(value) else value
        # MySQL's collations pad with blanks when they compare: `a` and `a ` would be one player there.
        if not isinstance(text, str) or len(text) > self._id_length or not _ID.fullmatch(text):
            raise InvalidValue(f"{self.names[0]} is {show(value)}, expected 1 to {self._id_length} characters, the last no space")
        return text

    def by_column(self, lines: list[int], ids: Sequence[str], columns: Sequence[Sequence[str]]) -> Chunk:
        """All of some rows at once. Raises InvalidValue if any of them is wrong."""
        return Chunk(
            lines=lines,
            ids=list(map(self.player_id, ids)),
            columns=[list(map(texts.__getitem__, column)) for texts, column in zip(self._texts, columns, strict=True)],
        )

    def by_row(self, records: list[_Record]) -> Chunk:
        """Some rows one by one, the wrong ones set aside."""
        chunk = Chunk(columns=[[] for _ in self._texts])
        for record in records:
            try:
                player_id, *values = self._row(record.fields)
            except InvalidValue as error:
                chunk.rejections.append(Rejection(record.line, str(error), record.raw))
                continue
            chunk.lines.append(record.line)
            chunk.ids.append(player_id)
            for column, value in zip(chunk.columns, values, strict=True):
                column.append(value)
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


def _parser(column: Column, texts: ParsedText) -> Callable[[Any], Value]:
    return lambda value: texts[value] if isinstance(value, str) else column.parse(value)


def _json_chunks(text: TextIO, check: _Check, rows: int) -> Iterator[Chunk]:
    line = 1
    while lines := list(islice(text, rows)):
        records: list[_Record] = []
        rejections: list[Rejection] = []
        for number, content in enumerate(lines, line):
            raw = content.rstrip("\r\n")
            if raw.strip() == "":
                continue
            try:
                records.append(_Record(number, _json_fields(raw, check.names), raw))
            except InvalidValue as error:
                rejections.append(Rejection(number, str(error), raw))
        chunk = check.by_row(records)
        chunk.rejections = sorted([*rejections, *chunk.rejections], key=lambda rejection: rejection.line)
        yield chunk
        line += len(lines)


def _json_fields(raw: str, names: list[str]) -> list[Any]:
    try:
        # Integers of any length are doubles here, as in JavaScript.
        content = json.loads(raw, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidValue(f"is {show(content)}, expected a JSON object of a player")
    missing = [name for name in names if name not in content]
    if missing:
        raise InvalidValue("; ".join(f"{name} is missing" for name in missing))
    return [content[name] for name in names]


class _Lines:
    """Physical lines for a CSV reader that may be sent back to an earlier one."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.position = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.position == len(self.lines):
            raise StopIteration
        self.position += 1
        return self.lines[self.position - 1]


def _csv_chunks(text: TextIO, check: _Check, rows: int) -> Iterator[Chunk]:
    width, places, line = _read_header(text, check.names)
    rest: list[str] = []
    while True:
        fresh = list(islice(text, rows))
        lines = rest + fresh
        if not lines:
            return
        chunk = None if rest else _simple_chunk(lines, line, width, places, check)
        rest = []
        if chunk is None:
            chunk, taken = _careful_chunk(lines, line, width, places, check, at_end=not fresh)
            lines, rest = lines[:taken], lines[taken:]
        yield chunk
        line += len(lines)


def _simple_chunk(lines: list[str], line: int, width: int, places: list[int], check: _Check) -> Chunk | None:
    """The lines as a chunk if each is a right row of its own, as nearly always; else nothing."""
    try:
        fields = list(csv.reader(lines, strict=True))
        if len(fields) != len(lines) or set(map(len, fields)) != {width}:
            return None
        by_place = list(zip(*fields, strict=True))
        ids, *columns = [by_place[place] for place in places]
        return check.by_column(list(range(line, line + len(lines))), ids, columns)
    except (csv.Error, InvalidValue):
        return None


def _careful_chunk(lines: list[str], line: int, width: int, places: list[int], check: _Check, at_end: bool) -> tuple[Chunk, int]:
    """The lines row by row: rows of several lines, wrong ones and blank ones. Also tells how many lines were taken: a row at the
    end may go on below.

    A row that does not fit costs its first line alone, since what made it so long may be a quote too many.
    """
    source = _Lines(lines)
    reader = csv.reader(source, strict=True)
    records: list[_Record] = []
    rejections: list[Rejection] = []
    while (start := source.position) < len(lines):
        try:
            row = next(reader)
            problem = None if len(row) in (0, width) else f"has {len(row)} fields, the header has {width}"
        except csv.Error as error:
            if source.position == len(lines) and not at_end and len(lines) - start <= _RECORD_LINES:
                source.position = start
                break
            row, problem = [], f"is not CSV: {error}"
        if problem is not None:
            rejections.append(Rejection(line + start, problem, lines[start].rstrip("\r\n")))
            source.position = start + 1
        elif row:
            raw = "".join(lines[start : source.position]).rstrip("\r\n")
            records.append(_Record(line + start, [row[place] for place in places], raw))
    chunk = check.by_row(records)
    chunk.rejections = sorted([*rejections, *chunk.rejections], key=lambda rejection: rejection.line)
    return chunk, source.position


def _read_header(text: TextIO, names: list[str]) -> tuple[int, list[int], int]:
    """Width of the rows, place of each column, and the line below the header."""
    lines = iter(lambda: text.readline(_HEADER_CHARACTERS), "")
    reader = csv.reader(lines, strict=True)
    try:
        header = next((row for row in reader if row), None)
    except csv.Error as error:
        raise FileRefused(f"the header is not CSV: {error}") from None
    if header is None:
        raise FileRefused(f"there is no header, expected one with {', '.join(names)}")
    missing = [name for name in names if name not in header]
    twice = [name for name in names if header.count(name) > 1]
    if missing or twice:
        found = ", ".join(name if is_well_formed(name) else show(name) for name in header)
        problem = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(twice)} twice"
        raise FileRefused(f"the header {problem}; found {found[:500]}")
    return len(header), [header.index(name) for name in names], reader.line_num + 1
