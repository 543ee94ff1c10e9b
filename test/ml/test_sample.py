"""Generated players: the same by seed, more only added to fewer, and like a real game's."""

import gzip
import json
from pathlib import Path
from statistics import fmean

import pytest

import sample
from conftest import read_csv
from records import Schema, parse_features
from sample import BLOCK_ROWS, write_sample


def written(path: Path, rows: int, seed: int) -> bytes:
    write_sample(rows, seed, path, None)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"):
        first = written(tmp_path / name, 500, 5)
        assert written(tmp_path / f"again-{name}", 500, 5) == first
        assert written(tmp_path / f"other-{name}", 500, 6) != first


def test_more_rows_only_add_to_fewer(tmp_path: Path) -> None:
    most = written(tmp_path / "most.csv", 2 * BLOCK_ROWS + 7, 5)
    for rows in (1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS):
        fewer = written(tmp_path / "fewer.csv", rows, 5)
        assert most.startswith(fewer) and fewer.count(b"\n") == rows + 1
    assert most.count(b"\n") == 2 * BLOCK_ROWS + 8


def test_every_kind_of_file_holds_the_same_players(tmp_path: Path, schema: Schema) -> None:
    plain = written(tmp_path / "a.csv", 300, 5)
    assert gzip.decompress(written(tmp_path / "a.csv.gz", 300, 5)) == plain
    rows = read_csv(tmp_path / "a.csv")
    players = [json.loads(line) for line in written(tmp_path / "a.jsonl", 300, 5).splitlines()]
    assert [row["idx"] for row in rows] == [player["idx"] for player in players] == [str(number) for number in range(1, 301)]
    assert [parse_features(schema, row) for row in rows] == [parse_features(schema, player) for player in players]
    assert [row["churn_YN"] for row in rows] == [player["churn_YN"] for player in players]
    assert list(rows[0]) == [schema.id, *(column.name for column in schema.columns)]


def test_no_rows_are_a_header(tmp_path: Path) -> None:
    assert written(tmp_path / "a.csv", 0, 5).count(b"\n") == 1
    assert written(tmp_path / "a.jsonl", 0, 5) == b""


def test_players_leave_and_pay_as_often_as_the_truth_says(tmp_path: Path) -> None:
    write_sample(30_000, 5, tmp_path / "a.csv", tmp_path / "truth.csv")
    rows, truth = read_csv(tmp_path / "a.csv"), read_csv(tmp_path / "truth.csv")
    assert [row["idx"] for row in rows] == [row["idx"] for row in truth]
    for share, drawn, true in (
        (0.76, [row["churn_YN"] == "Y" for row in rows], "churn_probability"),
        (0.047, [int(row["purchase_num"]) > 0 for row in rows], "purchase_probability"),
    ):
        assert fmean(drawn) == pytest.approx(share, rel=0.1)
        assert fmean(float(row[true]) for row in truth) == pytest.approx(fmean(drawn), rel=0.05)


def test_the_command_writes_whole_files_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tmp_path / "new" / "a.csv", tmp_path / "truth.csv"
    assert sample.main(["--rows", "10", "--seed", "2", "--out", str(out), "--truth", str(truth)]) == 0
    assert "10 players written to" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["a.csv", "truth.csv"]
    (tmp_path / "folder.csv").mkdir()
    assert sample.main(["--rows", "10", "--out", str(tmp_path / "folder.csv")]) == 2
    assert capsys.readouterr().err.startswith("sample: ")
    assert [path.name for path in tmp_path.glob(".*")] == []
    with pytest.raises(SystemExit, match="2"):
        sample.main(["--rows", "-1", "--out", str(tmp_path / "a.csv")])
