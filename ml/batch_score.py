"""Scoring script of the batch endpoint: what Azure ML's batch driver loads, with the output action "summary only".

Of an input file `part-0.csv.gz` come, under AZUREML_BI_OUTPUT_PATH,

    part-0-<content's hash>.csv                the predictions
    part-0-<content's hash>.rejected.jsonl     rows that cannot be scored, each with its line and the reason; only if there are any
    _summaries/part-0-<content's hash>.json    {"file", "bytes", "scored", "rejected"}, or {"file", "bytes", "refused": reason}
    _statistics/part-0-<content's hash>.json   counts of the players, as `player_statistics.py` has them

and, once a job, `_statistics/training.json`: the counts of the training data, with which `functions/drift/` compares the others.

A file that is refused has a summary alone. One without a summary was not scored: `functions/reconcile/` looks for these.
"""

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

# The driver loads this file by its path, which does not put the modules beside it within reach.
sys.path.append(str(Path(__file__).resolve().parent))

from files import BROKEN, Draft, TextFile, bare_stem, is_data_file, is_json_lines
from model import Model, Predictions, find_model_folder, load_model
from player_statistics import Statistics
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
SUMMARIES = "_summaries"
"""Folder of the summaries. Readers of folders pass over names that start with an underscore."""
STATISTICS = "_statistics"
"""Folder of the counts."""
TRAINING = "training.json"

# Chunks that are read while one is predicted: enough to keep the models busy.
_CHUNKS_AHEAD = 2

_model: Model | None = None
_output = Path()


def init() -> None:
    """Loads the model that Azure ML mounted. Raises ModelFolderError, on which the job fails."""
    global _model, _output
    folder = find_model_folder(Path(os.environ["AZUREML_MODEL_DIR"]))
    _model = load_model(folder)
    _output = Path(os.environ["AZUREML_BI_OUTPUT_PATH"])
    (_output / SUMMARIES).mkdir(parents=True, exist_ok=True)
    training = json.loads((folder / "statistics.json").read_bytes())
    _write_json(_output / STATISTICS, TRAINING, training | {"modelVersion": _model.version})


def run(mini_batch: Sequence[str]) -> list[str]:
    """Scores files, given by their paths, and returns a line about each.

    A file whose content is wrong is refused, and the others are scored: another try would refuse it again. Raises OSError when a file
    cannot be read or written, on which the driver tries the mini-batch again.
    """
    if _model is None:
        raise RuntimeError("run() before init()")
    lines: list[str] = []
    for path in map(Path, mini_batch):
        try:
            lines.append(score_file(path, _model, _output) if is_data_file(path) else f"{path.name}: skipped")
        except (FileRefused, *BROKEN) as error:
            lines.append(f"{path.name}: refused: {error}")
            print(lines[-1], file=sys.stderr)
    return lines


def score_file(path: Path, model: Model, output: Path, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> str:
    """Scores one file into the folder `output` and returns a line about it.

    The output is named by the file's stem and its content, not by its path: where Azure ML mounts the input differs by job and by
    node, and a file that is scored again must replace its own output. Two files of the same stem and content have one output.

    Raises FileRefused when the header is wrong, or an error of BROKEN: the summary alone is written then, and tells the reason.
    """
    scored_at = now().astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    scored = rejected = 0
    statistics = Statistics(model.schema, model.bins)
    with TextFile(path) as file, Draft(output, path.name) as predictions, Draft(output, path.name) as rejections:
        predictions.text.write(",".join(HEADER) + "\n")
        try:
            for chunk, predicted in _predicted(read_players(file.text, is_json_lines(path), model.schema, model.schema.features), model):
                predictions.text.write(_lines(chunk, predicted, model, scored_at))
                rejections.text.writelines(map(_rejection_line, chunk.rejections))
                statistics.add(predicted.inputs, predicted.probabilities, predicted.segment, chunk.columns)
                scored += len(chunk.ids)
                rejected += len(chunk.rejections)
        except (FileRefused, *BROKEN) as error:
            _write_summary(path, output, _output_stem(path, file), {"refused": str(error)})
            raise
        stem = _output_stem(path, file)
        # The predictions last but for the summary: whoever sees them finds their rejected rows there.
        if rejected > 0:
            rejections.publish(output / f"{stem}.rejected.jsonl")
        _write_json(output / STATISTICS, f"{stem}.json", statistics.to_json(model.version))
        predictions.publish(output / f"{stem}.csv")
        _write_summary(path, output, stem, {"scored": scored, "rejected": rejected})
    return f"{path.name}: {scored} scored, {rejected} rejected, {stem}.csv"


def _predicted(chunks: Iterable[Chunk], model: Model) -> Iterator[tuple[Chunk, Predictions]]:
    """The chunks with their predictions, which are made while the next chunks are read: LightGBM needs no Python meanwhile."""
    waiting: deque[tuple[Chunk, Future[Predictions]]] = deque()
    with ThreadPoolExecutor(1) as predictor:
        for chunk in chunks:
            waiting.append((chunk, predictor.submit(model.predict, chunk.columns)))
            if len(waiting) > _CHUNKS_AHEAD:
                done, predictions = waiting.popleft()
                yield done, predictions.result()
        for done, predictions in waiting:
            yield done, predictions.result()


def _output_stem(path: Path, file: TextFile) -> str:
    # Short enough for any file system, whatever the input's name.
    return f"{bare_stem(path).encode()[:180].decode(errors='ignore')}-{file.content_hash()[:12]}"


def _write_summary(path: Path, output: Path, stem: str, result: dict[str, Any]) -> None:
    _write_json(output / SUMMARIES, f"{stem}.json", {"file": path.name, "bytes": path.stat().st_size, **result})


def _write_json(folder: Path, name: str, content: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    with Draft(folder, name) as draft:
        draft.text.write(json.dumps(content, ensure_ascii=False) + "\n")
        draft.publish(folder / name)


def _lines(chunk: Chunk, predicted: Predictions, model: Model, scored_at: str) -> str:
    """The chunk's predictions as lines of CSV. The `csv` module takes more than twice the time over them."""
    names = [f"{number},{_csv_field(name)}" for number, name in enumerate(model.segment_names)]
    ids = chunk.ids if _is_plain("".join(chunk.ids)) else map(_csv_field, chunk.ids)
    rows = zip(
        ids,
        predicted.churn.label.tolist(),
        predicted.churn.probability.tolist(),
        predicted.purchase.label.tolist(),
        predicted.purchase.probability.tolist(),
        map(names.__getitem__, predicted.segment.tolist()),
        fingerprints(chunk.columns),
        strict=True,
    )
    line = f"%s,%d,%.6f,%d,%.6f,%s,{model.version},{scored_at},%s\n"
    return "".join(map(line.__mod__, rows))


def _is_plain(text: str) -> bool:
    return not any(mark in text for mark in ',"\r\n')


def _csv_field(text: str) -> str:
    doubled = text.replace('"', '""')
    return text if _is_plain(text) else f'"{doubled}"'


def _rejection_line(rejection: Rejection) -> str:
    # Bytes that are no UTF-8 were read as lone surrogates.
    row = rejection.row.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return json.dumps({"line": rejection.line, "reason": rejection.reason, "row": row}, ensure_ascii=False) + "\n"
