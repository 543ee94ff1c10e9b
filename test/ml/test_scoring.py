"""The two scoring scripts: the online one behind Azure ML's own server, the batch one on files, and that both say the same."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import score
from conftest import PLAYER, Trained, batch_lines, read_csv, write_csv
from records import parse_features

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `score.py` on the server that Azure ML runs it with, with the model mounted as Azure ML does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("server")
    command = [PROJECT / "local/parts/inference_server.py", "--entry_script", score.__file__, "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AML_", "AZUREML_"))}
    environment["AZUREML_MODEL_DIR"] = str(trained.folder.parent)
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urlopen(url, timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((folder / "log").read_text()) from None
                time.sleep(0.1)
        yield f"{url}/score"
    finally:
        process.terminate()
        process.wait(30)


def post(url: str, body: str) -> tuple[int, Any]:
    try:
        with urlopen(Request(url, body.encode(), {"content-type": "application/json"}), timeout=30) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def request(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"players": [{"playerId": row["idx"], "features": {name: row[name] for name in PLAYER}} for row in rows]})


def test_the_server_and_the_batch_say_the_same_of_every_player(server: str, trained: Trained, tmp_path: Path) -> None:
    rows = read_csv(trained.others)[:700]
    # As a request has them: numbers as numbers.
    status, answer = post(server, request([{**row, "age": int(row["age"]), "crystal": int(row["crystal"])} for row in rows]))
    assert status == 200 and answer["errors"] == [] and answer["modelVersion"] == trained.model.version
    lines = batch_lines(trained, write_csv(tmp_path / "players.csv", rows), tmp_path / "out")
    assert len(lines) == len(answer["predictions"]) == 700
    for line, prediction in zip(lines, answer["predictions"], strict=True):
        assert {
            "playerId": line["player_id"],
            "churn": {"label": line["churn_label"] == "1", "probability": float(line["churn_probability"])},
            "purchase": {"label": line["purchase_label"] == "1", "probability": float(line["purchase_probability"])},
            "segment": {"id": int(line["segment_id"]), "name": line["segment_name"]},
        } == prediction
        assert line["model_version"] == answer["modelVersion"]
    one_by_one = [post(server, request([row]))[1]["predictions"][0] for row in rows[:25]]
    assert one_by_one == answer["predictions"][:25]


def test_the_server_answers_each_player_by_itself(server: str, trained: Trained) -> None:
    players = [
        {"playerId": "no features"},
        {"playerId": "걱정", "features": {**PLAYER, "age": "old"}},
        {"playerId": "unseen", "features": {**PLAYER, "country": "아틀란티스"}},
        {"playerId": "unseen", "features": {**PLAYER, "country": "Mu"}},
    ]
    status, answer = post(server, json.dumps({"players": players}))
    assert status == 200
    assert answer["errors"] == [
        {"playerId": "no features", "code": "invalid_features", "message": "features is null, expected an object"},
        {"playerId": "걱정", "code": "invalid_features", "message": 'age is "old", expected a finite number'},
    ]
    # No category that training has not seen is different from another.
    assert answer["predictions"][0] == answer["predictions"][1]
    assert post(server, '{"players": []}') == (200, {"modelVersion": trained.model.version, "predictions": [], "errors": []})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "the body is not JSON"),
        ("[]", "the body is [], expected"),
        ('{"players": {}}', 'the body is {"players": {}}, expected'),
        ('{"players": [1]}', "players[0] is 1.0, expected"),
        ('{"players": [{"playerId": "1"}, {"playerId": 2}]}', 'players[1] is {"playerId": 2.0}, expected'),
        ("[" * 100_000, "the body is not JSON"),
    ],
)
def test_the_server_refuses_what_is_no_request(server: str, body: str, problem: str) -> None:
    status, answer = post(server, body)
    assert status == 400 and answer["message"].startswith(problem)


@pytest.fixture(scope="module")
def inputs(trained: Trained) -> list[list[Any]]:
    """600 players' checked features, a row a player."""
    return [parse_features(trained.model.schema, row) for row in read_csv(trained.others)[:600]]


@given(st.lists(st.integers(0, 599), min_size=1, max_size=40))
def test_a_prediction_does_not_depend_on_who_else_is_asked_for(trained: Trained, inputs: list[list[Any]], chosen: list[int]) -> None:
    whole = trained.model.predict(list(zip(*inputs, strict=True)))
    part = trained.model.predict(list(zip(*(inputs[place] for place in chosen), strict=True)))
    picked = np.array(chosen)
    for all_scores, scores in ((whole.churn, part.churn), (whole.purchase, part.purchase)):
        assert (all_scores.probability[picked] == scores.probability).all()
        assert (all_scores.label[picked] == scores.label).all()
    assert (whole.segment[picked] == part.segment).all()
