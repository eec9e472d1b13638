"""evaluate: judge the model on validation, test and perturbed test images, beside the baselines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.core import seeds
from pipeline.core.errors import DataError, suggest
from pipeline.core.files import (
    content_digest,
    read_json,
    require_verified,
    stage_outputs,
    write_json,
)
from pipeline.core.params import load_section, refuse
from pipeline.core.progress import track
from pipeline.dataset.reader import Dataset
from pipeline.evaluation import figures, plots
from pipeline.evaluation.baselines import fit_shortcut, shortcut_features
from pipeline.evaluation.document import as_metrics
from pipeline.evaluation.outcome import Task, answer
from pipeline.evaluation.params import EvaluateParams
from pipeline.evaluation.study import Evidence, Study, judge
from pipeline.evaluation.transfer import transfer
from pipeline.splitting.table import read_splits

OUTPUT = "evaluation"
_SETS = ("train", "val", "test")
_IMAGES_AT_ONCE = 2048
_MASK_FACTOR = "label_pixels"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The dataset of originals, the row numbers of each split, and the trained model.

    ``assumed``, float (K,), are the class shares under which its scores are probabilities;
    ``drawn`` the rows of drawn test images where real ones are tested on.
    """

    dataset: Dataset
    rows: Mapping[str, np.ndarray]
    scorer: Any
    assumed: np.ndarray | None
    drawn: np.ndarray


def run(params_file: Path, data: Path, *, device: str = "auto") -> dict[str, Any]:
    """Write metrics.json, predictions and plots below ``data/evaluation``; return the metrics."""
    params = load_section(params_file, "evaluate", EvaluateParams)
    for name, stage in (("generated", "generate"), ("splits", "split"), ("model", "train")):
        require_verified(data / name, stage)
    dataset = Dataset(data / "generated")
    _check_recipe(params, params_file, dataset)
    refuse(params_file, list(_cost_problems(params, params_file, dataset)))
    targets = [data / OUTPUT / name for name in ("metrics.json", "predictions", "plots")]
    with stage_outputs(*targets) as (numbers, predictions, pictures):
        inputs = _open(dataset, data, device)
        study = judge(_evidence(inputs, _model_scores(inputs, params)), params)
        metrics = {**as_metrics(study), **_transfer(inputs, study)}
        write_json(numbers, metrics)
        for name in ("val", "test", "perturbed", "shortcut"):
            _write_predictions(predictions / f"{name}.arrow", inputs, study, name)
        _write_plots(pictures, study)
    return metrics


def show(data: Path) -> dict[str, Any]:
    """The metrics of the last evaluation; InputMissing when there is none."""
    return read_json(data / OUTPUT / "metrics.json")


def _check_recipe(params: EvaluateParams, params_file: Path, dataset: Dataset) -> None:
    from pipeline.augmentation.recipe import check

    where = f"{params_file}: evaluate.perturb"
    check(params.perturb, where, image_shape=dataset.image_shape)


def _cost_problems(params: EvaluateParams, params_file: Path, dataset: Dataset) -> Iterator[str]:
    for actual, called in (params.threshold.costs or {}).items():
        for label in {actual: None, **called}:
            if label not in dataset.classes:
                where = f"{params_file}: evaluate.threshold.costs.{actual}"
                yield f"{where}: no class '{label}'. {suggest(label, dataset.classes)}"


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
    rows["test"], drawn = _real_first(dataset, rows["test"])
    assumed = _assumed_shares(data / "model" / "model.json", dataset.classes)
    return Inputs(dataset=dataset, rows=rows, scorer=scorer, assumed=assumed, drawn=drawn)


