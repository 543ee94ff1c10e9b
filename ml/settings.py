"""How boosters are fitted. `docs/models.md` tells what else was tried."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forest import MOST_LEAVES

BoosterSettings = Mapping[str, Mapping[str, Any]]
"""LightGBM's parameters of the boosters of `churn`, of `purchase`, and of those of churn whose log-odds are an input of purchase."""

# No weights for the rare answer: they would bend the probabilities. The threshold, chosen for F1, makes up for the imbalance.
BOOSTER_SETTINGS: BoosterSettings = {
    "churn": {
        "learning_rate": 0.1,
        "num_leaves": 16,
        "min_data_in_leaf": 30,
        "feature_fraction": 0.4,
        "cat_smooth": 20,
        "cat_l2": 20,
        "max_cat_to_onehot": 8,
        "min_data_per_group": 20,
    },
    "churn_for_purchase": {
        "learning_rate": 0.3,
        "num_leaves": 8,
        "min_data_in_leaf": 20,
        "feature_fraction": 0.5,
        "cat_smooth": 20,
        "cat_l2": 20,
    },
    "purchase": {"learning_rate": 0.1, "num_leaves": 3, "min_data_in_leaf": 20, "feature_fraction": 0.4, "cat_smooth": 20, "cat_l2": 10},
}


class SettingsError(ValueError):
    """Settings of boosters are not what training takes; the message says what is expected."""


def read_settings(path: Path) -> BoosterSettings:
    """The settings that a `model.json` tells of. Raises SettingsError."""
    try:
        settings = json.loads(path.read_bytes())["settings"]["boosters"]
        leaves = [settings[name]["num_leaves"] for name in BOOSTER_SETTINGS]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SettingsError(f"{path}: no model.json with settings.boosters of {', '.join(BOOSTER_SETTINGS)}: {error!r}") from error
    if not all(isinstance(count, int) and 2 <= count <= MOST_LEAVES for count in leaves):
        raise SettingsError(f"{path}: num_leaves are {leaves}, expected whole numbers from 2 to {MOST_LEAVES}")
    return settings
