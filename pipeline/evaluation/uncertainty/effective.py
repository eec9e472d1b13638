"""How many independent images a set is worth whose images belong to groups.

Images of one patient resemble each other, so forty of them tell less than forty strangers. The
design effect says by how much the variance of a value is larger than for independent images (Kish,
Survey Sampling, 1965); ``n`` images are worth ``n`` divided by it. A few groups estimate it badly,
and too small as often as too large: it is therefore drawn towards what it would be if all images of
a group were alike, the more the fewer groups speak.
"""

import numpy as np

FEWEST_GROUPS = 2  # one group alone tells nothing of others
_PRIOR_GROUPS = 2  # what the worst case weighs: chosen by the coverage at 2 to 30 groups

Counts = tuple[float, float]


def has_groups(groups: np.ndarray | None) -> bool:
    """Whether some rows are of one group."""
    return groups is not None and len(np.unique(groups)) < len(groups)


def count_groups(groups: np.ndarray | None, rows: np.ndarray) -> int:
    """How many groups the ``rows``, bool (n,), are of; each its own where there are none."""
    return int(rows.sum()) if groups is None else len(np.unique(groups[rows]))


def alike(sizes: np.ndarray) -> float:
    """The design effect if the images of each group were all alike; ``sizes`` (G,) are not 0."""
    return float((sizes**2).sum() / sizes.sum())


def design_effect(values: np.ndarray, sizes: np.ndarray, *, variance: float, speak: float) -> float:
    """The design effect of a mean, from the sums ``values`` (G,) of its deviations in each group.

    ``sizes`` (G,) are the images of each, ``variance`` that of the sum of all deviations if images
    were independent, ``speak`` how many groups tell of the spread. Never below 1: groups whose
    images differ more than strangers are chance.
    """
    most = alike(sizes)
    if len(values) < FEWEST_GROUPS or variance <= 0:
        return most
    seen = len(values) / (len(values) - 1) * float((values**2).sum()) / variance
    seen = max(1.0, seen)
    return seen + max(0.0, most - seen) * min(1.0, _PRIOR_GROUPS / max(speak, 1))


def effective_counts(successes: np.ndarray, trials: np.ndarray) -> Counts | None:
    """The successes and trials of independent images that tell as much as those of the groups.

    ``successes`` and ``trials`` are (G,). None where all images are of one group. A proportion near
    0 or 1 is decided by the few groups that hold an exception, so these count.
    """
    counted = trials > 0
    successes, trials = successes[counted], trials[counted]
    total, found = float(trials.sum()), float(successes.sum())
    if len(trials) == 0 or (trials == 1).all():
        return found, total
    if len(trials) < FEWEST_GROUPS:
        return None
    share = found / total
    exceptions = min(int((successes > 0).sum()), int((successes < trials).sum()))
    effect = design_effect(
        successes - share * trials,
        trials,
        variance=total * share * (1 - share),
        speak=min(len(trials), 2 * exceptions),
    )
    return found / effect, total / effect


def effective_proportion(
    correct: np.ndarray, counted: np.ndarray, groups: np.ndarray | None
) -> Counts | None:
    """:func:`effective_counts` of ``correct`` among ``counted``, bool (n,), of ``groups`` (n,)."""
    if groups is None:
        return float((correct & counted).sum()), float(counted.sum())
    size = int(groups.max(initial=-1)) + 1
    return effective_counts(
        np.bincount(groups[correct & counted], minlength=size),
        np.bincount(groups[counted], minlength=size),
    )


def too_few_groups(images: int) -> str:
    """Why there is no interval where all images are of one group."""
    return (
        f"no interval: the {images} images are all of one group, which tells nothing of others; "
        f"at least {FEWEST_GROUPS} groups are needed, better 10"
    )