def _real_first(dataset: Dataset, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The test rows that count, and drawn ones beside them: where some are real, those count."""
    real = dataset.origins[rows] == "real"
    if real.all() or not real.any():
        return rows, rows[:0]
    return rows[real], rows[~real]


def _transfer(inputs: Inputs, study: Study) -> dict[str, Any]:
    """How the model does on drawn test images, where there are any beside the real ones."""
    if not len(inputs.drawn):
        return {}
    threshold = study.thresholds.get("model")
    drawn = answer(
        study.task,
        inputs.dataset.targets[inputs.drawn],
        inputs.scorer.scores(inputs.dataset.images, inputs.drawn),
        threshold=None if threshold is None else threshold.value,
    )
    rights = [outcome.predicted == outcome.targets for outcome in (drawn, study.outcomes["test"])]
    pairs = [(int(right.sum()), len(right)) for right in rights]
    return {"transfer": transfer(*pairs, confidence=study.params.confidence)}


def _assumed_shares(card_file: Path, classes: Sequence[str]) -> np.ndarray | None:
    """The class shares that the model's scores take for granted; None where nobody knows."""
    prior = read_json(card_file)["score_prior"]
    return None if prior is None else np.array([prior[label] for label in classes])


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
    features = {name: shortcut_features(dataset.images, inputs.rows[name]) for name in _SETS}
    shortcut = fit_shortcut(features["train"], targets["train"], num_classes=len(task.classes))
    return Evidence(
        task=task,
        targets=targets,
        model=model,
        shortcut={name: shortcut(features[name]) for name in ("val", "test")},
        assumed=inputs.assumed,
        factors=_factors(dataset, inputs.rows["test"]),
        sources=np.unique(dataset.source_ids[inputs.rows["test"]], return_inverse=True)[1],
    )


def _factors(dataset: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What is known of each of ``rows`` (n,): every recorded factor, the origin, the label's size.

    Float columns hold NaN and string columns "" where a factor is unknown.
    """
    found = {}
    for name, kind in dataset.description.factors.items():
        values = dataset.column(f"factor.{name}", rows)
        if kind == "float":
            found[name] = np.array(values, float)
        else:
            found[name] = np.array([value or "" for value in values], str)
    found["origin"] = dataset.origins[rows]
    if dataset.has_mask[rows].any():
        found[_MASK_FACTOR] = _label_pixels(dataset, rows)
    return found


def _label_pixels(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """How many pixels carry the label, float (n,); NaN where none does or nobody knows."""
    starts = range(0, len(rows), _IMAGES_AT_ONCE)
    parts = [
        np.count_nonzero(dataset.masks[rows[start : start + _IMAGES_AT_ONCE]], axis=(1, 2))
        for start in starts
    ]
    pixels = np.concatenate(parts).astype(float)
    pixels[pixels == 0] = np.nan
    return pixels


def _write_plots(folder: Path, study: Study) -> None:
    for name, text in plots.tables(study).items():
        (folder / name).write_text(text)
    figures.draw_confusion(study, folder / "confusion.png")
    figures.draw_precision_recall(study, folder / "precision_recall.png")
    figures.draw_calibration(study, folder / "calibration.png")
    figures.draw_slices(study, folder / "slices.png")


def _write_predictions(path: Path, inputs: Inputs, study: Study, name: str) -> None:
    """One row an image; docs/evaluation.md says what each column means."""
    dataset, outcome = inputs.dataset, study.outcomes[name]
    rows = inputs.rows["val" if name == "val" else "test"]
    columns = {
        "id": dataset.ids[rows],
        "source_id": dataset.source_ids[rows],
        "label": dataset.labels[rows],
        "pixels": [content_digest(dataset.images[row]) for row in rows],
        "predicted": np.asarray(dataset.classes)[outcome.predicted],
    }
    columns |= _by_class("score", outcome.scores, dataset.classes)
    if name != "shortcut":
        probabilities = study.calibrator(outcome.scores)
        columns |= _by_class("probability", probabilities, dataset.classes)
    batch = pa.record_batch({key: pa.array(column) for key, column in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def _by_class(kind: str, values: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    return {f"{kind}.{label}": values[:, index] for index, label in enumerate(classes)}
