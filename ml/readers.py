"""Files of players, CSV or JSON Lines, read in chunks: constant memory whatever the file's size."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from csv_rows import CsvRows, FileRefused
from records import Column, InvalidValue, Schema, show
from row_check import Chunk, Record, Rejection, RowCheck
from text_blocks import BLOCK_CHARACTERS, MAX_LINE, read_blocks

__all__ = ["Chunk", "FileRefused", "Rejection", "read_players"]


def read_players(
    text: TextIO, json_lines: bool, schema: Schema, columns: Sequence[Column], characters: int = BLOCK_CHARACTERS
) -> Iterator[Chunk]:
    """Reads the id and some columns of every row, about `characters` of text a chunk. Other columns may be there and are passed over.

    Raises FileRefused when a CSV's header lacks one of the columns, or each of the objects of a JSON Lines file does: that is told at its end.
    """
    check = RowCheck(schema, columns)
    return _json_chunks(text, check, characters) if json_lines else CsvRows(text, check).chunks(characters)


def _json_chunks(text: TextIO, check: RowCheck, characters: int) -> Iterator[Chunk]:
    first = 1
    never_seen: set[str] = set(check.names)
    objects = 0
    for block in read_blocks(text, characters):
        records: list[Record] = []
        rejections: list[Rejection] = []
        lines = block.lines()
        for number, content in enumerate(lines, first):
            raw = content.rstrip("\r\n")
            if raw.strip() == "":
                continue
            try:
                if block.too_long and number == first + len(lines) - 1:
                    raise InvalidValue(f"is longer than {MAX_LINE:,} characters")
                player = _json_object(raw)
                objects += 1
                if never_seen:
                    never_seen.difference_update(player)
                records.append(Record(number, _json_fields(player, check.names), raw))
            except InvalidValue as error:
                rejections.append(Rejection(number, str(error), raw))
        yield check.by_row(records, rejections)
        first += len(lines)
    if objects > 0 and never_seen:
        raise FileRefused(f"none of the {objects:,} players has {', '.join(name for name in check.names if name in never_seen)}")


def _json_object(raw: str) -> dict[str, Any]:
    try:
        # Integers of any length are doubles here, as in JavaScript.
        content = json.loads(raw, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidValue(f"is {show(content)}, expected a JSON object of a player")
    return content


def _json_fields(content: dict[str, Any], names: list[str]) -> list[Any]:
    missing = [name for name in names if name not in content]
    if missing:
        raise InvalidValue("; ".join(f"{name} is missing" for name in missing))
    return [content[name] for name in names]
