"""What evaluate judges: the images of each split, the models of the training, and their scores."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.core.inputs import read_mapping, understood
from raresight.pipeline.core.parallel import map_shards
from raresight.pipeline.dataset.annotations import PixelMaps
from raresight.pipeline.dataset.pixels import at_once
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.models.out_of_fold import OutOfFold
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.runtime.progress import track
from raresight.pipeline.splitting.table import read_splits

_SETS = ("train", "val", "test")
IMAGES_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model, where it lies, and the ``seed`` of its training.

    ``assumed``, float (K,), are the class shares under which its scores are probabilities, None
    where nobody knows.
    """

    scorer: Any
    folder: Path
    seed: int
    assumed: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class LoadedInputs:
    """The dataset of originals, the row numbers of each split, and the trained models.

    The first model is the one that the results are about; the others are further trainings of the
    same recipe. ``drawn`` are the rows of drawn test images where real ones are tested on.
    ``groups``, str (n,), names for every row of the dataset what it belongs to.

    Where training had folds, ``out_of_fold`` has the scores of the rows ``val``, which are then
    also among those of ``train``: the models have learned from them, those scores have not.
    """

    dataset: Dataset
    rows: Mapping[str, np.ndarray]
    models: tuple[Trained, ...]
    drawn: np.ndarray
    groups: np.ndarray
    out_of_fold: OutOfFold | None = None


def open_inputs(dataset: Dataset, data: Path, device: str) -> LoadedInputs:
    """Read splits and models; DataError where a model is about other classes."""
    from raresight.pipeline.models.checkpoint import replicate_folders

    splits = read_splits(data / "splits")
    rows = {name: splits.rows(dataset, name) for name in _SETS}
    rows["test"], drawn = _real_first(dataset, rows["test"])
    held_out = OutOfFold.read(data / "model")
    if held_out is not None:
        rows |= _with_folds(held_out, dataset, rows)
    folders = replicate_folders(data / "model")
    models = tuple(_open_model(folder, dataset, data, device) for folder in folders)
    return LoadedInputs(
        dataset=dataset,
        rows=rows,
        models=models,
        drawn=drawn,
        groups=splits.groups(dataset),
        out_of_fold=held_out,
    )


