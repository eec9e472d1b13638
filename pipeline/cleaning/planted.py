"""How well planted faults were found: precision and recall, by class and by kind.

What was planted is known of drawn images alone: labels that were changed on purpose, and images
that were replaced by something else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raresight.pipeline.cleaning.findings import HIDDEN, LABEL, Found
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import FACTOR

_CORRUPTION, _NOISE = "corruption", "label_noise"  # as generate records what it did to a row


def planted(found: Sequence[Found], data: Dataset, rows: np.ndarray) -> dict[str, Any] | None:
    """Scores of what was ``found`` among the ``rows`` (n,) of ``data``; None where nothing was
    planted."""
    labels, truth = data.labels[rows], data.true_labels[rows]
    kinds = np.full(len(rows), "")
    if _CORRUPTION in data.description.factors:
        kinds = data.values(f"{FACTOR}{_CORRUPTION}")[rows].astype(str)
        kinds = np.where(kinds == _NOISE, "", kinds)
    scores: dict[str, Any] = {}
    if (labels != truth).any():
        flagged = _flagged(found, len(rows), labels=True)
        scores["labels"] = score_labels(flagged, labels, truth, data.classes)
    if (kinds != "").any():
        scores["outliers"] = score_outliers(_flagged(found, len(rows), labels=False), kinds)
    return scores or None


def _flagged(found: Sequence[Found], count: int, *, labels: bool) -> np.ndarray:
    which = np.zeros(count, bool)
    for one in found:
        if (one.why in (HIDDEN, LABEL)) is labels:
            which[one.rows] = True
    return which


def score_labels(
    flagged: np.ndarray, labels: np.ndarray, true_labels: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Of each class, of which n images were ``flagged`` bool (n,) as falsely labelled.

    ``precision`` and ``recall`` are of the images labelled so; ``good_thrown`` is the share of the
    rightly labelled ones that were flagged, ``hidden_found`` the share found of those that are of
    the class and labelled as another. Undefined ones are None, since nothing was planted there.
    """
    wrong = labels != true_labels
    return {
        name: {
            "images": int(mine.sum()),
            "wrong": int((mine & wrong).sum()),
            "flagged": int((mine & flagged).sum()),
            "precision": _share(wrong, mine & flagged),
            "recall": _share(flagged, mine & wrong),
            "good_thrown": _share(flagged, mine & ~wrong),
            "hidden": int((wrong & (true_labels == name)).sum()),
            "hidden_found": _share(flagged, wrong & (true_labels == name)),
        }
        for name in classes
        for mine in [labels == name]
    }


def score_outliers(flagged: np.ndarray, kinds: np.ndarray) -> dict[str, Any]:
    """``kinds`` str (n,), "" where nothing was planted; ``flagged`` bool (n,), whatever for."""
    planted = kinds != ""
    return {
        "planted": int(planted.sum()),
        "flagged": int(flagged.sum()),
        "precision": _share(planted, flagged),
        "good_thrown": _share(flagged, ~planted),
        "kinds": {str(kind): int((kinds == kind).sum()) for kind in np.unique(kinds[planted])},
        "recall": {str(kind): _share(flagged, kinds == kind) for kind in np.unique(kinds[planted])},
    }


def _share(of: np.ndarray, among: np.ndarray) -> float | None:
    return float(of[among].mean()) if among.any() else None
