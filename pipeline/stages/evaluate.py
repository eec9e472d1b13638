"""evaluate: judge the model on validation, test and perturbed test images, beside the baselines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.augmentation.copies import read_recipe
from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.inputs import read_results, require_inputs
from raresight.pipeline.core.params import load_section, refuse
from raresight.pipeline.core.summary import summary
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.checks.augmentation_check import check_augmentation
from raresight.pipeline.evaluation.checks.near_duplicates import near_duplicates
from raresight.pipeline.evaluation.checks.object_removed import check_object_removed
from raresight.pipeline.evaluation.checks.tested import Answers, Tested
from raresight.pipeline.evaluation.checks.transfer import transfer
from raresight.pipeline.evaluation.decisions.costs import cost_problems
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.evaluate import EvaluationResult, evaluate
from raresight.pipeline.evaluation.goals import goal_problems
from raresight.pipeline.evaluation.inputs import EvaluationInputs
from raresight.pipeline.evaluation.keeping import kept_decision
from raresight.pipeline.evaluation.output import tables
from raresight.pipeline.evaluation.output.results_json import headline, to_results_json
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.scoring import (
    LoadedInputs,
    factors_of,
    model_scores,
    open_inputs,
)
from raresight.pipeline.evaluation.seeds import (
    SETS,
    SeedResult,
    evaluate_seed,
    figures_of,
    first_of,
)
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

OUTPUT, RESULTS, DECISION = "evaluation", "results.json", "decision"
_INPUTS = {"generated": "generate", "augmented": "augment", "splits": "split", "model": "train"}
_BYTES_A_SCORE = 8  # of each image at least once; the tables of baselines and the plots are small
_TABLES = ("val", "test", "perturbed", *BASELINES)


def run(
    params_file: Path, data: Path, *, device: str = "auto", executor: str = "local"
) -> dict[str, Any]:
    """Write results, metrics, predictions and plots below ``data/evaluation``, and the decision.

    Returns the contents of results.json.
    """
    params = load_section(params_file, "evaluate", EvaluateParams)
    require_inputs(data, _INPUTS)
    dataset = Dataset(data / "generated")
    _check_recipe(params, params_file, dataset)
    task = Task(classes=dataset.classes, positive=dataset.positive)
    problems = [*cost_problems(params.threshold, task), *goal_problems(params.goals, task)]
    refuse(params_file, [f"{params_file}: {one}" for one in problems])
    targets = [data / OUTPUT / name for name in (RESULTS, "metrics.json", "predictions", "plots")]
    targets.append(data / DECISION)
    if params.threads is not None:  # torch is loaded by the model, and not before
        from raresight.pipeline.models.device import set_threads

        set_threads(params.threads)
    needed = len(dataset) * len(task.classes) * _BYTES_A_SCORE
    with stage_outputs(*targets, inputs=[data / name for name in _INPUTS], needed=needed) as new:
        everything, numbers, predictions, pictures, decision = new
        loaded = open_inputs(dataset, data, device)
        scores = model_scores(loaded, params, device=device, executor=executor)
        inputs = _evaluation_inputs(loaded, task, scores[0], seed=params.seed)
        result = evaluate(inputs, params)
        trainings = [first_of(result), *_others(loaded, scores, inputs, params)]
        results = {
            **to_results_json(result),
            **_by_seed(trainings, [model.seed for model in loaded.models], params),
            **_transfer(loaded, result),
            **_checks(loaded, result, data),
        }
        write_json(everything, results)
        write_json(numbers, headline(results))
        _write_predictions(predictions, loaded, result, trainings)
        _write_plots(pictures, result)
        kept_decision(data / "model", loaded, result).write(decision)
    return results


def show(data: Path) -> dict[str, Any]:
    """The results of the last evaluation; InputMissing when there is none."""
    return read_results(data / OUTPUT / RESULTS, "evaluate")


def _check_recipe(params: EvaluateParams, params_file: Path, dataset: Dataset) -> None:
    from raresight.pipeline.augmentation.recipe import check

    where = f"{params_file}: evaluate.perturb"
    check(params.perturb, where, image_shape=dataset.image_shape)


def _others(
    loaded: LoadedInputs,
    scores: Sequence[Mapping[str, np.ndarray]],
    inputs: EvaluationInputs,
    params: EvaluateParams,
) -> Iterator[SeedResult]:
    """Every training but the first."""
    for model, found in zip(loaded.models[1:], scores[1:], strict=True):
        yield evaluate_seed(replace(inputs, model=found, assumed=model.assumed), params)


def _by_seed(
    trainings: Sequence[SeedResult], seeds: Sequence[int], params: EvaluateParams
) -> dict[str, Any]:
    """Mean, spread and each training's value of every metric; empty for a single training."""
    if len(trainings) == 1:
        return {}
    told: dict[str, Any] = {"num_seeds": len(trainings)}
    told["seeds"] = {str(number): seed for number, seed in enumerate(seeds, 1)}
    told |= summary([_chosen(training) for training in trainings])
    for name in SETS:
        found = [figures_of(training, name, params) for training in trainings]
        told[name] = summary([{key: one.value for key, one in row.items()} for row in found])
        if reasons := _reasons(found):
            told[name]["undefined"] = reasons
    return {"by_seed": told}


def _chosen(training: SeedResult) -> dict[str, float]:
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


