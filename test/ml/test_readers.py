"""Files of players, as people and programs write them."""

import gzip
import io
import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import text_blocks
from conftest import PLAYER
from files import TextFile, is_json_lines
from readers import Chunk, FileRefused, read_players
from records import Schema

ROW = {"idx": "1", **{name: str(value) for name, value in PLAYER.items()}}
HEADER = ",".join(ROW)
LINE = ",".join(ROW.values())

# What a file can hold; a NUL only from Python 3.11 on.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ['"', '""', "a\nb", "\r\n", "\r", ",", '게임,\n"왕"']
)
categories = texts.filter(lambda text: text.strip() != "" and text.strip("\ufeff") != "")
numbers = st.integers(-(10**6), 10**6).map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
players = st.fixed_dictionaries(
    {name: st.just(value) for name, value in ROW.items()}
    | {"idx": categories.filter(lambda text: not text.endswith(" ")), "age": numbers, "race": categories, "country": categories}
    | {"clan": texts, "identity": texts}
)


def csv_line(fields: Sequence[str], newline: str, quote_all: bool) -> str:
    def quoted(field: str) -> str:
        doubled = field.replace('"', '""')
        return f'"{doubled}"' if quote_all or any(mark in field for mark in ',"\r\n') else field

    return ",".join(map(quoted, fields)) + newline


def read(path: Path, schema: Schema, characters: int = 1 << 20) -> Chunk:
    """All chunks of a file as one."""
    lines: list[int] = []
    whole = Chunk(lines, columns=[[] for _ in schema.features])
    with TextFile(path) as file:
        for chunk in read_players(file.text, is_json_lines(path), schema, schema.features, characters):
            lines += chunk.lines
            whole.ids += chunk.ids
            whole.rejections += chunk.rejections
            for column, more in zip(whole.columns, chunk.columns, strict=True):
                column += more
    return whole


def reasons(chunk: Chunk) -> list[tuple[int, str]]:
    return [(rejection.line, rejection.reason) for rejection in chunk.rejections]


def checked(schema: Schema, rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [[float(row[column.name]) + 0.0 if column.type == "number" else row[column.name] for row in rows] for column in schema.features]


@given(
    rows=st.lists(players, max_size=5),
    order=st.randoms(use_true_random=False),
    newline=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
    bom=st.booleans(),
    zipped=st.booleans(),
    characters=st.integers(1, 300),
)
def test_csv_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    schema: Schema,
    rows: list[dict[str, str]],
    order: Any,
    newline: str,
    quote_all: bool,
    bom: bool,
    zipped: bool,
    characters: int,
) -> None:
    names = [*ROW, "clan", "identity"]
    order.shuffle(names)
    lines = [csv_line(names, newline, quote_all), *(csv_line([row[name] for name in names], newline, quote_all) for row in rows)]
    content = "".join(lines).encode("utf-8-sig" if bom else "utf-8")
    heights = [len(io.StringIO(line, newline="").readlines()) for line in lines]
    path = tmp_path_factory.mktemp("csv") / ("players.csv.gz" if zipped else "players.csv")
    path.write_bytes(gzip.compress(content) if zipped else content)

    chunk = read(path, schema, characters)
    assert reasons(chunk) == []
    assert chunk.ids == [row["idx"] for row in rows]
    assert chunk.columns == checked(schema, rows)
    assert chunk.lines == list(accumulate(heights, initial=1))[1:-1]


@given(rows=st.lists(players, max_size=5), newline=st.sampled_from(["\n", "\r\n"]), ascii_only=st.booleans(), characters=st.integers(1, 300))
def test_json_lines_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, schema: Schema, rows: list[dict[str, str]], newline: str, ascii_only: bool, characters: int
) -> None:
    path = tmp_path_factory.mktemp("json") / "players.jsonl"
    path.write_bytes("".join(json.dumps(row, ensure_ascii=ascii_only) + newline for row in rows).encode())
    chunk = read(path, schema, characters)
    assert reasons(chunk) == []
    assert chunk.ids == [row["idx"] for row in rows]
    assert chunk.columns == checked(schema, rows)
    assert chunk.lines == list(range(1, 1 + len(rows)))


