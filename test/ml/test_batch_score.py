"""The batch script on files: what it writes, what it sets aside and what it refuses."""

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import batch_score
from conftest import PLAYER, Trained, batch_lines, read_csv, write_csv

PROJECT = Path(__file__).resolve().parents[2]


def test_a_file_in_the_batch_is_written_as_agreed(trained: Trained, tmp_path: Path) -> None:
    rows = [{**row, "idx": player} for row, player in zip(read_csv(trained.others), ["plain", '콤마, "왕"', "a\rb\nc"], strict=False)]
    path = write_csv(tmp_path / "part-0.csv", [{"idx": "1", **PLAYER}])
    lines = batch_lines(trained, path, tmp_path / "out")
    assert list(lines[0]) == list(batch_score.HEADER)
    assert lines[0]["scored_at"] == "2026-01-31T12:00:00.123Z"
    assert lines[0]["inputs_fingerprint"] == "23802805b9fc437c"
    assert re.fullmatch(r"[01],[01]\.\d{6},[01],[01]\.\d{6},\d", ",".join(list(lines[0].values())[1:6]))
    assert b"\r" not in next((tmp_path / "out").glob("*.csv")).read_bytes()
    jsonl = tmp_path / "odd ids.jsonl"
    jsonl.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [line["player_id"] for line in batch_lines(trained, jsonl, tmp_path / "odd")] == [row["idx"] for row in rows]


def test_wrong_rows_go_beside_the_predictions(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    path = tmp_path / "part-0.csv.gz"
    player = ",".join(["1", *map(str, PLAYER.values())])
    content = "\n".join([",".join(["idx", *PLAYER]), player, player.replace("39", ""), "1,2", player]).encode() + b"\n\xff\n"
    path.write_bytes(gzip.compress(content))
    assert re.fullmatch(
        r"part-0\.csv\.gz: 2 scored, 3 rejected, part-0-[0-9a-f]{12}\.csv", batch_score.score_file(path, trained.model, output)
    )
    (predictions,), (rejected,) = output.glob("*.csv"), output.glob("*.jsonl")
    assert rejected.name == f"{predictions.stem}.rejected.jsonl"
    assert [json.loads(line) for line in rejected.read_text(encoding="utf-8").splitlines()] == [
        {"line": 3, "reason": 'age is "", expected a finite number', "row": player.replace("39", "")},
        {"line": 4, "reason": "has 2 fields, the header has 13", "row": "1,2"},
        {"line": 6, "reason": "has 1 fields, the header has 13", "row": "\ufffd"},
    ]


def test_outputs_are_named_by_stem_and_content(trained: Trained, tmp_path: Path) -> None:
    rows = [{"idx": "1", **PLAYER}, {"idx": "2", **PLAYER}]
    for folder, row in (("region=a", rows[0]), ("region=b", rows[1])):
        (tmp_path / folder).mkdir()
        write_csv(tmp_path / folder / "part-0.csv", [row])
        output = tmp_path / "out"
        # Again, as Azure ML does with a mini-batch whose worker was lost.
        for _ in range(2):
            output.mkdir(exist_ok=True)
            batch_score.score_file(tmp_path / folder / "part-0.csv", trained.model, output)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.*"))
    assert len(names) == 2 and all(re.fullmatch(r"part-0-[0-9a-f]{12}\.csv", name) for name in names)


def test_names_may_be_as_long_as_file_systems_take_them(trained: Trained, tmp_path: Path) -> None:
    path = write_csv(tmp_path / f"{'긴' * 83}a.csv", [{"idx": "1", **PLAYER}])
    assert len(path.name.encode()) == 254
    assert len(batch_lines(trained, path, tmp_path / "out")) == 1


def started(trained: Trained, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained.folder))
    monkeypatch.setenv("AZUREML_BI_OUTPUT_PATH", str(output))
    batch_score.init()


def summaries(output: Path) -> dict[str, dict[str, Any]]:
    """What the script says of each file, by the file's name."""
    read = [json.loads(path.read_bytes()) for path in (output / "_summaries").iterdir()]
    return {summary.pop("file"): summary for summary in read}