def _with_folds(
    held_out: OutOfFold, dataset: Dataset, rows: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What the models learned from, and what stands for validation: what a fold held out."""
    learned = np.union1d(rows["train"], rows["val"])
    order = np.argsort(dataset.ids[learned])
    places = np.searchsorted(dataset.ids[learned], held_out.ids, sorter=order)
    found = learned[order[np.minimum(places, len(order) - 1)]]
    if held_out.classes != dataset.classes or (dataset.ids[found] != held_out.ids).any():
        raise DataError(
            "The out-of-fold scores beside the model are of other images or classes than those of "
            "train and val. Run `raresight train` again."
        )
    return {"train": learned, "val": found}


def _open_model(folder: Path, dataset: Dataset, data: Path, device: str) -> Trained:
    from raresight.pipeline.models.checkpoint import load_model

    scorer = load_model(folder, device)
    if tuple(scorer.classes) != dataset.classes:
        raise DataError(
            f"{folder} knows the classes {', '.join(scorer.classes)}, but "
            f"{data / 'generated'} holds {', '.join(dataset.classes)}. Run `raresight train` again."
        )
    place = folder / "model.json"
    card = read_mapping(place)
    with understood(str(place), "Run `raresight train` again."):
        prior = card["score_prior"]
        assumed = None if prior is None else _shares(prior, dataset.classes)
        return Trained(scorer=scorer, folder=folder, seed=int(card["seed"]), assumed=assumed)


def _shares(prior: Mapping[str, float], classes: Sequence[str]) -> np.ndarray:
    """The share of each class, float (K,); ValueError where one can be no share."""
    found = np.array([prior[label] for label in classes], float)
    if not ((found > 0) & (found <= 1)).all():
        raise ValueError(f"score_prior has shares that are none: {found.tolist()}")
    return found


def _real_first(dataset: Dataset, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The test rows that count, and drawn ones beside them: where some are real, those count."""
    real = dataset.origins[rows] == "real"
    if real.all() or not real.any():
        return rows, rows[:0]
    return rows[real], rows[~real]


@dataclass(frozen=True, kw_only=True)
class ScoreTask:
    """Rows of a dataset to be scored by each of the models in ``models``.

    They are perturbed before, by the recipe of the section ``perturb``, where there is one.
    """

    dataset: Path
    models: tuple[Path, ...]
    device: str
    rows: np.ndarray
    perturb: EvaluateParams | None = None


def score_shard(task: ScoreTask) -> list[np.ndarray]:
    """Each model's scores (n, K); runs in a worker, which opens everything itself."""
    from raresight.pipeline.models.checkpoint import load_model

    dataset = Dataset(task.dataset)
    return _scores([load_model(folder, task.device) for folder in task.models], dataset, task)


def _scores(scorers: Sequence[Any], dataset: Dataset, task: ScoreTask) -> list[np.ndarray]:
    if task.perturb is None:
        return [scorer.scores(dataset.images, task.rows) for scorer in scorers]
    batch = _perturbed(dataset, task.rows, task.perturb)
    return [scorer.scores(batch, np.arange(len(batch))) for scorer in scorers]


def model_scores(
    inputs: LoadedInputs, params: EvaluateParams, *, device: str = "auto", executor: str = "local"
) -> list[dict[str, np.ndarray]]:
    """Each model's scores (n, K) on val, test and perturbed; DataError when one is not a number.

    Those on val are out-of-fold scores where there are any, the same for every model.

    The test images are perturbed once for all models. With the ``executor`` ``ray`` shards of
    images are scored on a cluster, each on the ``device`` of its machine.
    """
    models, held_out = inputs.models, inputs.out_of_fold
    names = ["test", "perturbed"] if held_out is not None else ["val", "test", "perturbed"]
    tasks = [(name, task) for name in names for task in _tasks(inputs, params, name, device)]
    work: Callable[[ScoreTask], list[np.ndarray]] = score_shard
    if executor == "local":  # the models are open, and torch has the cores
        work = partial(_scores, [model.scorer for model in models], inputs.dataset)
    workers = 1 if executor == "local" else None
    done = map_shards(work, [task for _, task in tasks], workers=workers, executor=executor)
    parts: dict[str, list[list[np.ndarray]]] = {name: [] for name in names}
    shown = track(
        zip(tasks, done, strict=True),
        total=sum(len(task.rows) for _, task in tasks),
        description="evaluate",
        images=lambda pair: len(pair[0][1].rows),
    )
    for (name, _), scores in shown:
        parts[name].append(scores)
    empty = np.empty((0, len(inputs.dataset.classes)))
    found = [
        {name: np.concatenate([empty, *(part[at] for part in parts[name])]) for name in names}
        for at in range(len(models))
    ]
    for of_model in found:
        if held_out is not None:
            of_model["val"] = held_out.scores
        _check_finite(of_model)
    return found


def _tasks(
    inputs: LoadedInputs, params: EvaluateParams, name: str, device: str
) -> Iterator[ScoreTask]:
    from raresight.pipeline.models.classifier import in_batches

    rows = inputs.rows["val" if name == "val" else "test"]
    # Whole batches of the network, so that the shards change no score.
    batch = len(in_batches(np.arange(IMAGES_AT_ONCE), inputs.dataset.image_shape)[0])
    size = at_once(IMAGES_AT_ONCE, inputs.dataset.image_shape) // batch * batch
    for start in range(0, len(rows), size):
        yield ScoreTask(
            dataset=inputs.dataset.folder,
            models=tuple(model.folder for model in inputs.models),
            device=device,
            rows=rows[start : start + size],
            perturb=params if name == "perturbed" else None,
        )


def _check_finite(scores: Mapping[str, np.ndarray]) -> None:
    for name, values in scores.items():
        if not np.isfinite(values).all():
            raise DataError(f"The model's scores on {name} images are not numbers. Train it again.")


def _perturbed(dataset: Dataset, rows: np.ndarray, params: EvaluateParams) -> np.ndarray:
    """The images after the recipe, (n, H, W, C), each from a random stream of its own."""
    from raresight.pipeline.augmentation.recipe import build

    recipe = build(params.perturb)
    batch = dataset.images[rows]
    for place, row in enumerate(rows):
        rng = seeds.rng(params.seed, "perturb", dataset.ids[row])
        batch[place], _ = recipe(batch[place], rng=rng)
    return batch


def factors_of(dataset: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What is known of each of ``rows`` (n,): the recorded factors, the origin, the label's size.

    Float columns hold NaN and string columns "" where a factor is unknown. Outcomes are left out:
    they came with the class, and a part by them would say nothing of where the model fails.
    """
    found = {}
    description = dataset.description
    for name in sorted(set(description.factors) - set(description.outcomes)):
        kind = description.factors[name]
        values = dataset.column(f"factor.{name}", rows.tolist())
        if kind == "float":
            found[name] = np.array(values, float)
        else:
            found[name] = np.array([value or "" for value in values], str)
    found["origin"] = dataset.origins[rows]
    if dataset.masks is not None and dataset.has_mask[rows].any():
        found["label_pixels"] = _label_pixels(dataset.masks, rows)
    return found


def _label_pixels(masks: PixelMaps, rows: np.ndarray) -> np.ndarray:
    """How many pixels carry the label, float (n,); NaN where none does or nobody knows."""
    size = at_once(IMAGES_AT_ONCE, masks.shape[1:])
    parts = [
        np.count_nonzero(masks.take(rows[start : start + size]), axis=(1, 2))
        for start in range(0, len(rows), size)
    ]
    pixels = np.concatenate(parts).astype(float)
    pixels[pixels == 0] = np.nan
    return pixels
