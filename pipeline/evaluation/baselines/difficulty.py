"""Which factors carry the difficulty of a dataset, by what the texture baseline makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.baselines.fitting import Images
from raresight.pipeline.evaluation.baselines.registry import BASELINES

FOLDS = 5
_MOST_VALUES = 20  # of a factor with words: names of single images carry nothing


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one factor does to the score of an image's own class.

    ``strength`` in [0, 1] is the rank correlation (Spearman) of a factor with numbers, without its
    sign, and the correlation ratio (adjusted eta) of one with words. ``harder`` says at which end,
    or at which value, the score is lowest.
    """

    factor: str
    strength: float
    harder: str
    images: int


def own_class_ranks(
    images: Images, rows: np.ndarray, targets: np.ndarray, *, num_classes: int, seed: int
) -> np.ndarray:
    """The rank in [0, 1] of the texture baseline's score for each image's own class, in its class.

    ``rows`` (n,) are the row numbers, ``targets`` (n,) their classes. The scores are out of fold:
    no image is judged by a model that was fitted on it.
    """
    baseline = BASELINES["texture_baseline"]
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows))
    order = order[np.argsort(targets[order], kind="stable")]  # folds that hold the same classes
    own = np.empty(len(rows))
    for fold in range(FOLDS):
        held, others = order[fold::FOLDS], np.delete(order, np.s_[fold::FOLDS])
        sets = {"train": rows[others], "val": rows[:0], "test": rows[held]}
        scores = baseline.scores(images, sets, targets[others], num_classes=num_classes, seed=seed)[
            "test"
        ]
        own[held] = scores[np.arange(len(held)), targets[held]]
    ranks = np.empty(len(rows))
    for index in np.unique(targets):
        inside = np.flatnonzero(targets == index)
        ranks[inside] = _ranks(own[inside])
    return ranks


def effects(ranks: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[Effect, ...]:
    """The effect of each factor on ``ranks`` (n,), the strongest first.

    ``factors`` are floats (n,), NaN where unknown, or objects (n,), None where unknown. A factor
    that does not vary, or is known of fewer than ten images, is left out.
    """
    found = [
        effect
        for name, values in factors.items()
        if (effect := _effect(name, ranks, values)) is not None
    ]
    return tuple(sorted(found, key=lambda effect: -effect.strength))


def _effect(name: str, ranks: np.ndarray, values: np.ndarray) -> Effect | None:
    numeric = values.dtype.kind == "f"
    known = ~np.isnan(values) if numeric else np.array([value is not None for value in values])
    values, ranks = values[known], ranks[known]
    different = np.unique(values)
    if len(values) < 10 or len(different) < 2:
        return None
    if numeric:
        correlation = float(np.corrcoef(_ranks(values), _ranks(ranks))[0, 1])
        harder = "where low" if correlation > 0 else "where high"
        return Effect(factor=name, strength=abs(correlation), harder=harder, images=len(values))
    if len(different) > _MOST_VALUES:
        return None
    parts = [ranks[values == value] for value in different]
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    # Adjusted for the number of values, as R-squared is: more of them fit by chance.
    share = 1 - within / total * (len(ranks) - 1) / (len(ranks) - len(parts))
    hardest = different[int(np.argmin([part.mean() for part in parts]))]
    strength = float(np.sqrt(max(0.0, share)))
    return Effect(factor=name, strength=strength, harder=f"{hardest}", images=len(values))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks in [0, 1], equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2)[inverse] / max(1, len(values) - 1))
