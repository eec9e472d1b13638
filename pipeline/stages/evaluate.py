"""evaluate: judge the model on validation, test and perturbed test images, beside the baselines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.files import (
    content_digest,
    read_json,
    require_verified,
    stage_outputs,
    write_json,
)
from raresight.pipeline.core.params import load_section, refuse
from raresight.pipeline.core.summary import summary
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.baselines import fit_shortcut, shortcut_features
from raresight.pipeline.evaluation.decisions.costs import cost_problems
from raresight.pipeline.evaluation.decisions.predictions import Outcome, Task, answer
from raresight.pipeline.evaluation.evaluate import Study, judge
from raresight.pipeline.evaluation.inputs import Evidence
from raresight.pipeline.evaluation.output import figures, tables
from raresight.pipeline.evaluation.output.metrics_json import as_metrics
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.scoring import Inputs, factors_of, model_scores, open_inputs
from raresight.pipeline.evaluation.seeds import SETS, Replicate, figures_of, first_of, judge_again
from raresight.pipeline.evaluation.transfer import transfer
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

OUTPUT = "evaluation"
_TABLES = ("val", "test", "perturbed", "shortcut")


def run(params_file: Path, data: Path, *, device: str = "auto") -> dict[str, Any]:
    """Write metrics.json, predictions and plots below ``data/evaluation``; return the metrics."""
    params = load_section(params_file, "evaluate", EvaluateParams)
    for name, stage in (("generated", "generate"), ("splits", "split"), ("model", "train")):
        require_verified(data / name, stage)
    dataset = Dataset(data / "generated")
    _check_recipe(params, params_file, dataset)
    task = Task(classes=dataset.classes, positive=dataset.positive)
    refuse(params_file, [f"{params_file}: {one}" for one in cost_problems(params.threshold, task)])
    targets = [data / OUTPUT / name for name in ("metrics.json", "predictions", "plots")]
    with stage_outputs(*targets) as (numbers, predictions, pictures):
        inputs = open_inputs(dataset, data, device)
        scores = model_scores(inputs, params)
        evidence = _evidence(inputs, task, scores[0])
        study = judge(evidence, params)
        trainings = [first_of(study), *_others(inputs, scores, evidence, params)]
        metrics = {
            **as_metrics(study),
            **_replicates(trainings, [model.seed for model in inputs.models], params),
            **_transfer(inputs, study),
        }
        write_json(numbers, metrics)
        _write_predictions(predictions, inputs, study, trainings)
        _write_plots(pictures, study)
    return metrics


def show(data: Path) -> dict[str, Any]:
    """The metrics of the last evaluation; InputMissing when there is none."""
    return read_json(data / OUTPUT / "metrics.json")


def _check_recipe(params: EvaluateParams, params_file: Path, dataset: Dataset) -> None:
    from raresight.pipeline.augmentation.recipe import check

    where = f"{params_file}: evaluate.perturb"
    check(params.perturb, where, image_shape=dataset.image_shape)


def _others(
    inputs: Inputs,
    scores: Sequence[Mapping[str, np.ndarray]],
    evidence: Evidence,
    params: EvaluateParams,
) -> Iterator[Replicate]:
    """Every training but the first."""
    for model, found in zip(inputs.models[1:], scores[1:], strict=True):
        yield judge_again(replace(evidence, model=found, assumed=model.assumed), params)


def _replicates(
    trainings: Sequence[Replicate], seeds: Sequence[int], params: EvaluateParams
) -> dict[str, Any]:
    """Mean, spread and each training's value of every metric; empty for a single training."""
    if len(trainings) == 1:
        return {}
    told: dict[str, Any] = {"trainings": len(trainings)}
    told["seeds"] = {str(number): seed for number, seed in enumerate(seeds, 1)}
    told |= summary([_chosen(training) for training in trainings])
    for name in SETS:
        found = [figures_of(training, name, params) for training in trainings]
        told[name] = summary([{key: one.value for key, one in row.items()} for row in found])
        if reasons := _reasons(found):
            told[name]["undefined"] = reasons
    return {"replicates": told}


def _chosen(training: Replicate) -> dict[str, float]:
    """What was chosen on validation."""
    chosen = {"temperature": training.calibrator.temperature}
    if training.threshold is not None:
        chosen["threshold"] = training.threshold.value
    return chosen


