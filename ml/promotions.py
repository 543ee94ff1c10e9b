"""The promotions of segments: `promotions.json` gives each segment's name a promotion, or null for none."""

import json
from collections.abc import Iterable
from pathlib import Path

PROMOTIONS_FILE = Path(__file__).with_name("promotions.json")


def names_without_promotion(names: Iterable[str]) -> list[str]:
    """The names of segments that the file has no entry for, in the given order; none where training runs without the file."""
    if not PROMOTIONS_FILE.exists():
        return []
    known = json.loads(PROMOTIONS_FILE.read_bytes())
    return [name for name in names if name not in known]
