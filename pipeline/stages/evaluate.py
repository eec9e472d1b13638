"""evaluate: judge the model on validation, test and perturbed test images, beside the baselines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.core import seeds
from pipeline.core.errors import DataError
from pipeline.core.files import (
    content_digest,
    read_json,
    require_verified,
    stage_outputs,
    write_json,
)
from pipeline.core.params import load_section
from pipeline.core.progress import track
from pipeline.dataset.reader import Dataset
from pipeline.evaluation import figures, plots
from pipeline.evaluation.baselines import colour_features, fit_shortcut
from pipeline.evaluation.outcome import Task
from pipeline.evaluation.params import EvaluateParams
from pipeline.evaluation.study import Evidence, Study, as_metrics, judge
from pipeline.splitting.table import read_splits

OUTPUT = "evaluation"
_SETS = ("train", "val", "test")
_IMAGES_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The dataset of originals, the row numbers of each split, and the trained model."""

    dataset: Dataset
    rows: Mapping[str, np.ndarray]
    scorer: Any


def run(params_file: Path, data: Path, *, device: str = "auto") -> dict[str, Any]:
    """Write metrics.json, predictions and plots below ``data/evaluation``; return the metrics."""
    params = load_section(params_file, "evaluate", EvaluateParams)
    for name, stage in (("generated", "generate"), ("splits", "split"), ("model", "train")):
        require_verified(data / name, stage)
    dataset = Dataset(data / "generated")
    _check_recipe(params, params_file, dataset)
    targets = [data / OUTPUT / name for name in ("metrics.json", "predictions", "plots")]
    with stage_outputs(*targets) as (numbers, predictions, pictures):
        inputs = _open(dataset, data, device)
        scores = _model_scores(inputs, params)
        study = judge(_evidence(inputs, scores), params)
        metrics = as_metrics(study)
        write_json(numbers, metrics)
        for name, values in scores.items():
            _write_predictions(predictions / f"{name}.arrow", inputs, name, values)
        _write_plots(pictures, study)
    return metrics


def show(data: Path) -> dict[str, Any]:
    """The metrics of the last evaluation; InputMissing when there is none."""
    return read_json(data / OUTPUT / "metrics.json")


def _check_recipe(params: EvaluateParams, params_file: Path, dataset: Dataset) -> None:
    from pipeline.augmentation.recipe import check

    where = f"{params_file}: evaluate.perturb"
    check(params.perturb, where, image_shape=dataset.image_shape)


def _open(dataset: Dataset, data: Path, device: str) -> Inputs:
    from pipeline.training.checkpoint import load_model

    splits = read_splits(data / "splits")
    scorer = load_model(data / "model", device)
    if tuple(scorer.classes) != dataset.classes:
        raise DataError(
            f"{data / 'model'} knows the classes {', '.join(scorer.classes)}, but "
            f"{data / 'generated'} holds {', '.join(dataset.classes)}. Run `raresight train` again."
        )
    rows = {name: splits.rows(dataset, name) for name in _SETS}
    return Inputs(dataset=dataset, rows=rows, scorer=scorer)


def _model_scores(inputs: Inputs, params: EvaluateParams) -> dict[str, np.ndarray]:
    """Scores (n, K) on val, test and perturbed; DataError when one is not a number."""
    images, rows = inputs.dataset.images, inputs.rows
    perturbed = [
        inputs.scorer.scores(batch, np.arange(len(batch))) for batch in _perturbed(inputs, params)
    ]
    scores = {
        "val": inputs.scorer.scores(images, rows["val"]),
        "test": inputs.scorer.scores(images, rows["test"]),
        "perturbed": np.concatenate(perturbed),
    }
    for name, values in scores.items():
        if not np.isfinite(values).all():
            raise DataError(f"The model's scores on {name} images are not numbers. Train it again.")
    return scores


def _perturbed(inputs: Inputs, params: EvaluateParams) -> Iterator[np.ndarray]:
    """The test images after the recipe, in batches; each from a random stream of its own."""
    from pipeline.augmentation.recipe import build

    recipe = build(params.perturb)
    ids, rows = inputs.dataset.ids, inputs.rows["test"]
    starts = range(0, len(rows), _IMAGES_AT_ONCE)
    for start in track(starts, total=len(starts), description="evaluate"):
        chosen = rows[start : start + _IMAGES_AT_ONCE]
        batch = inputs.dataset.images[chosen]
        for place, row in enumerate(chosen):
            batch[place], _ = recipe(batch[place], rng=seeds.rng(params.seed, "perturb", ids[row]))
        yield batch


def _evidence(inputs: Inputs, model: Mapping[str, np.ndarray]) -> Evidence:
    dataset = inputs.dataset
    task = Task(classes=dataset.classes, positive=dataset.positive)
    targets = {name: dataset.targets[inputs.rows[name]] for name in _SETS}
    features = {name: colour_features(dataset.images, inputs.rows[name]) for name in _SETS}
    shortcut = fit_shortcut(features["train"], targets["train"], num_classes=len(task.classes))
    return Evidence(
        task=task,
        targets=targets,
        model=model,
        shortcut={name: shortcut(features[name]) for name in ("val", "test")},
    )


def _write_plots(folder: Path, study: Study) -> None:
    for name, text in plots.tables(study).items():
        (folder / name).write_text(text)
    figures.draw_confusion(study, folder / "confusion.png")
    figures.draw_precision_recall(study, folder / "precision_recall.png")


def _write_predictions(path: Path, inputs: Inputs, name: str, scores: np.ndarray) -> None:
    """One row an image: ``id``, ``source_id``, ``label``, ``pixels``, ``score.<class>`` for each.

    ``pixels`` is a digest of the clean image, so that two versions can tell whether they were
    judged on the same pictures, not only on the same names.
    """
    dataset, rows = inputs.dataset, inputs.rows["val" if name == "val" else "test"]
    columns = {
        "id": dataset.ids[rows],
        "source_id": dataset.source_ids[rows],
        "label": dataset.labels[rows],
        "pixels": [content_digest(dataset.images[row]) for row in rows],
    }
    for index, label in enumerate(inputs.dataset.classes):
        columns[f"score.{label}"] = scores[:, index]
    batch = pa.record_batch({key: pa.array(column) for key, column in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
