"""The players that models are trained on, read from files and split into parts and folds by the player."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from files import UNREADABLE, TextFile, is_data_file, is_json_lines
from readers import FileRefused, Rejection, read_players
from records import Label, Schema, Value, fingerprints
from segments import Floats

PARTS = ("train", "test")
TEST_SHARE = 0.2
FOLDS = 5
"""Of the training part. A booster is fitted to all folds but one, which stops its fitting, and scored on that one."""

InTest = Callable[[NDArray[np.uint64]], NDArray[np.bool_]]
"""Tells by players' numbers, spread evenly over 64 bits, who is in the test part."""


class DataError(ValueError):
    """The data cannot train the models; the message says what is wrong and what is expected."""


@dataclass(frozen=True)
class TrainingData:
    """Players in an order that depends on them alone, not on files or their order.

    `matrix` has a column a feature, where a category stands as its place in `categories`; `parts` holds the rows of each part, `folds`
    the fold of every row. All rows of a player are in one part and one fold. `test_ids` and
    `test_columns` are those of the test part, the columns as `Model.predict` takes them.
    """

    matrix: Floats
    categories: dict[str, list[str]]
    labels: dict[str, NDArray[np.bool_]]
    parts: dict[str, NDArray[np.intp]]
    folds: NDArray[np.intp]
    test_ids: list[str]
    test_columns: list[list[Value]]
    hash: str
    rejections: list[tuple[Path, Rejection]]


def last_fifth(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """The test part of every training. It does not depend on the seed, so that no model was ever fitted to the players that it is
    compared by with the next, whatever the seed and the day."""
    return numbers / 2.0**64 >= 1 - TEST_SHARE


def read_training_data(paths: Sequence[Path], schema: Schema, seed: int, in_test: InTest = last_fifth) -> TrainingData:
    """Reads files, or folders of them, and splits their players. The seed decides the folds.

    Raises DataError, also for a label of one value alone and for too few players.
    """
    ids: list[str] = []
    prints: list[str] = []
    vocabularies: list[dict[Value, int]] = [{} for _ in schema.features]
    blocks: list[Floats] = []
    labels: dict[str, list[bool]] = {label.name: [] for label in schema.labels}
    rejections: list[tuple[Path, Rejection]] = []
    label_places = {label.name: schema.training_columns.index(label.column) for label in schema.labels}
    for path in _files(paths):
        try:
            with TextFile(path) as file:
                for chunk in read_players(file.text, is_json_lines(path), schema, schema.training_columns):
                    rejections += [(path, rejection) for rejection in chunk.rejections]
                    features = chunk.columns[: len(schema.features)]
                    ids += chunk.ids
                    prints += fingerprints(features)
                    blocks.append(_block(schema, features, vocabularies))
                    for label in schema.labels:
                        labels[label.name] += _answers(label, chunk.columns[label_places[label.name]])
        except (FileRefused, *UNREADABLE) as error:
            raise DataError(f"{path}: {error}") from error
    if not ids:
        reason = f"; the first of {len(rejections)} rejected rows: {rejections[0][1].reason}" if rejections else ""
        raise DataError(f"{', '.join(map(str, paths))}: no player to train on{reason}")

    numbers = _numbers(ids, "")
    order = np.lexsort((np.array(prints), numbers))
    test = in_test(numbers[order])
    folds = (_numbers(ids, f"{seed}\n")[order] % np.uint64(FOLDS)).astype(np.intp)
    answers = {name: np.array(values)[order] for name, values in labels.items()}
    parts = {"train": np.flatnonzero(~test), "test": np.flatnonzero(test)}
    for label in schema.labels:
        _check_label(label, answers[label.name], parts, folds)
    raw = np.concatenate(blocks)[order]
    test_ids = [ids[place] for place in order[parts["test"]].tolist()]
    test_columns = _texts_again(schema, raw[parts["test"]], vocabularies)
    matrix, categories = _with_known_categories(schema, raw, vocabularies, parts["train"])
    return TrainingData(matrix, categories, answers, parts, folds, test_ids, test_columns, _data_hash(ids, prints, labels), rejections)


def _numbers(ids: Sequence[str], salt: str) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(sha256(f"{salt}{player}".encode()).digest()[:8], "big") for player in ids], dtype=np.uint64)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if file.is_file() and is_data_file(file)]
            if not found:
                raise DataError(f"{path}: the folder has no file of players, expected CSV or JSON Lines, gzipped or not")
            yield from found
        elif path.is_file():
            yield path
        else:
            raise DataError(f"{path}: there is no such file")


