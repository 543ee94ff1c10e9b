"""What Azure ML installs for the two deployments."""

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ML = Path(__file__).resolve().parents[2] / "ml"
SHARED = {"lightgbm", "numpy", "scikit-learn", "scipy"}


def pins(name: str) -> dict[str, str]:
    dependencies = yaml.safe_load((ML / name).read_text(encoding="utf-8"))["dependencies"]
    (pip,) = (entry["pip"] for entry in dependencies if isinstance(entry, dict))
    assert "python=3.12" in dependencies
    return dict(line.split("==") for line in pip)


def test_both_deployments_compute_with_the_same_libraries() -> None:
    online, batch = pins("environment.online.yaml"), pins("environment.batch.yaml")
    assert {name: online[name] for name in SHARED} == {name: batch[name] for name in SHARED}


def test_each_deployment_has_what_azure_ml_needs() -> None:
    assert "azureml-inference-server-http" in pins("environment.online.yaml")
    assert {"azureml-core", "azureml-dataset-runtime[fuse]"} <= pins("environment.batch.yaml").keys()


@pytest.mark.parametrize("name", sorted(SHARED | {"azureml-inference-server-http"}))
def test_these_tests_run_on_what_is_pinned(name: str) -> None:
    assert version(name) == pins("environment.online.yaml")[name]
