"""Rows of a bench in the common form of `bench/lib.ts`: printed as a table, written as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

_RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass(frozen=True)
class Row:
    """One figure: `values` of repeated measurements, and what their median must reach, as `>=` or `<=` and a number."""

    id: str
    work: str
    values: Sequence[float]
    unit: str = ""
    goal: tuple[str, float] | None = None
    against: str | None = None
    note: str | None = None

    @property
    def figure(self) -> Mapping[str, float]:
        return {"min": min(self.values), "median": median(self.values), "max": max(self.values)}

    @property
    def reached(self) -> bool:
        if self.goal is None:
            return True
        operator, value = self.goal
        return self.figure["median"] >= value if operator == ">=" else self.figure["median"] <= value

    def to_json(self) -> dict[str, Any]:
        goal = None if self.goal is None else {"op": self.goal[0], "value": self.goal[1]}
        fields = {"id": self.id, "work": self.work, "against": self.against, "unit": self.unit, "figure": self.figure, "goal": goal}
        return {name: value for name, value in (fields | {"note": self.note}).items() if value is not None}


def publish(bench: str, rows: Sequence[Row]) -> bool:
    """Prints the rows and writes them to `bench/results/<bench>.json`. Tells whether every goal is reached."""
    _RESULTS.mkdir(parents=True, exist_ok=True)
    path = _RESULTS / f"{bench}.json"
    path.write_text(json.dumps([row.to_json() for row in rows], indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
    print(_table(rows))
    print(f"\nwritten to {path}")
    return all(row.reached for row in rows)


def _table(rows: Sequence[Row]) -> str:
    header = ("work", "against", "min", "median", "max", "unit", "goal", "reached", "note")
    lines = [header]
    for row in rows:
        goal = "-" if row.goal is None else f"{row.goal[0]} {row.goal[1]:g}"
        reached = "-" if row.goal is None else "yes" if row.reached else "NO"
        figures = (f"{row.figure[name]:.5g}" for name in ("min", "median", "max"))
        lines.append((row.work, row.against or "-", *figures, row.unit, goal, reached, row.note or ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    formatted = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    formatted.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(formatted)