def _transfer(loaded: LoadedInputs, result: EvaluationResult) -> dict[str, Any]:
    """How the model does on drawn test images, where there are any beside the real ones."""
    if not len(loaded.drawn):
        return {}
    drawn = predict_labels(
        result.task,
        loaded.dataset.targets[loaded.drawn],
        loaded.models[0].scorer.scores(loaded.dataset.images, loaded.drawn),
        decide=result.decide,
    )
    groups = np.unique(loaded.groups[loaded.drawn], return_inverse=True)[1]
    test = result.outcomes["test"]
    return {
        "transfer": transfer(
            (drawn.predicted == drawn.targets, groups),
            (test.predicted == test.targets, test.groups),
            settings=result.params.intervals,
        )
    }


def _checks(loaded: LoadedInputs, result: EvaluationResult, data: Path) -> dict[str, Any]:
    """What the answers to changed test images tell; without what cannot be asked here."""
    test = result.outcomes["test"]
    tested = Tested(
        rows=loaded.rows["test"],
        predicted=test.predicted,
        groups=np.unique(loaded.groups[loaded.rows["test"]], return_inverse=True)[1],
    )
    answers, settings = _answers_of(loaded, result), result.params.intervals
    found = {
        "near_duplicates": near_duplicates(data / "splits"),
        "augmentation_check": check_augmentation(
            read_recipe(data / "augmented"), loaded.dataset, tested, answers, settings=settings
        ),
        "object_removed": check_object_removed(
            loaded.dataset,
            tested,
            answers,
            positive=result.task.positive_index,
            settings=settings,
            seed=result.params.seed,
        ),
    }
    return {name: one for name, one in found.items() if one is not None}


def _answers_of(loaded: LoadedInputs, result: EvaluationResult) -> Answers:
    def answers(images: np.ndarray) -> np.ndarray:
        every = np.arange(len(images))
        scores = loaded.models[0].scorer.scores(images, every)
        return predict_labels(result.task, every, scores, decide=result.decide).predicted

    return answers


def _evaluation_inputs(
    loaded: LoadedInputs, task: Task, model: Mapping[str, np.ndarray], *, seed: int
) -> EvaluationInputs:
    dataset = loaded.dataset
    targets = {name: dataset.targets[loaded.rows[name]] for name in loaded.rows}
    return EvaluationInputs(
        task=task,
        targets=targets,
        model=model,
        baselines={
            name: baseline.scores(
                dataset.images,
                loaded.rows,
                targets["train"],
                num_classes=len(task.classes),
                seed=seed,
                folds=None if loaded.out_of_fold is None else loaded.out_of_fold.folds,
            )
            for name, baseline in BASELINES.items()
        },
        assumed=loaded.models[0].assumed,
        folds=None if loaded.out_of_fold is None else loaded.out_of_fold.num_folds,
        factors=factors_of(dataset, loaded.rows["test"]),
        groups={
            name: np.unique(loaded.groups[loaded.rows[name]], return_inverse=True)[1]
            for name in ("val", "test")
        },
    )


def _write_plots(folder: Path, result: EvaluationResult) -> None:
    for name, text in tables.tables(result).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _write_predictions(
    folder: Path, loaded: LoadedInputs, result: EvaluationResult, trainings: Sequence[SeedResult]
) -> None:
    """One row an image; docs/evaluation.md says what each column means."""
    images = loaded.dataset.images
    pixels = {name: images.digests(loaded.rows[name]).astype(str) for name in ("val", "test")}
    for name in _TABLES:
        rows, outcome = _rows(loaded, name), result.outcomes[name]
        known = _known(loaded, rows) | {"pixels": pixels["val" if name == "val" else "test"]}
        columns = known | _answers(outcome)
        if name not in BASELINES:
            columns |= _by_class("probability", result.calibrator(outcome.scores), result.task)
        _write_table(folder / f"{name}.arrow", columns)
    for number, training in enumerate(trainings[1:], 2):
        below = folder / f"replicate-{number}"
        below.mkdir()
        for name, outcome in training.outcomes.items():
            probabilities = _by_class(
                "probability", training.calibrator(outcome.scores), result.task
            )
            columns = _known(loaded, _rows(loaded, name)) | _answers(outcome) | probabilities
            _write_table(below / f"{name}.arrow", columns)


def _rows(loaded: LoadedInputs, name: str) -> np.ndarray:
    return loaded.rows["val" if name == "val" else "test"]


def _known(loaded: LoadedInputs, rows: np.ndarray) -> dict[str, Any]:
    dataset = loaded.dataset
    return {
        "id": dataset.ids[rows],
        "source_id": dataset.source_ids[rows],
        "group": loaded.groups[rows],
        "label": dataset.labels[rows],
    } | _files(dataset, rows)


def _files(dataset: Dataset, rows: np.ndarray) -> dict[str, Any]:
    """Which file each image was read from; nothing where all of them were drawn."""
    if "file" not in dataset.description.factors:
        return {}
    return {"file": pa.array(dataset.column("factor.file", rows), pa.string())}


def _answers(outcome: Predictions) -> dict[str, Any]:
    predicted = np.asarray(outcome.task.classes)[outcome.predicted]
    return {"predicted": predicted} | _by_class("score", outcome.scores, outcome.task)


def _write_table(path: Path, columns: Mapping[str, Any]) -> None:
    batch = pa.record_batch({key: pa.array(column) for key, column in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def _by_class(kind: str, values: np.ndarray, task: Task) -> dict[str, np.ndarray]:
    return {f"{kind}.{label}": values[:, index] for index, label in enumerate(task.classes)}