def _block(schema: Schema, columns: Sequence[Sequence[Value]], vocabularies: list[dict[Value, int]]) -> Floats:
    block = np.empty((len(columns[0]), len(columns)))
    for place, (column, values, vocabulary) in enumerate(zip(schema.features, columns, vocabularies, strict=True)):
        if column.type == "category":
            block[:, place] = [vocabulary.setdefault(value, len(vocabulary)) for value in values]
        else:
            block[:, place] = values
    return block


def _texts_again(schema: Schema, matrix: Floats, vocabularies: list[dict[Value, int]]) -> list[list[Value]]:
    columns: list[list[Value]] = []
    for column, values, vocabulary in zip(schema.features, matrix.T, vocabularies, strict=True):
        texts = list(vocabulary)
        columns.append([texts[code] for code in values.astype(np.intp).tolist()] if column.type == "category" else values.tolist())
    return columns


def _with_known_categories(
    schema: Schema, matrix: Floats, vocabularies: list[dict[Value, int]], train: NDArray[np.intp]
) -> tuple[Floats, dict[str, list[str]]]:
    """Numbers the categories anew, in their own order; those that the training part has not are missing values elsewhere, too, as
    they will be when the model is used."""
    categories: dict[str, list[str]] = {}
    for place, (column, vocabulary) in enumerate(zip(schema.features, vocabularies, strict=True)):
        if column.type == "category":
            texts = list(map(str, vocabulary))
            codes = matrix[:, place].astype(np.intp)
            known = sorted(texts[code] for code in np.unique(codes[train]))
            places = {text: float(number) for number, text in enumerate(known)}
            matrix[:, place] = np.array([places.get(text, np.nan) for text in texts])[codes]
            categories[column.name] = known
    return matrix, categories


def _answers(label: Label, values: Sequence[Value]) -> list[bool]:
    if label.above is not None:
        return [isinstance(value, float) and value > label.above for value in values]
    return [value == label.equals for value in values]


def _check_label(label: Label, answers: NDArray[np.bool_], parts: dict[str, NDArray[np.intp]], folds: NDArray[np.intp]) -> None:
    positive = int(np.count_nonzero(answers))
    meaning = f"{label.column.name} {'above ' + format(label.above, 'g') if label.above is not None else 'equal to ' + str(label.equals)}"
    if positive in (0, len(answers)):
        raise DataError(f"{label.name} needs players of both kinds: {positive} of {len(answers)} have {meaning}")
    train = parts["train"]
    portions = {"test part": parts["test"]} | {f"fold {fold + 1}": train[folds[train] == fold] for fold in range(FOLDS)}
    for name, rows in portions.items():
        if len(np.unique(answers[rows])) < 2:
            raise DataError(
                f"{label.name}: the {name} of {len(rows)} players has but one kind ({positive} of all {len(answers)} have {meaning}); "
                "more players are needed"
            )


def _data_hash(ids: list[str], prints: list[str], labels: dict[str, list[bool]]) -> str:
    """SHA-256 of what was trained on, whatever its files, their kind and the order of rows: 64 hexadecimal digits."""
    rows = sorted(f"{player}\0{print_}\0{answers}" for player, print_, *answers in zip(ids, prints, *labels.values(), strict=True))
    return sha256("\n".join(rows).encode()).hexdigest()
