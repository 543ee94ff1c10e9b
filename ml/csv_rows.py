"""CSV files of players. The fields are those of Python's `csv` with `strict`, whichever of the ways below reads them."""

import csv
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TextIO

from records import InvalidValue, is_well_formed, show
from row_check import Chunk, Record, Rejection, RowCheck, joined
from text_blocks import MAX_LINE, Block, read_blocks

# A quote that is never closed takes in the lines below it: past so much its own line is the broken one.
_RECORD_LINES = 1_000
_RECORD_CHARACTERS = 1 << 20
# Where a block has a wrong row, so many lines around it are read one by one; the others stay fast.
_PIECE_LINES = 128

# A field may be as long as its line: by default `csv` refuses one of 128 KiB, in columns that nobody asks for, too.
csv.field_size_limit(MAX_LINE)


class FileRefused(ValueError):
    """None of the file's rows can be trusted: its header is wrong."""


class CsvRows:
    """The rows below the header. Raises FileRefused when the header is wrong."""

    def __init__(self, text: TextIO, check: RowCheck) -> None:
        self._check = check
        self._text = text
        self._width, self._places, self._line = _read_header(text, check.names)

    def chunks(self, characters: int) -> Iterator[Chunk]:
        rest: list[str] = []
        for block in read_blocks(self._text, characters):
            chunk = None if rest or block.too_long else self._unquoted(block.text)
            if chunk is None:
                chunk, rest = self._by_pieces(rest, block)
            else:
                self._line += len(chunk.lines)
            yield chunk
        if rest:
            chunk, taken = self._careful(rest, too_long=False, at_end=True)
            yield chunk

    def _unquoted(self, text: str) -> Chunk | None:
        """Rows without a quote, all of them right, as nearly always; else nothing. A comma or a line end then always parts fields."""
        if '"' in text:
            return None
        if "\r" in text:
            text = text.replace("\r\n", "\n")
            if "\r" in text:
                return None
        if not text.endswith("\n"):
            text += "\n"
        fields = text.replace("\n", ",\n,").split(",")
        step = self._width + 1
        count = len(fields) // step
        if fields[self._width :: step] != ["\n"] * count or text.count("\n") != count:
            return None
        return self._by_column([fields[place:-1:step] for place in self._places], count)

    def _by_pieces(self, rest: list[str], block: Block) -> tuple[Chunk, list[str]]:
        """Any rows. Also gives the lines at the end whose row may go on below."""
        lines = block.lines()
        chunks: list[Chunk] = []
        for start in range(0, len(lines), _PIECE_LINES):
            piece = lines[start : start + _PIECE_LINES]
            too_long = block.too_long and start + _PIECE_LINES >= len(lines)
            chunk = None if rest or too_long else self._quoted(piece)
            if chunk is None:
                piece = rest + piece
                chunk, taken = self._careful(piece, too_long, at_end=False)
                rest = piece[taken:]
                self._line += taken
            else:
                self._line += len(piece)
            chunks.append(chunk)
        return joined(chunks), rest

    def _quoted(self, lines: list[str]) -> Chunk | None:
        """The lines if each is a right row of its own; else nothing."""
        try:
            rows = list(csv.reader(lines, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(lines) or set(map(len, rows)) != {self._width}:
            return None
        by_place = list(zip(*rows, strict=True))
        return self._by_column([by_place[place] for place in self._places], len(rows))

    def _by_column(self, columns: list[Sequence[str]], count: int) -> Chunk | None:
        try:
            return self._check.by_column(range(self._line, self._line + count), list(columns[0]), columns[1:])
        except InvalidValue:
            return None

    def _careful(self, lines: list[str], too_long: bool, at_end: bool) -> tuple[Chunk, int]:
        """The lines row by row: rows of several lines, wrong ones and blank ones. Also tells how many lines were taken: a row at the
        end may go on below.

        A row that does not fit costs its first line alone, since what made it so long may be a quote too many.
        """
        source = _Lines(lines)
        reader = csv.reader(source, strict=True)
        records: list[Record] = []
        rejections: list[Rejection] = []
        while (start := source.position) < len(lines):
            if too_long and start == len(lines) - 1:
                rejections.append(Rejection(self._line + start, f"is longer than {MAX_LINE:,} characters", lines[start]))
                source.position = len(lines)
                break
            try:
                row = next(reader)
                problem = None if len(row) in (0, self._width) else f"has {len(row)} fields, the header has {self._width}"
            except csv.Error as error:
                if source.position == len(lines) and not (at_end or too_long) and _may_go_on(lines[start:]):
                    source.position = start
                    break
                row, problem = [], f"is not CSV: {error}"
            if problem is None and too_long and source.position == len(lines):
                row, problem = [], f"is longer than {MAX_LINE:,} characters"
            if problem is not None:
                rejections.append(Rejection(self._line + start, problem, lines[start].rstrip("\r\n")))
                source.position = start + 1
            elif row:
                raw = "".join(lines[start : source.position]).rstrip("\r\n")
                records.append(Record(self._line + start, [row[place] for place in self._places], raw))
        return self._check.by_row(records, rejections), source.position


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


def _may_go_on(lines: list[str]) -> bool:
    return len(lines) <= _RECORD_LINES and sum(map(len, lines)) <= _RECORD_CHARACTERS


def _read_header(text: TextIO, names: list[str]) -> tuple[int, list[int], int]:
    """Width of the rows, place of each column, and the line below the header."""
    lines = (text.readline(MAX_LINE) for _ in repeat(None, _RECORD_LINES))
    reader = csv.reader(iter(lines.__next__, ""), strict=True)
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
