"""Does the model look at the object? Its answers to positives whose object is filled in.

A model that knows the class by something else (a mark of the scanner, a background, a border) goes
on calling an image positive whose object is gone. No map of attributions is needed for that, only
the mask; and it speaks in the unit of the judgement, the share called positive.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.checks.tested import Answers, Tested
from raresight.pipeline.evaluation.uncertainty.effective import (
    count_groups,
    effective_proportion,
    too_few_groups,
)
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate, as_dict
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

MOST = 2000  # images of either kind: enough is known
MARGIN = 2  # pixels around the mask that are filled, too: an edge is drawn beyond its mask
LARGEST = 0.5  # of an image: a larger object has no surroundings to be filled from
_RADIUS = 3  # pixels that a filled one is made from
_BYTES_AT_ONCE = 1 << 26  # of pixels that are filled before they are scored


def check_object_removed(
    dataset: Dataset,
    test: Tested,
    answers: Answers,
    *,
    positive: int | None,
    settings: IntervalSettings,
    seed: int,
) -> dict[str, Any] | None:
    """How often positives are still called positive once their object is filled in.

    The contents of results.json's ``object_removed``. Of the test positives with a mask: the share
    called positive ``before`` (as they are) and ``after`` (the object filled). Beside them, of the
    other test images: ``false_alarm_rate`` (as they are) and ``filled_elsewhere`` (filled in the
    shape of a positive's object, which tells whether the filling itself looks positive). Each with
    its interval. ``significant``: ``after`` is surely above both of these. ``left_out`` positives
    have a mask of more than half of the image. None without a positive class, or where no test
    positive has a mask.
    """
    if positive is None or dataset.masks is None:
        return None
    is_positive = dataset.targets[test.rows] == positive
    masked = is_positive & dataset.has_mask[test.rows]
    places = _some(np.flatnonzero(masked), seed, "positives")
    covered = np.array([area_of(dataset, row).mean() for row in test.rows[places].tolist()])
    fits = (covered > 0) & (covered <= LARGEST)
    if not fits.any():
        return None
    left_out, places = int((covered > LARGEST).sum()), places[fits]
    others = np.flatnonzero(~is_positive)
    some_others = _some(others, seed, "others")[: len(places)] if len(others) else others

    objects = test.rows[places]

    def share(places: np.ndarray, called: np.ndarray) -> Estimate:
        return _share(called == positive, test.groups[places], settings)

    def filled(places: np.ndarray) -> np.ndarray:
        return _answers_when_filled(dataset, test.rows[places], objects, answers)

    found = {
        "before": share(places, test.predicted[places]),
        "after": share(places, filled(places)),
        "false_alarm_rate": share(others, test.predicted[others]),
        "filled_elsewhere": share(some_others, filled(some_others)),
    }
    every = np.ones(len(places), bool)
    return {
        "images": len(places),
        "groups": count_groups(test.groups[places], every),
        "left_out": left_out,
        **as_dict(found),
        "significant": _above(found["after"], found["false_alarm_rate"])
        and _above(found["after"], found["filled_elsewhere"]),
    }


def fill(image: np.ndarray, area: np.ndarray) -> np.ndarray:
    """``image``, uint8 (H, W, 3), with ``area``, bool (H, W), made from what lies around it.

    By inpainting after Navier and Stokes (Bertalmio, Bertozzi and Sapiro, CVPR 2001), each channel
    alone.
    """
    holes = area.astype(np.uint8)
    return np.asarray(
        cv2.inpaint(np.ascontiguousarray(image), holes, _RADIUS, cv2.INPAINT_NS), np.uint8
    )


def _some(places: np.ndarray, seed: int, name: str) -> np.ndarray:
    """At most MOST of them, drawn at random, in order."""
    if len(places) <= MOST:
        return places
    rng = seeds.rng(seed, "object removed", name)
    return np.sort(rng.choice(places, MOST, replace=False))


def area_of(dataset: Dataset, row: int) -> np.ndarray:
    """What is filled of the image ``row``: its mask and the margin, bool (H, W)."""
    assert dataset.masks is not None  # its caller has asked
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1,) * 2)
    return np.asarray(cv2.dilate(dataset.masks.take(np.array([row]))[0], kernel) > 0)


def _answers_when_filled(
    dataset: Dataset, rows: np.ndarray, objects: np.ndarray, answers: Answers
) -> np.ndarray:
    """The answers, int (n,), to ``rows`` (n,), filled where the image of ``objects`` has its."""
    found = [np.empty(0, np.int64)]
    step = max(1, _BYTES_AT_ONCE // int(np.prod(dataset.image_shape)))
    pairs = list(zip(rows.tolist(), objects.tolist(), strict=False))  # the others may be fewer

    def filled(pair: tuple[int, int]) -> np.ndarray:
        row, of = pair
        return fill(dataset.images[row], area_of(dataset, of))

    with ThreadPoolExecutor() as pool:  # OpenCV lets other threads run
        for start in range(0, len(pairs), step):
            found.append(answers(np.stack(list(pool.map(filled, pairs[start : start + step])))))
    return np.concatenate(found)


def _share(called: np.ndarray, groups: np.ndarray, settings: IntervalSettings) -> Estimate:
    if not len(called):
        return Estimate(value=None, reason="there are no other images in the test set")
    worth = effective_proportion(called, np.ones(len(called), bool), groups)
    ends = None if worth is None else settings.proportion(*worth)
    if ends is None:
        return Estimate(value=float(called.mean()), reason=too_few_groups(len(called)))
    return Estimate(value=float(called.mean()), low=ends[0], high=ends[1])


def _above(one: Estimate, other: Estimate) -> bool:
    """Whether the interval of ``one`` lies above that of the other."""
    return one.low is not None and other.high is not None and one.low > other.high
