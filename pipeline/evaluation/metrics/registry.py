"""The metrics: what each is called, means, is computed by, and where it is shown.

A metric is one entry of METRICS. Values (:mod:`raresight.pipeline.evaluation.metrics.table`), the
reason when one is undefined, and everything that shows one (terminal, page, comparison of versions,
spread over seeds, DVC's table) are made from it; a test holds every entry to an independent
reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raresight.pipeline.evaluation.metrics import confusion

# Confusion counts (..., K, K) to a value of each class, (..., K), or of the set, (...).
OfCounts = Callable[[np.ndarray], np.ndarray]
View = Literal["table", "card", "places", "sliders", "compare", "seeds", "headline"]
Family = Literal["proportion", "mean_of_proportions", "ranking", "bootstrap"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric.

    ``label`` is its name in a text, ``short`` in a narrow table. ``undefined`` says why it may be,
    with ``{label}`` for the class it is about. ``family`` is what kind of interval it gets.
    ``per_class`` computes it for each class against the rest, from which the value of the positive
    class is taken and, with ``averaged``, macro and weighted means are made; ``overall`` computes
    it for the set as a whole. Metrics of a ranking have neither: they come from the scores.
    ``positive`` names the views that show it where there is a positive class, ``alike`` those where
    all classes matter alike.
    """

    label: str
    meaning: str
    undefined: str
    family: Family
    short: str = ""
    per_class: OfCounts | None = None
    overall: OfCounts | None = None
    averaged: bool = False
    positive: tuple[View, ...] = ()
    alike: tuple[View, ...] = ()

    @property
    def title(self) -> str:
        """The label as it begins a line."""
        return self.label[0].upper() + self.label[1:]

    @property
    def narrow(self) -> str:
        return self.short or self.label


_MEAN = "mean over the classes"
_NO_CLASS = "a class has no images"
_NO_IMAGES = "there are no images"
_NO_PREDICTION = "nothing was predicted to be one of the classes"

# In the order in which they are read.
METRICS: Mapping[str, Metric] = {
    "recall": Metric(
        label="recall",
        meaning="share of the positives that are found",
        undefined="there is no image of '{label}'",
        family="proportion",
        per_class=confusion.recall,
        positive=("table", "card", "places", "sliders", "compare", "seeds", "headline"),
    ),
    "precision": Metric(
        label="precision",
        meaning="share of the predicted positives that are positive",
        undefined="nothing was predicted to be '{label}'",
        family="proportion",
        per_class=confusion.precision,
        averaged=True,
        positive=("table", "card", "places", "sliders", "compare", "seeds", "headline"),
    ),
    "f1": Metric(
        label="F1",
        meaning="harmonic mean of precision and recall",
        undefined="there is no image of '{label}'",
        family="bootstrap",
        per_class=confusion.f1,
        averaged=True,
        positive=("table", "card", "places", "sliders", "compare", "seeds", "headline"),
    ),
    "average_precision": Metric(
        label="average precision",
        short="AP",
        meaning="precision over all thresholds",
        undefined="there is no image of '{label}'",
        family="ranking",
        positive=("table", "card", "places", "compare", "seeds", "headline"),
    ),
    "accuracy": Metric(
        label="accuracy",
        meaning="share of all images that are classified correctly",
        undefined=_NO_IMAGES,
        family="proportion",
        overall=confusion.accuracy,
        positive=("table", "card", "places", "sliders", "compare", "seeds", "headline"),
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "specificity": Metric(
        label="specificity",
        meaning="share of the negatives that are left alone",
        undefined="every image is of '{label}'",
        family="proportion",
        per_class=confusion.specificity,
    ),
    "roc_auc": Metric(
        label="ROC-AUC",
        meaning="how often a positive image scores above a negative one",
        undefined="it needs images of '{label}' and of other classes",
        family="ranking",
        positive=("compare", "seeds", "headline"),
    ),
    "balanced_accuracy": Metric(
        label="balanced accuracy",
        short="balanced acc.",
        meaning="mean of the recalls of the classes",
        undefined=_NO_CLASS,
        family="mean_of_proportions",
        overall=confusion.balanced_accuracy,
        positive=("headline",),
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "mcc": Metric(
        label="Matthews correlation",
        short="MCC",
        meaning="correlation of predicted and actual classes",
        undefined="only one class occurs or is predicted",
        family="bootstrap",
        overall=confusion.mcc,
    ),
    "macro_f1": Metric(
        label="macro F1",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "macro_precision": Metric(
        label="macro precision",
        meaning=_MEAN,
        undefined=_NO_PREDICTION,
        family="bootstrap",
        alike=("table", "card", "seeds", "headline"),
    ),
    "macro_average_precision": Metric(
        label="macro average precision",
        short="macro AP",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "macro_roc_auc": Metric(
        label="macro ROC-AUC",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        alike=("seeds",),
    ),
    "weighted_f1": Metric(
        label="weighted F1", meaning=_MEAN, undefined=_NO_IMAGES, family="bootstrap"
    ),
    "weighted_precision": Metric(
        label="weighted precision", meaning=_MEAN, undefined=_NO_PREDICTION, family="bootstrap"
    ),
    "weighted_average_precision": Metric(
        label="weighted average precision",
        meaning=_MEAN,
        undefined=_NO_IMAGES,
        family="bootstrap",
    ),
    "weighted_roc_auc": Metric(
        label="weighted ROC-AUC",
        meaning=_MEAN,
        undefined="all images are of one class",
        family="bootstrap",
    ),
    "top_5_accuracy": Metric(
        label="top-5 accuracy",
        meaning="share of images whose class is among the five with the highest scores",
        undefined=_NO_IMAGES,
        family="proportion",
    ),
}

# The first of those that versions are compared by: the verdict on the whole rests on it.
PRIMARY = {True: "average_precision", False: "macro_average_precision"}


def shown(view: View, *, positive: bool) -> tuple[str, ...]:
    """The metrics of a view, in their order, where there is a positive class or not."""
    return tuple(
        name
        for name, metric in METRICS.items()
        if view in (metric.positive if positive else metric.alike)
    )


def undefined(name: str, label: str | None = None) -> str:
    """Why the metric ``name`` is undefined; ``label`` is the class it is about."""
    return METRICS[name].undefined.format(label=label)
