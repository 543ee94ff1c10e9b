"""What Azure ML installs for the two deployments and for training."""

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ML = Path(__file__).resolve().parents[2] / "ml"
SHARED = {"lightgbm", "numpy", "scipy"}
TRAINING_ALONE = {"matplotlib", "optuna", "scikit-learn"}


def pins(name: str) -> dict[str, str]:
    dependencies = yaml.safe_load((ML / name).read_text(encoding="utf-8"))["dependencies"]
    (pip,) = (entry["pip"] for entry in dependencies if isinstance(entry, dict))
    assert "python=3.12" in dependencies
    return dict(line.split("==") for line in pip)


def test_scoring_and_training_compute_with_the_same_libraries() -> None:
    online, *others = (pins(f"environment.{name}.yaml") for name in ("online", "batch", "train"))
    for other in others:
        assert {name: online[name] for name in SHARED} == {name: other[name] for name in SHARED}


def test_what_training_alone_needs_is_installed_for_training_alone() -> None:
    assert pins("environment.train.yaml").keys() >= TRAINING_ALONE
    for name in ("online", "batch"):
        assert not pins(f"environment.{name}.yaml").keys() & TRAINING_ALONE


def test_each_deployment_has_what_azure_ml_needs() -> None:
    assert "azureml-inference-server-http" in pins("environment.online.yaml")
    assert {"azureml-core", "azureml-dataset-runtime[fuse]"} <= pins("environment.batch.yaml").keys()


@pytest.mark.parametrize("name", sorted(SHARED | TRAINING_ALONE | {"azureml-inference-server-http"}))
def test_these_tests_run_on_what_is_pinned(name: str) -> None:
    pinned = pins("environment.train.yaml") | pins("environment.online.yaml")
    assert version(name) == pinned[name]