def _reasons(found: Sequence[Mapping[str, Estimate]]) -> dict[str, dict[str, str]]:
    reasons: dict[str, dict[str, str]] = {}
    for number, row in enumerate(found, 1):
        for metric, estimate in row.items():
            if estimate.reason is not None:
                reasons.setdefault(metric, {})[str(number)] = estimate.reason
    return reasons


def _transfer(inputs: Inputs, study: Study) -> dict[str, Any]:
    """How the model does on drawn test images, where there are any beside the real ones."""
    if not len(inputs.drawn):
        return {}
    drawn = answer(
        study.task,
        inputs.dataset.targets[inputs.drawn],
        inputs.models[0].scorer.scores(inputs.dataset.images, inputs.drawn),
        decide=study.decide,
    )
    rights = [outcome.predicted == outcome.targets for outcome in (drawn, study.outcomes["test"])]
    pairs = [(int(right.sum()), len(right)) for right in rights]
    return {"transfer": transfer(*pairs, confidence=study.params.confidence_level)}


def _evidence(inputs: Inputs, task: Task, model: Mapping[str, np.ndarray]) -> Evidence:
    dataset = inputs.dataset
    targets = {name: dataset.targets[inputs.rows[name]] for name in inputs.rows}
    features = {name: shortcut_features(dataset.images, inputs.rows[name]) for name in inputs.rows}
    shortcut = fit_shortcut(features["train"], targets["train"], num_classes=len(task.classes))
    return Evidence(
        task=task,
        targets=targets,
        model=model,
        shortcut={name: shortcut(features[name]) for name in ("val", "test")},
        assumed=inputs.models[0].assumed,
        factors=factors_of(dataset, inputs.rows["test"]),
        sources=np.unique(dataset.source_ids[inputs.rows["test"]], return_inverse=True)[1],
    )


def _write_plots(folder: Path, study: Study) -> None:
    for name, text in tables.tables(study).items():
        (folder / name).write_text(text)
    figures.draw_confusion(study, folder / "confusion.png")
    figures.draw_precision_recall(study, folder / "precision_recall.png")
    figures.draw_calibration(study, folder / "calibration.png")
    figures.draw_slices(study, folder / "slices.png")


def _write_predictions(
    folder: Path, inputs: Inputs, study: Study, trainings: Sequence[Replicate]
) -> None:
    """One row an image; docs/evaluation.md says what each column means."""
    dataset = inputs.dataset
    for name in _TABLES:
        rows, outcome = _rows(inputs, name), study.outcomes[name]
        pixels = [content_digest(dataset.images[row]) for row in rows]
        columns = _known(dataset, rows) | {"pixels": pixels} | _answers(outcome)
        if name != "shortcut":
            columns |= _by_class("probability", study.calibrator(outcome.scores), study.task)
        _write_table(folder / f"{name}.arrow", columns)
    for number, training in enumerate(trainings[1:], 2):
        below = folder / f"replicate-{number}"
        below.mkdir()
        for name, outcome in training.outcomes.items():
            probabilities = _by_class(
                "probability", training.calibrator(outcome.scores), study.task
            )
            columns = _known(dataset, _rows(inputs, name)) | _answers(outcome) | probabilities
            _write_table(below / f"{name}.arrow", columns)


def _rows(inputs: Inputs, name: str) -> np.ndarray:
    return inputs.rows["val" if name == "val" else "test"]


def _known(dataset: Dataset, rows: np.ndarray) -> dict[str, Any]:
    return {
        "id": dataset.ids[rows],
        "source_id": dataset.source_ids[rows],
        "label": dataset.labels[rows],
    }


def _answers(outcome: Outcome) -> dict[str, Any]:
    predicted = np.asarray(outcome.task.classes)[outcome.predicted]
    return {"predicted": predicted} | _by_class("score", outcome.scores, outcome.task)


def _write_table(path: Path, columns: Mapping[str, Any]) -> None:
    batch = pa.record_batch({key: pa.array(column) for key, column in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def _by_class(kind: str, values: np.ndarray, task: Task) -> dict[str, np.ndarray]:
    return {f"{kind}.{label}": values[:, index] for index, label in enumerate(task.classes)}