@given(st.binary(max_size=400), st.integers(1, 400))
def test_any_bytes_below_a_header_cost_no_more_than_their_lines(
    tmp_path_factory: pytest.TempPathFactory, schema: Schema, noise: bytes, characters: int
) -> None:
    path = tmp_path_factory.mktemp("noise") / "players.csv"
    good = f"{LINE}\n".encode()
    # A quote that the noise leaves open must not take in the good rows below it.
    path.write_bytes(f"{HEADER}\n".encode() + good + noise.replace(b"\0", b"") + b"\n" + good * 3)
    chunk = read(path, schema, characters)
    assert chunk.ids == ["1"] * 4


def test_a_wrong_row_is_set_aside_with_its_line_reason_and_text(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.csv"
    lines = [
        HEADER,
        LINE,
        LINE.replace("39", "old"),
        "1,2,3",
        "",
        '2,"39,20',
        LINE.replace("1,", '"two\nlines",', 1).replace("White", ""),
        LINE.replace("1,", ",", 1),
        LINE.replace("1,", "a ,", 1),
        LINE.replace("1,", f"{'x' * 65},", 1),
        LINE,
    ]
    path.write_text("\r\n".join(lines), newline="")
    for characters in (1, 60, 200, 10_000):
        chunk = read(path, schema, characters)
        assert chunk.lines == [2, 12]
        assert [(rejection.line, rejection.reason.split(",")[0]) for rejection in chunk.rejections] == [
            (3, 'age is "old"'),
            (4, "has 3 fields"),
            (6, "is not CSV: '"),
            (7, 'race is ""'),
            (9, 'idx is ""'),
            (10, 'idx is "a "'),
            (11, f'idx is "{"x" * 65}"'),
        ]
        assert chunk.rejections[0].row == lines[2]
        assert chunk.rejections[3].row == lines[6]


def test_a_byte_that_is_no_utf_8_costs_its_row_only_where_it_matters(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.csv"
    bad = LINE.encode().replace(b"White", b"Wh\xffite")
    path.write_bytes(f"{HEADER},clan\n{LINE},a\n".encode() + bad + b",a\n" + LINE.encode() + b",\xff\n")
    chunk = read(path, schema)
    assert chunk.lines == [2, 4]
    assert [rejection.line for rejection in chunk.rejections] == [3]


def test_a_quote_never_closed_costs_its_line(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.csv"
    path.write_text(f'{HEADER}\n"{LINE}\n' + f"{LINE}\n" * 5_000)
    chunk = read(path, schema)
    assert [rejection.line for rejection in chunk.rejections] == [2]
    assert chunk.lines == list(range(3, 5_003))


def test_a_wrong_row_among_many_costs_itself_alone_wherever_it_is(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.csv"
    lines = [LINE.replace("1,", f"{number},", 1) for number in range(2, 2_002)]
    wrong = {2: "1,2", 130: "", 131: LINE.replace("39", "old"), 900: f'"{LINE}', 1_500: f"{LINE},,", 2_001: LINE.replace("39", "")}
    for number, line in wrong.items():
        lines[number - 2] = line
    path.write_text("\n".join([HEADER, *lines]))
    for characters in (500, 1 << 20):
        chunk = read(path, schema, characters)
        assert [rejection.line for rejection in chunk.rejections] == [2, 131, 900, 1_500, 2_001]
        assert chunk.lines == [number for number in range(2, 2_002) if number not in wrong]
        assert chunk.ids == list(map(str, chunk.lines))


def test_a_line_longer_than_the_memory_may_hold_is_set_aside(tmp_path: Path, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_blocks, "MAX_LINE", 2_000)
    long = {"csv": [f"{LINE},{'x' * 5_000}", f'"{LINE},{"y" * 3_000}', f"{LINE},{'z' * 1_999}"], "jsonl": [f'{{"idx": "{"x" * 5_000}"}}'] * 3}
    for ending, (first, second, third) in long.items():
        row = f"{LINE},clan" if ending == "csv" else json.dumps({"idx": "1", **PLAYER})
        lines = [*([f"{HEADER},clan"] if ending == "csv" else [row]), row, first, row, second, row, third]
        path = tmp_path / f"players.{ending}"
        for newline in ("\n", "\r\n"):
            path.write_text(newline.join(lines), newline="")
            for characters in (1, 100, 1_000, 2_000):
                chunk = read(path, schema, characters)
                assert chunk.lines == [*([] if ending == "csv" else [1]), 2, 4, 6]
                assert [rejection.line for rejection in chunk.rejections] == [3, 5, 7]
                assert all("is longer than" in reason for line, reason in reasons(chunk) if line != 5)
                assert all(len(rejection.row) <= 1_000 for rejection in chunk.rejections)


def test_a_column_that_nobody_asks_for_may_be_long(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.csv"
    path.write_text(f'{HEADER},notes\n{LINE},{"x" * 200_000}\n{LINE},"{"y" * 200_000}"\n')
    chunk = read(path, schema)
    assert chunk.lines == [2, 3] and chunk.rejections == []


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("", "there is no header"),
        ("\n\n", "there is no header"),
        (HEADER.replace("race", "Race"), "the header lacks race; found idx, age"),
        (HEADER.replace("idx,", ""), "the header lacks idx; found age"),
        (f"{HEADER},race", "the header has race twice"),
        (f'{HEADER},"clan', "the header is not CSV"),
        (LINE, "the header lacks idx, age"),
    ],
)
def test_a_wrong_header_refuses_the_file(tmp_path: Path, schema: Schema, header: str, problem: str) -> None:
    path = tmp_path / "players.csv"
    path.write_text(f"\ufeff{header}", encoding="utf-8")
    with pytest.raises(FileRefused, match=problem):
        read(path, schema)


def test_a_header_after_a_bom_may_be_quoted(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players"
    path.write_text("\ufeff" + ",".join(f'"{name}"' for name in ROW) + f"\n{LINE}", encoding="utf-8")
    assert read(path, schema).ids == ["1"]


def test_json_lines_are_checked_row_by_row(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.ndjson"
    player = {"idx": "1", **PLAYER}
    lines = [
        json.dumps(player),
        "",
        json.dumps({**player, "idx": 2, "crystal": 800, "extra": [1]}),
        "{",
        "[1]",
        json.dumps({name: value for name, value in player.items() if name != "race"}),
        json.dumps({**player, "age": True}),
        json.dumps({**player, "age": float("nan")}),
        json.dumps({**player, "idx": None}),
        json.dumps(player).replace("39", "1" + "0" * 5_000),
        "[" * 100_000,
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    chunk = read(path, schema, 3)
    assert list(zip(chunk.lines, chunk.ids, strict=True)) == [(1, "1"), (3, "2")]
    assert chunk.columns[0] == [39.0, 39.0] and chunk.columns[5] == ["800", "800"]
    assert [rejection.line for rejection in chunk.rejections] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert [rejection.reason for rejection in chunk.rejections[1:4]] == [
        "is [1.0], expected a JSON object of a player",
        "race is missing",
        "age is true, expected a finite number",
    ]


def test_json_lines_that_all_lack_a_column_are_refused_as_a_header_is(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "players.jsonl"
    lines = ["{", *(json.dumps({"idx": str(number)}) for number in range(9))]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(FileRefused, match="none of the 9 players has age, .*race"):
        read(path, schema)
    # One that has all of them makes the others wrong rows, not the file a wrong one.
    path.write_text("\n".join([*lines, json.dumps({"idx": "9", **PLAYER})]), encoding="utf-8")
    chunk = read(path, schema)
    assert chunk.ids == ["9"] and len(chunk.rejections) == 10
