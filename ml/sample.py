"""Writes generated players with the columns of `features.json`, and on request the probabilities that they were drawn from.

    python sample.py --rows N --out FILE [--seed S] [--truth FILE]

The kind of file goes by its name: `.csv` or `.jsonl`, either with `.gz`. The same seed gives the same players, and more rows only
add to fewer. How codes and numbers spread, and how often players leave (76 %) and pay (4.7 %), follows a real game's log.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from arguments import whole_number
from files import Draft, is_gzip, is_json_lines
from records import SCHEMA_FILE, Schema, read_schema
from sample_tables import COUNTRIES, CRYSTALS, GENDERS, LEVELS, PLAY_CODES, PROMOTIONS, PURCHASES, RACES, REGISTER_CODES
from segments import Floats

# A player depends on the seed and the place in its block alone, so this number is part of what a seed means.
BLOCK_ROWS = 10_000

Columns = dict[str, Sequence[Any]]

# They bring the shares of leavers and payers to those of the real game.
CHURN_BASE = 2.85
PURCHASE_BASE = -3.79


def block(schema: Schema, seed: int, number: int) -> tuple[Columns, Floats, Floats]:
    """The players of one block by column, the id first, and the true probabilities of leaving and paying."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))

    def uniform() -> Floats:
        # Nothing but this is drawn: the streams of other distributions may change between versions of numpy.
        return generator.random(BLOCK_ROWS)

    tables = (PROMOTIONS, PLAY_CODES, LEVELS, CRYSTALS, RACES, GENDERS, COUNTRIES)
    promotion, play, level, crystal, race, gender, country = drawn = [codes.draw(uniform()) for codes in tables]
    # Kumaraswamy's distribution: a hump with a long tail.
    age = np.floor(17 + 74 * (1 - (1 - uniform()) ** (1 / 4.5)) ** (1 / 1.6))
    bell = uniform() + uniform() + uniform() + uniform() - 2
    plays = np.where(uniform() < 0.47, 40, np.clip(np.round(40 + 26 * bell), 1, 99))
    register_code = np.where(uniform() < 0.917, 0, _pick(REGISTER_CODES, uniform()))
    identity = np.floor(12_285 * (1_484_705 / 12_285) ** uniform())

    def effects(label: str) -> Floats:
        return np.sum([getattr(codes, label)[place] for codes, place in zip(tables, drawn, strict=True)], axis=0)

    mid_life = np.exp(-(((age - 46) / 14) ** 2))
    busy = np.clip((plays - 40) / 15, -2, 2)
    purchase = _probability(PURCHASE_BASE + effects("purchase") + 0.9 * mid_life + 0.2 * busy + 0.5 * (register_code > 7000))
    paid = uniform() < purchase
    purchase_num = np.where(paid, _pick(PURCHASES, uniform()), 0)
    # Much play holds the players of some levels, and hardly the others: a model has to find that out, too.
    hold = 2.0 * mid_life + np.where(LEVELS.churn[level] < 0, 0.6, 0.1) * busy + 1.5 * (register_code > 7000) + 1.2 * paid
    churn = _probability(CHURN_BASE + effects("churn") - hold)
    churns = uniform() < churn

    minutes, items = np.array([text.split(":") for text in PLAY_CODES.texts[play]]).T
    columns = {
        schema.id: [str(1 + number * BLOCK_ROWS + place) for place in range(BLOCK_ROWS)],
        "age": _whole(age),
        "promotion_num": PROMOTIONS.texts[promotion].tolist(),
        "identity": _whole(identity),
        "game_play_min_per_day": minutes.tolist(),
        "item_purchase_num_in_90_days": _whole(items),
        "game_level": LEVELS.texts[level].tolist(),
        "crystal": CRYSTALS.texts[crystal].tolist(),
        "race": RACES.texts[race].tolist(),
        "gender": GENDERS.texts[gender].tolist(),
        "register_code": _whole(register_code),
        "purchase_num": _whole(purchase_num),
        "game_play_num_per_week": _whole(plays),
        "country": COUNTRIES.texts[country].tolist(),
        "churn_YN": np.where(churns, "Y", "N").tolist(),
    }
    return {name: columns[name] for name in (schema.id, *(column.name for column in schema.columns))}, churn, purchase


def _pick(choices: NDArray[np.int_], uniform: Floats) -> NDArray[np.int_]:
    # The first choices are the common ones.
    return choices[np.floor(len(choices) * uniform**2).astype(np.intp)]


def _probability(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


def _whole(numbers: NDArray[Any]) -> list[int]:
    return numbers.astype(np.int64).tolist()


def write_sample(rows: int, seed: int, out: Path, truth: Path | None) -> None:
    """Writes `rows` players to `out` and, unless None, their ids and true probabilities to the CSV `truth`. Each is written whole or
    not at all. Raises OSError."""
    schema = read_schema(json.loads(SCHEMA_FILE.read_bytes()))
    write_players = _write_json_lines if is_json_lines(out) else _write_csv
    with ExitStack() as stack:
        players = stack.enter_context(_draft(out))
        truths = None if truth is None else stack.enter_context(_draft(truth))
        for number in range(max(1, -(-rows // BLOCK_ROWS))):
            columns, churn, purchase = block(schema, seed, number)
            count = min(BLOCK_ROWS, rows - number * BLOCK_ROWS)
            write_players(players.text, columns, count, number == 0)
            if truths is not None:
                probabilities = {
                    schema.id: columns[schema.id],
                    "churn_probability": list(map("{:.6f}".format, churn.tolist())),
                    "purchase_probability": list(map("{:.6f}".format, purchase.tolist())),
                }
                _write_csv(truths.text, probabilities, count, number == 0)
        if truths is not None and truth is not None:
            truths.publish(truth)
        players.publish(out)


def _draft(path: Path) -> Draft:
    path.parent.mkdir(parents=True, exist_ok=True)
    return Draft(path.parent, path.name, is_gzip(path))


def _write_csv(text: TextIO, columns: Columns, count: int, with_header: bool) -> None:
    writer = csv.writer(text, lineterminator="\n")
    if with_header:
        writer.writerow(columns)
    writer.writerows(islice(zip(*columns.values(), strict=True), count))


def _write_json_lines(text: TextIO, columns: Columns, count: int, _: bool) -> None:
    rows = islice(zip(*columns.values(), strict=True), count)
    text.writelines(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="sample", description="Writes generated players.")
    parser.add_argument("--rows", type=whole_number, required=True, help="how many players")
    parser.add_argument("--out", type=Path, required=True, help="file to write: .csv or .jsonl, either with .gz")
    parser.add_argument("--seed", type=whole_number, default=1, help="the same seed gives the same players (default: 1)")
    parser.add_argument("--truth", type=Path, help="CSV to write with each player's true probabilities")
    options = parser.parse_args(arguments)
    try:
        write_sample(options.rows, options.seed, options.out, options.truth)
    except OSError as error:
        print(f"sample: {error}", file=sys.stderr)
        return 2
    print(f"{options.rows} players written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