def test_the_batch_script_scores_the_files_of_a_folder(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "job" / "out"
    started(trained, output, monkeypatch)
    good = write_csv(tmp_path / "good.csv", [{"idx": "1", **PLAYER}, {"idx": "2", **PLAYER, "age": "old"}])
    zipped = tmp_path / "good.ndjson.gz"
    zipped.write_bytes(gzip.compress(json.dumps({"idx": 2, **PLAYER}).encode()))
    header = tmp_path / "header.csv"
    header.write_text(",".join(["idx", *PLAYER]))
    quiet = ["_SUCCESS", "_metadata.csv", ".hidden.csv", "empty.csv"]
    for name in quiet:
        (tmp_path / name).write_text("" if name in ("_SUCCESS", "empty.csv") else "x")
    lines = batch_score.run([*(str(tmp_path / name) for name in quiet), str(header), str(good), str(zipped)])
    assert [line.split(",")[0] for line in lines] == [
        *(f"{name}: skipped" for name in quiet),
        "header.csv: 0 scored",
        "good.csv: 1 scored",
        "good.ndjson.gz: 1 scored",
    ]
    assert summaries(output) == {
        "header.csv": {"bytes": header.stat().st_size, "scored": 0, "rejected": 0},
        "good.csv": {"bytes": good.stat().st_size, "scored": 1, "rejected": 1},
        "good.ndjson.gz": {"bytes": zipped.stat().st_size, "scored": 1, "rejected": 0},
    }
    assert sorted(path.name for path in (output / "_summaries").iterdir()) == sorted(f"{path.stem}.json" for path in output.glob("*.csv"))


def test_a_file_that_is_refused_costs_no_other(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    started(trained, output, monkeypatch)
    good = write_csv(tmp_path / "good.csv", [{"idx": "1", **PLAYER}])
    (tmp_path / "wrong.csv").write_text("idx,age\n1,39\n")
    (tmp_path / "broken.csv.gz").write_bytes(gzip.compress(good.read_bytes())[:-9])
    (tmp_path / "damaged.csv.gz").write_bytes(gzip.compress(good.read_bytes())[:10] + b"\xff" * 20)
    (tmp_path / "text.jsonl.gz").write_text("no gzip")
    refused = ["wrong.csv", "broken.csv.gz", "damaged.csv.gz", "text.jsonl.gz"]
    # Twice, as when the job is repeated: nothing is told twice.
    for _ in range(2):
        lines = batch_score.run([str(tmp_path / name) for name in (*refused, "good.csv")])
        logged = capsys.readouterr().err
        assert [line.split(": ")[:2] for line in lines[:4]] == [[name, "refused"] for name in refused]
        assert all(line in logged for line in lines[:4]) and lines[4].startswith("good.csv: 1 scored")
    told = summaries(output)
    assert len(list((output / "_summaries").iterdir())) == len(told) == 5
    assert "the header lacks promotion_num" in told["wrong.csv"]["refused"]
    assert all(told[name] == {"bytes": (tmp_path / name).stat().st_size, "refused": told[name]["refused"]} for name in refused)
    assert [path.name[: path.name.rindex("-")] for path in output.iterdir() if path.is_file()] == ["good"]


def test_a_file_that_cannot_be_read_is_left_to_another_try(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started(trained, tmp_path / "out", monkeypatch)
    with pytest.raises(OSError, match=r"gone\.csv"):
        batch_score.run([str(tmp_path / "gone.csv")])
    assert summaries(tmp_path / "out") == {}


def test_a_wrong_file_leaves_no_predictions(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    # The fault comes late: predictions were written by then.
    path = tmp_path / "late.csv.gz"
    path.write_bytes(gzip.compress(trained.others.read_bytes())[:-9])
    with pytest.raises(EOFError):
        batch_score.score_file(path, trained.model, tmp_path / "out")
    assert [found.name for found in (tmp_path / "out").iterdir()] == ["_summaries"]


def test_batch_output_is_read_back_by_any_csv_reader(trained: Trained, tmp_path: Path) -> None:
    lines = batch_lines(trained, trained.others, tmp_path / "out")
    assert [line["player_id"] for line in lines] == [row["idx"] for row in read_csv(trained.others)]
    (written,) = (tmp_path / "out").glob("*.csv")
    assert {len(row) for row in csv.reader(written.read_text(encoding="utf-8").splitlines())} == {len(batch_score.HEADER)}


def test_the_memory_does_not_grow_with_the_file(trained: Trained, tmp_path: Path) -> None:
    header, *rows = trained.others.read_text(encoding="utf-8").splitlines(keepends=True)

    def kibibytes(copies: int) -> int:
        """The most that a process needs that scores so many times the 20,000 players."""
        path = tmp_path / f"{copies}.csv"
        path.write_text("".join([header, *rows * copies]), encoding="utf-8")
        output = tmp_path / f"out-{copies}"
        output.mkdir()
        code = (
            "import sys; from pathlib import Path; import batch_score; from model import load_model; "
            "batch_score.score_file(Path(sys.argv[1]), load_model(Path(sys.argv[2])), Path(sys.argv[3])); "
            # Not `ru_maxrss`, which takes over what the process needed before it became another program.
            "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
        )
        command = [sys.executable, "-c", code, path, trained.folder, output]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "ml")}
        return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)

    small, large = kibibytes(4), kibibytes(16)
    # The larger file has 15 MiB more, which would be over 100 MiB of rows.
    assert large - small < 30_000, (small, large)
