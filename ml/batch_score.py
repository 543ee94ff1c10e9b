"""Scoring script of the batch endpoint: what Azure ML's batch driver loads, with the output action "summary only".

Each input file gives one CSV under AZUREML_BI_OUTPUT_PATH, and rows that cannot be scored go to `<same stem>.rejected.jsonl`.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from itertools import repeat
from pathlib import Path

# The driver loads this file by its path, which does not put the modules beside it within reach.
sys.path.append(str(Path(__file__).resolve().parent))

from files import UNREADABLE, Draft, TextFile, bare_stem, is_data_file, is_json_lines
from model import Model, find_model_folder, load_model
from readers import Chunk, FileRefused, Rejection, read_players
from records import fingerprints

HEADER = (
    "player_id",
    "churn_label",
    "churn_probability",
    "purchase_label",
    "purchase_probability",
    "segment_id",
    "segment_name",
    "model_version",
    "scored_at",
    "inputs_fingerprint",
)

_model: Model | None = None
_output = Path()


class RefusedFiles(ValueError):
    """Files of a mini-batch that could not be scored at all. The job must not succeed without them."""


def init() -> None:
    """Loads the model that Azure ML mounted. Raises ModelFolderError, on which the job fails."""
    global _model, _output
    _model = load_model(find_model_folder(Path(os.environ["AZUREML_MODEL_DIR"])))
    _output = Path(os.environ["AZUREML_BI_OUTPUT_PATH"])
    _output.mkdir(parents=True, exist_ok=True)


def run(mini_batch: Sequence[str]) -> list[str]:
    """Scores files, given by their paths, and returns a line about each.

    Raises RefusedFiles when some could not be scored, after all the others were: the driver counts what a `run` that raises was
    given as failed, and the deployment's error threshold of 0 then fails the job.
    """
    if _model is None:
        raise RuntimeError("run() before init()")
    summary: list[str] = []
    refused: list[str] = []
    for name in mini_batch:
        path = Path(name)
        try:
            summary.append(score_file(path, _model, _output) if is_data_file(path) else f"{path.name}: skipped")
        except (FileRefused, *UNREADABLE) as error:
            refused.append(f"{path.name}: {error}")
            print(f"refused {refused[-1]}", file=sys.stderr)
    if refused:
        raise RefusedFiles("; ".join(refused))
    return summary


def score_file(path: Path, model: Model, output: Path, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> str:
    """Scores one file into the folder `output` and returns a line about it.

    The output is named by the file's stem and its content, not by its path: where Azure ML mounts the input differs by job and by
    node, and a file that is scored again must replace its own output. Two files of the same stem and content have one output.

    Raises FileRefused when the header is wrong, or an error of UNREADABLE; nothing is written then.
    """
    scored_at = now().astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    scored = rejected = 0
    with TextFile(path) as file, Draft(output, path.name) as predictions, Draft(output, path.name) as rejections:
        plain = csv.writer(predictions.text, lineterminator="\n")
        # Python's writer sees no need to quote a carriage return where lines end in a line feed.
        quoting = csv.writer(predictions.text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(HEADER)
        for chunk in read_players(file.text, is_json_lines(path), model.schema, model.schema.features):
            writer = quoting if "\r" in "".join(chunk.ids) else plain
            writer.writerows(_rows(chunk, model, scored_at))
            rejections.text.writelines(map(_rejection_line, chunk.rejections))
            scored += len(chunk.ids)
            rejected += len(chunk.rejections)
        # Short enough for any file system, whatever the input's name.
        stem = f"{bare_stem(path).encode()[:180].decode(errors='ignore')}-{file.content_hash()[:12]}"
        # The predictions last: whoever sees them finds their rejected rows there.
        if rejected > 0:
            rejections.publish(output / f"{stem}.rejected.jsonl")
        predictions.publish(output / f"{stem}.csv")
    return f"{path.name}: {scored} scored, {rejected} rejected, {stem}.csv"


def _rows(chunk: Chunk, model: Model, scored_at: str) -> Iterable[Sequence[object]]:
    if not chunk.ids:
        return ()
    predicted = model.predict(chunk.columns)
    segments = predicted.segment.tolist()
    return zip(
        chunk.ids,
        predicted.churn.label.astype(int).tolist(),
        map("{:.6f}".format, predicted.churn.probability.tolist()),
        predicted.purchase.label.astype(int).tolist(),
        map("{:.6f}".format, predicted.purchase.probability.tolist()),
        segments,
        map(model.segment_names.__getitem__, segments),
        repeat(model.version),
        repeat(scored_at),
        fingerprints(chunk.columns),
    )


def _rejection_line(rejection: Rejection) -> str:
    # Bytes that are no UTF-8 were read as lone surrogates.
    row = rejection.row.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return json.dumps({"line": rejection.line, "reason": rejection.reason, "row": row}, ensure_ascii=False) + "\n"
