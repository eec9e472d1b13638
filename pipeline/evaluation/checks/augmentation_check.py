"""Whether a model knows a class by what was done to its copies: its answers to copies of others.

Copies of a rare class that went through what no other image did are told by that. Then test images
of the other classes, put through the same recipe, are taken for the rare class; a copy of one of
its own is recognized more often than the original, for the same reason.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from raresight.pipeline.augmentation.class_specific import favored
from raresight.pipeline.augmentation.copies import original_of
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.augmentation.safety import Policy, make_copy
from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.pixels import at_once
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.checks.tested import Answers, Tested
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate, as_dict
from raresight.pipeline.evaluation.uncertainty.paired import paired_difference
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

MOST = 2000  # images of either kind: a copy is made of each, and enough is known
_AT_ONCE = 1024


def check_augmentation(
    recipe: AugmentParams,
    dataset: Dataset,
    tested: Tested,
    answers: Answers,
    *,
    settings: IntervalSettings,
) -> dict[str, Any] | None:
    """How often test images are given a class that was copied more than others, as its copies look.

    The contents of results.json's ``augmentation_check``: for images of the other classes and of
    those copied, the share ``before`` (as they are) and ``after`` (as a copy of each, made as the
    augment stage makes its first), the difference with its interval, and whether it is significant
    (Bonferroni, as there are two). None where no class has more copies than another, or where
    copies are what their originals are.
    """
    labels = favored(recipe, dataset.classes)
    if not labels or not any(step.p > 0 for step in (*recipe.spatial, *recipe.pixel)):
        return None
    indices = [dataset.classes.index(label) for label in labels]
    copied = np.isin(dataset.targets[tested.rows], indices)
    found: dict[str, Any] = {"classes": ", ".join(labels)}
    for name, chosen in (("other_classes", ~copied), ("copied_classes", copied)):
        places = _some(np.flatnonzero(chosen), recipe.seed, name)
        after, kept = _answers_to_copies(recipe, dataset, tested.rows[places], answers)
        places = places[kept]
        if len(places):
            before = np.isin(tested.predicted[places], indices)
            now = np.isin(after, indices)
            found[name] = _compared(before, now, tested.groups[places], settings)
    return found


def _some(places: np.ndarray, seed: int, name: str) -> np.ndarray:
    """At most MOST of them, drawn at random, in order."""
    if len(places) <= MOST:
        return places
    rng = seeds.rng(seed, "augmentation check", name)
    return np.sort(rng.choice(places, MOST, replace=False))


def _answers_to_copies(
    recipe: AugmentParams, dataset: Dataset, rows: np.ndarray, answers: Answers
) -> tuple[np.ndarray, np.ndarray]:
    """Answers to a copy of each row that has one, and bool (n,): which have."""
    policy = Policy.of(recipe)
    found, kept = [np.empty(0, np.int64)], np.zeros(len(rows), bool)
    size = at_once(_AT_ONCE, dataset.image_shape)
    for start in range(0, len(rows), size):
        batch = [
            make_copy(original_of(dataset, row, str(dataset.ids[row])), 1, policy=policy).image
            for row in rows[start : start + size].tolist()
        ]
        made = [image for image in batch if image is not None]
        kept[start : start + len(batch)] = [image is not None for image in batch]
        if made:
            found.append(answers(np.stack(made)))
    return np.concatenate(found), kept


def _compared(
    before: np.ndarray, after: np.ndarray, groups: np.ndarray, settings: IntervalSettings
) -> Mapping[str, Any]:
    def share(answers: np.ndarray) -> Estimate:
        return Estimate(value=float(answers.mean()))

    level = settings.confidence_level
    between = paired_difference(before, after, groups, confidence=level)
    strict = paired_difference(before, after, groups, confidence=1 - (1 - level) / 2)
    low, high = between or (None, None)
    reason = None if between else "no interval: all images are of one group"
    difference = Estimate(
        value=float(after.mean() - before.mean()), low=low, high=high, reason=reason
    )
    counts = {"images": len(before), "groups": len(np.unique(groups))}
    told = as_dict({"before": share(before), "after": share(after), "difference": difference})
    return counts | told | {"significant": strict is not None and not strict[0] <= 0 <= strict[1]}
