"""Two versions beside each other: their differences, and what has to be known to believe them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.comparison.alignment import differing_params
from raresight.pipeline.comparison.compare import Comparison, compare
from raresight.pipeline.comparison.sides import (
    DECISIONS,
    RECIPES,
    about,
    common_task,
    same_images,
    settings_of,
    side,
)
from raresight.pipeline.comparison.versions import Version
from raresight.pipeline.core import seeds


@dataclass(frozen=True, kw_only=True)
class Report:
    """Two versions beside each other.

    ``params`` holds (old, new) of every key they give different values, ``counts`` the test images
    of each class, ``num_seeds`` the number of trainings of each version, and ``notes`` what the
    reader has to know to believe the verdicts. ``about`` is what the intervals are about: the two
    ``recipes`` or, where one was trained once, the two ``models``; ``decisions`` where the models
    are the same and decide otherwise. ``params`` is None where the versions have none. ``grouped``:
    several images are of one group; ``thresholds_vary``: the intervals hold that another validation
    set would have given other thresholds.
    """

    old: str
    new: str
    on: str
    positive: str | None
    confidence: float
    counts: Mapping[str, int]
    params: Mapping[str, tuple[Any, Any]] | None
    num_seeds: tuple[int, int]
    about: str
    grouped: bool
    thresholds_vary: bool
    comparison: Comparison
    notes: tuple[str, ...]


def compare_versions(
    old: Version, new: Version, *, on: str, shared: bool, primary: str | None = None
) -> Report:
    """Compare what two versions answered about the images ``on`` (``test`` or ``perturbed``).

    ``primary`` is the metric that the verdict rests on (None: the registry's). A positive
    difference is one that the new version is higher by. Raises DataError when they were judged on
    different images, unless ``shared`` asks for those that both have.
    """
    rows, notes = same_images(old, new, shared=shared)
    task, settings, what = common_task(old, new), settings_of(new), about(old, new)
    images = new.test.take(rows[1])
    params = differing_params(old.params, new.params)
    comparison = compare(
        side(old, rows[0], task, settings),
        side(new, rows[1], task, settings),
        images.groups,
        settings=settings.intervals,
        rng=seeds.rng(settings.seed, "compare", on),
        primary=primary,
        same_models=what == DECISIONS,
    )
    counts = np.bincount(images.labels, minlength=len(task.classes)).tolist()
    return Report(
        old=old.name,
        new=new.name,
        on=on,
        positive=task.positive,
        confidence=settings.confidence_level,
        counts=dict(zip(task.classes, counts, strict=True)),
        params=params,
        num_seeds=(len(old.trainings), len(new.trainings)),
        about=what,
        grouped=len(np.unique(images.group_names)) < len(images.ids),
        thresholds_vary=task.positive is not None,
        comparison=comparison,
        notes=(
            *notes,
            *_outdated(old, new),
            *_caveats(old, new, what, params),
        ),
    )


def _outdated(*versions: Version) -> Iterator[str]:
    for version in versions:
        if version.outdated:
            keys = ", ".join(version.outdated[:3]) + (", ..." if version.outdated[3:] else "")
            yield (
                f"The results of {version.name} were made with other params than it has now "
                f"({keys}): run `dvc repro`, or the comparison is of something else."
            )


def _caveats(old: Version, new: Version, what: str, params: Mapping[str, Any]) -> Iterator[str]:
    """What the verdicts are about."""
    versions = (old, new)
    if what == DECISIONS:
        return
    if params and all(key.rpartition(".")[2] == "seed" for key in params):
        yield f"Nothing but seeds differs ({', '.join(params)}): the recipe is the same."
    for version in versions:
        asked = version.params.get("train", {}).get("num_seeds", 1)
        if asked > len(version.trainings):
            yield (
                f"train.num_seeds of {version.name} is {asked}, but its results are of "
                f"{len(version.trainings)} training: run `dvc repro` there."
            )
    if what == RECIPES:
        yield (
            "Values are means over the trainings; intervals hold the test images and the seeds, so "
            "the verdicts are about the recipes."
        )
        if min(len(version.trainings) for version in versions) == 2:
            yield "Two trainings hardly tell how far a third would be off: three or more do."
        return
