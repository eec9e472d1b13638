"""The decision of an evaluation, as it is kept for the use of the model."""

from pathlib import Path

import numpy as np

from raresight.pipeline.dataset.pixels import at_once
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.kept import KeptDecision, model_files
from raresight.pipeline.evaluation.decisions.unlike import (
    FLAGGED,
    MEASURES,
    MOST_FEATURES,
    Reference,
    exceeded,
    fit_reference,
    pixel_statistics,
)
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.scoring import IMAGES_AT_ONCE, LoadedInputs

_IMAGES = 4000  # of a class and a split, at most; more would hardly move a mean or a covariance


def kept_decision(model: Path, loaded: LoadedInputs, result: EvaluationResult) -> KeptDecision:
    """What the use of the model in the folder ``model`` needs of its evaluation."""
    threshold = result.thresholds.get("model")
    references, flagged = _references(loaded)
    return KeptDecision(
        model=model_files(model),
        task=result.task,
        rule=result.params.threshold,
        threshold=None if threshold is None else threshold.value,
        calibrator=result.calibrator,
        unlike=references,
        flagged=flagged,
    )


def _references(
    loaded: LoadedInputs,
) -> tuple[dict[str, Reference], dict[str, dict[str, float | None]]]:
    """Where training images lie by each measure, and whom validation's bounds flag.

    Where nothing is left for validation, as the model has learned from it, test images say what is
    ordinary: how far those lie from training images, and no answer or label of theirs.
    """
    dataset = loaded.dataset
    unseen = ("val", "test") if loaded.out_of_fold is None else ("test",)
    rows = {name: _some(dataset, loaded.rows[name]) for name in ("train", *unseen)}
    values = {name: _values(loaded, rows[name]) for name in rows}
    # Each measure may flag its part of the share, so that all together flag no more.
    measures = [name for name in MEASURES if name in values["train"]]
    references = {
        name: fit_reference(
            values["train"][name],
            dataset.targets[rows["train"]],
            values[unseen[0]][name],
            flagged=FLAGGED / len(measures),
        )
        for name in measures
    }
    flagged = {}
    for name in unseen:
        unlike = exceeded({m: references[m].ratios(values[name][m]) for m in measures})
        flagged[name] = _by_class(unlike, dataset, rows[name])
    return references, flagged


def _some(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """At most so many rows of each class, spread evenly; in their order."""
    targets = dataset.targets[rows]
    kept = []
    for target in np.unique(targets):
        own = rows[targets == target]
        kept.append(own[np.linspace(0, len(own) - 1, min(len(own), _IMAGES)).astype(int)])
    return np.sort(np.concatenate([rows[:0], *kept]))


def _values(loaded: LoadedInputs, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What each measure looks at, (n, F); features only where there are few enough."""
    images, scorer = loaded.dataset.images, loaded.models[0].scorer
    size = at_once(IMAGES_AT_ONCE, images.shape[1:])
    starts = range(0, len(rows), size)
    parts = [pixel_statistics(images[rows[at : at + size]]) for at in starts]
    found = {"pixels": np.concatenate([np.empty((0, 8)), *parts])}
    if scorer.num_features <= MOST_FEATURES:
        found["features"] = scorer.features(images, rows)
    return found


def _by_class(unlike: np.ndarray, dataset: Dataset, rows: np.ndarray) -> dict[str, float | None]:
    targets = dataset.targets[rows]
    shares: dict[str, float | None] = {}
    for index, label in enumerate(dataset.classes):
        own = unlike[targets == index]
        shares[label] = float(own.mean()) if len(own) else None
    return shares
