"""Scoring script of the online endpoint: what Azure ML's inference server loads.

    POST /score {"players": [{"playerId": "2", "features": {"age": 50, ...}}]}
    -> 200      {"modelVersion": "..", "predictions": [{"playerId", "churn": {"label", "probability"}, "purchase": {..},
                 "segment": {"id", "name"}}], "errors": [{"playerId", "code", "message"}]}
    -> 400      {"message": ".."} where the body is not of this shape

Each player is in one of the two lists. The `features` are those of `features.json`; other names in it are passed over.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The server loads this file by its path, which does not put the modules beside it within reach.
sys.path.append(str(Path(__file__).resolve().parent))

from azureml_inference_server_http.api.aml_response import AMLResponse

from model import Model, find_model_folder, load_model
from records import InvalidValue, Value, parse_features, show

_model: Model | None = None


class BadRequest(ValueError):
    """The body is not a request for predictions; the message names the field, the value and what is expected."""


def init() -> None:
    """Loads the model that Azure ML mounted. Raises ModelFolderError, on which the server does not start."""
    global _model
    _model = load_model(find_model_folder(Path(os.environ["AZUREML_MODEL_DIR"])))


def run(data: str) -> dict[str, Any] | AMLResponse:
    """Answers one request, given by its body."""
    if _model is None:
        raise RuntimeError("run() before init()")
    try:
        return answer(_model, read_request(data))
    except BadRequest as error:
        return AMLResponse({"message": str(error)}, 400, json_str=True)


def read_request(data: str) -> list[tuple[str, Any]]:
    """The players of a body: ids and their features, unchecked. Raises BadRequest."""
    try:
        # Integers of any length are doubles here, as in JavaScript.
        body = json.loads(data, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    players = body.get("players") if isinstance(body, dict) else None
    if not isinstance(players, list):
        raise BadRequest(f'the body is {show(body)}, expected {{"players": [{{"playerId": "..", "features": {{..}}}}]}}')
    return [_read_player(place, player) for place, player in enumerate(players)]


def _read_player(place: int, player: Any) -> tuple[str, Any]:
    player_id = player.get("playerId") if isinstance(player, dict) else None
    if not isinstance(player_id, str):
        raise BadRequest(f'players[{place}] is {show(player)}, expected {{"playerId": "..", "features": {{..}}}}')
    return player_id, player.get("features")


def answer(model: Model, players: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Predictions for those whose features are right, errors for the others."""
    ids: list[str] = []
    rows: list[list[Value]] = []
    errors: list[dict[str, str]] = []
    for player_id, features in players:
        try:
            if not isinstance(features, dict):
                raise InvalidValue(f"features is {show(features)}, expected an object")
            rows.append(parse_features(model.schema, features))
            ids.append(player_id)
        except InvalidValue as error:
            errors.append({"playerId": player_id, "code": "invalid_features", "message": str(error)})
    return {"modelVersion": model.version, "predictions": _predictions(model, ids, rows), "errors": errors}


def _predictions(model: Model, ids: list[str], rows: list[list[Value]]) -> list[dict[str, Any]]:
    if not rows:
        return []
    predicted = model.predict(list(zip(*rows, strict=True)))
    columns = (
        ids,
        predicted.churn.label.tolist(),
        predicted.churn.probability.tolist(),
        predicted.purchase.label.tolist(),
        predicted.purchase.probability.tolist(),
        predicted.segment.tolist(),
    )
    return [
        {
            "playerId": player_id,
            "churn": {"label": leaves, "probability": churn},
            "purchase": {"label": pays, "probability": purchase},
            "segment": {"id": segment, "name": model.segment_names[segment]},
        }
        for player_id, leaves, churn, pays, purchase, segment in zip(*columns, strict=True)
    ]
