"""Trains the models of churn, purchase and segments and writes them as one folder, named by its content, with a report.

    python train.py --data FILE [FILE ...] --out DIR [--seed N] [--accept] [--search SECONDS [--trials N]] [--settings FILE] [--no-report]

Exit codes: 0, a model folder was written; 2, the data or the arguments are wrong (one line says how), and nothing was written; 3, the
gate refused the model: it is in `DIR.candidate` with its report, and the model in `DIR` is as it was.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arguments import whole_number
from evaluation import evaluate
from fitting import Fitted, fit_models
from gate import Check, Comparison, candidate_folder, check_model, compare_models, table, verdict
from model import Model, ModelFolderError, load_model, to_json
from model_writer import check_out, model_contents, write_folder
from promotions import names_without_promotion
from records import SCHEMA_FILE, Schema, read_schema
from report import make_report
from settings import BOOSTER_SETTINGS, BoosterSettings, SettingsError, read_settings
from training_data import DataError, TrainingData, read_training_data


@dataclass(frozen=True)
class Trained:
    """What a training gave: `folder` is where the model was written, which a refused one is not to `out`."""

    described: Mapping[str, Any]
    checks: Sequence[Check]
    folder: Path
    notes: Sequence[str]

    @property
    def refused(self) -> bool:
        gate = self.described["gate"]
        return not (gate["passed"] or gate["accepted"])


def train(
    paths: Sequence[Path],
    out: Path,
    seed: int,
    accept: bool = False,
    settings: BoosterSettings = BOOSTER_SETTINGS,
    search_seconds: float | None = None,
    trials: int | None = None,
    with_report: bool = True,
) -> Trained:
    """Trains on files or folders of players and replaces the folder `out` unless the gate refuses the models.

    Raises DataError, or OSError when the folder cannot be written; `out` is then as it was.
    """
    check_out(out)
    check_out(candidate_folder(out))
    schema = read_schema(json.loads(SCHEMA_FILE.read_bytes()))
    data = read_training_data(paths, schema, seed)
    if search_seconds is not None:
        # Only who searches needs Optuna.
        from search import search_settings

        settings = search_settings(schema, data, settings, seed, search_seconds, trials)
    fitted = fit_models(schema, data, settings, seed)
    described, contents = model_contents(schema, data, fitted, settings, seed)
    comparison, note = _compare_with(out, schema, data)
    checks = _checks(data, fitted, described, comparison)
    described |= {"gate": verdict(checks, accept, None if comparison is None else comparison.version)}
    trained = Trained(described, checks, out, [note] if note else [])
    if trained.refused:
        trained = Trained(described, checks, candidate_folder(out), trained.notes)
    report = make_report(schema, data, fitted, described, checks, comparison) if with_report else {}
    write_folder(trained.folder, contents | {"model.json": to_json(described)} | report)
    if not trained.refused:
        shutil.rmtree(candidate_folder(out), ignore_errors=True)
    _tell_rejections(data)
    return trained


def _compare_with(out: Path, schema: Schema, data: TrainingData) -> tuple[Comparison | None, str]:
    """The scores of the current model for the test part, or why there are none."""
    if not out.exists() or not any(out.iterdir()):
        return None, ""
    try:
        current = load_model(out)
    except ModelFolderError as error:
        return None, f"not compared with the current model: {error}"
    if current.schema.features != schema.features:
        return None, f"not compared with the current model {current.version}: it takes other columns"
    return _comparison(current, data), ""


def _comparison(current: Model, data: TrainingData) -> Comparison:
    test = data.parts["test"]
    scores = current.predict(data.test_columns).probabilities
    metrics = {name: evaluate(data.labels[name][test], scores[name], current.thresholds[name]) for name in scores}
    return Comparison(current.version, scores, metrics)


def _checks(data: TrainingData, fitted: Fitted, described: Mapping[str, Any], comparison: Comparison | None) -> list[Check]:
    test = data.parts["test"]
    answers = {name: truth[test] for name, truth in data.labels.items()}
    scores = {name: probability[test] for name, probability in fitted.scores.items()}
    checks = check_model(answers, scores, fitted.clustering)
    if comparison is not None:
        checks += compare_models(answers, scores, described["metrics"], comparison)
    return checks


def _tell_rejections(data: TrainingData) -> None:
    for path, rejection in data.rejections[:5]:
        print(f"rejected {path}:{rejection.line}: {rejection.reason}")
    if len(data.rejections) > 5:
        print(f"rejected {len(data.rejections)} rows in all")


def _tell(trained: Trained, out: Path, seconds: float) -> None:
    described = trained.described
    players, gate = described["players"], described["gate"]
    print(f"players   {players['train']} train, {players['test']} test, {players['rejected']} rejected")
    for name, metrics in described["metrics"].items():
        numbers = ", ".join(f"{metric} {number:.4f}" for metric, number in metrics.items())
        print(f"{name:<9} {numbers}, threshold {described['thresholds'][name]:.6f}")
    for segment in described["segments"]:
        print(f"segment {segment['id']} {segment['profile']['share']:6.1%}  {segment['name']}")
    for name in names_without_promotion(segment["name"] for segment in described["segments"]):
        print(f'note: ml/promotions.json has no entry for segment "{name}"; its players get no promotion')
    for note in trained.notes:
        print(f"note: {note}")
    print(table(trained.checks))
    print(f"model {described['version']} written to {trained.folder} in {seconds:.1f} s")
    report = trained.folder / "report" / "index.html"
    if report.exists():
        print(f"report: {report}")
    if trained.refused:
        print(f"REFUSED by the gate: {out} is as it was. Take the model nevertheless: the same command with --accept")
    elif gate["accepted"]:
        print("accepted although the gate would refuse it, and recorded so in model.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description="Trains the models on players whose answers are known.")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="files (CSV, JSON Lines, either gzipped) or folders of them")
    parser.add_argument("--out", type=Path, default=Path("model"), help="folder to write, replacing an earlier model (default: model)")
    parser.add_argument("--seed", type=whole_number, default=1, help="decides the folds and the fits (default: 1)")
    parser.add_argument("--accept", action="store_true", help="replace the current model even if the gate refuses the new one")
    parser.add_argument("--search", type=whole_number, metavar="SECONDS", help="look for better settings of the boosters for so long")
    parser.add_argument("--trials", type=whole_number, metavar="N", help="with --search: try at most so many, which makes it repeatable")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="take the boosters' settings from this model.json, or search from them")
    parser.add_argument("--no-report", action="store_true", help="write no report, which takes some seconds")
    return parser


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    start = time.monotonic()
    try:
        settings = BOOSTER_SETTINGS if options.settings is None else read_settings(options.settings)
        trained = train(options.data, options.out, options.seed, options.accept, settings, options.search, options.trials, not options.no_report)
    except (DataError, SettingsError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    _tell(trained, options.out, time.monotonic() - start)
    return 3 if trained.refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
