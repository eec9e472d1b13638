"""plan: how many images a test set needs, and whether the one there is has them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from raresight.pipeline.core.files import MANIFEST
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.promises import worth_of_groups
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.uncertainty.effective import count_groups
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS
from raresight.pipeline.evaluation.uncertainty.sample_size import (
    images_needed,
    negatives_needed,
    positives_needed,
    tolerable_false_positive_rate,
)
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.splitting.table import read_splits

FALSE_POSITIVES = (0, 1, 5)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a deployment prevalence asks for.

    ``random_images`` holds how many images drawn there hold the positives, on average and with the
    confidence asked for; ``false_positive_rate`` the share of negatives that may be predicted
    positive, and ``negatives`` how many show it, by the false positives among them.
    """

    prevalence: float
    random_images: tuple[int, int]
    false_positive_rate: float
    negatives: dict[int, int]


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """The test set there is: its images, and the interval that a recall as planned would have.

    Where images belong to groups, ``positive_groups`` and ``negative_groups`` are fewer than the
    images, which are worth as many independent ones as ``positives_worth`` and ``negatives_worth``
    at least: if those of a group are all alike. The interval, and what is enough, are for that.
    """

    positive: str
    positives: int
    negatives: int
    positive_groups: int
    negative_groups: int
    positives_worth: float
    negatives_worth: float
    recall_low: float
    recall_high: float
    enough_positives: bool
    enough_negatives: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Positives by the method of the interval; ``test_set`` is None where there is none yet.

    ``interval`` is the method that everything else is reckoned by.
    """

    recall: float
    width: float
    precision: float
    confidence: float
    interval: str
    positives: dict[str, int]
    places: tuple[Place, ...]
    test_set: TestSet | None


def run(
    params_file: Path,
    data: Path,
    *,
    recall: float,
    width: float,
    precision: float,
    confidence: float | None = None,
    prevalences: tuple[float, ...] = (),
) -> Plan:
    """Plan a test set that shows ``recall`` within an interval of ``width``.

    It also shows a precision of at least ``precision`` at each of ``prevalences``. What is not
    given, and the method of the intervals, is what ``evaluate`` in ``params_file`` says.
    """
    if not prevalences and not params_file.is_file():
        raise ParamsError(f"{params_file} does not exist, so say where: --prevalence 1e-4.")
    params = EvaluateParams()
    if params_file.is_file():
        params = load_section(params_file, "evaluate", EvaluateParams)
    settings = params.intervals
    if confidence is not None:
        settings = replace(settings, confidence_level=confidence)
    positives = {
        method: positives_needed(
            recall, width=width, confidence=settings.confidence_level, method=method
        )
        for method in PROPORTIONS
    }
    needed = positives[settings.proportion_interval]
    places = tuple(
        _place(prevalence, needed, precision, recall, settings.confidence_level)
        for prevalence in prevalences or params.prevalences
    )
    return Plan(
        recall=recall,
        width=width,
        precision=precision,
        confidence=settings.confidence_level,
        interval=settings.proportion_interval,
        positives=positives,
        places=places,
        test_set=_test_set(data, recall, settings, needed, places),
    )


def _place(
    prevalence: float, positives: int, precision: float, recall: float, confidence: float
) -> Place:
    rate = tolerable_false_positive_rate(precision=precision, recall=recall, prevalence=prevalence)
    return Place(
        prevalence=prevalence,
        random_images=images_needed(positives, prevalence=prevalence, confidence=confidence),
        false_positive_rate=rate,
        negatives={
            number: negatives_needed(rate, false_positives=number, confidence=confidence)
            for number in FALSE_POSITIVES
        },
    )


def _test_set(
    data: Path, recall: float, settings: IntervalSettings, needed: int, places: tuple[Place, ...]
) -> TestSet | None:
    """The one of the last split; None without one, or without a positive class."""
    if not all((data / name / MANIFEST).is_file() for name in ("generated", "splits")):
        return None
    dataset = Dataset(data / "generated")
    if dataset.positive is None:
        return None
    splits = read_splits(data / "splits")
    rows = splits.rows(dataset, "test")
    positive = dataset.labels[rows] == dataset.positive
    groups = np.unique(splits.groups(dataset)[rows], return_inverse=True)[1]
    worth = worth_of_groups(groups, positive)
    counts = int(positive.sum()), int((~positive).sum())
    positives, negatives = counts[0] * worth.positives, counts[1] * worth.negatives
    low, high = settings.proportion(recall * positives, positives) or (0.0, 1.0)
    return TestSet(
        positive=dataset.positive,
        positives=counts[0],
        negatives=counts[1],
        positive_groups=count_groups(groups, positive),
        negative_groups=count_groups(groups, ~positive),
        positives_worth=positives,
        negatives_worth=negatives,
        recall_low=low,
        recall_high=high,
        enough_positives=positives >= needed,
        enough_negatives=negatives >= max(place.negatives[0] for place in places),
    )
