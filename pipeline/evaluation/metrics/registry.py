"""The metrics: what each is called, means, is computed by, and where it is shown.

A metric is one entry of METRICS. Values (:mod:`raresight.pipeline.evaluation.metrics.table`),
intervals, the reason when one is undefined, and everything that shows one (terminal, page and its
script, comparison of versions, spread over seeds, DVC's table) are made from it; a test holds every
entry to an independent reference.
"""

from collections.abc import Mapping
from functools import partial

from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.metric import Metric, View
from raresight.pipeline.evaluation.metrics.ranking import average_precision, roc_auc

_MEAN = "mean over the classes"
_WEIGHTED_MEAN = "mean over the classes, weighted by their images"
_NO_CLASS = "a class has no images"
_NO_IMAGES = "there are no images"
_NO_POSITIVE = "there is no image of '{label}'"
_NO_PREDICTION = "nothing was predicted to be one of the classes"

# In the order in which they are read.
METRICS: Mapping[str, Metric] = {
    "recall": Metric(
        label="recall",
        meaning="share of the positives that are found",
        undefined=_NO_POSITIVE,
        family="proportion",
        parts=confusion.recall_parts,
        formula="tp / (tp + fn)",
        rare=(
            "table",
            "card",
            "deployment",
            "sliders",
            "per_class",
            "compare",
            "seeds",
            "headline",
        ),
        alike=("per_class",),
    ),
    "precision": Metric(
        label="precision",
        meaning="share of the predicted positives that are positive",
        undefined="nothing was predicted to be '{label}'",
        family="proportion",
        parts=confusion.precision_parts,
        formula="tp / (tp + fp)",
        rare=(
            *("table", "card", "deployment", "prevalences", "sliders"),
            *("per_class", "compare", "seeds", "headline"),
        ),
        alike=("per_class",),
    ),
    "f1": Metric(
        label="F1",
        meaning="harmonic mean of precision and recall",
        undefined=_NO_POSITIVE,
        family="bootstrap",
        of_counts=confusion.f1,
        formula="2 * tp / (2 * tp + fp + fn)",
        rare=(
            *("table", "card", "deployment", "prevalences", "sliders"),
            *("per_class", "compare", "seeds", "headline"),
        ),
        alike=("per_class",),
    ),
    "average_precision": Metric(
        label="average precision",
        short="AP",
        meaning="precision over all thresholds",
        undefined=_NO_POSITIVE,
        family="average_precision",
        of_ranking=average_precision,
        rare=("table", "card", "deployment", "per_class", "compare", "seeds", "headline"),
        alike=("per_class",),
    ),
    "accuracy": Metric(
        label="accuracy",
        meaning="share of all images that are classified correctly",
        undefined=_NO_IMAGES,
        family="proportion",
        scope="set",
        parts=confusion.accuracy_parts,
        formula="(tp + tn) / (tp + fp + fn + tn)",
        rare=(
            *("table", "card", "deployment", "prevalences", "sliders"),
            *("compare", "seeds", "headline"),
        ),
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "specificity": Metric(
        label="specificity",
        meaning="share of the negatives that are predicted negative",
        undefined="every image is of '{label}'",
        family="proportion",
        parts=confusion.specificity_parts,
    ),
    "npv": Metric(
        label="negative predictive value",
        short="NPV",
        meaning="share of the predicted negatives that are negative",
        undefined="everything was predicted to be '{label}'",
        family="proportion",
        parts=confusion.npv_parts,
        rare=("deployment",),
    ),
    "roc_auc": Metric(
        label="ROC-AUC",
        meaning="how often a positive image scores above a negative one",
        undefined="it needs images of '{label}' and of other classes",
        family="roc_auc",
        of_ranking=roc_auc,
        rare=("compare", "seeds", "headline"),
    ),
    "balanced_accuracy": Metric(
        label="balanced accuracy",
        short="balanced acc.",
        meaning="mean of the recalls of the classes",
        undefined=_NO_CLASS,
        family="mean_of_proportions",
        scope="set",
        parts=confusion.recall_parts,
        of_counts=confusion.balanced_accuracy,
        rare=("headline",),
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "mcc": Metric(
        label="Matthews correlation",
        short="MCC",
        meaning="correlation of predicted and actual classes",
        undefined="only one class occurs or is predicted",
        family="bootstrap",
        scope="set",
        of_counts=confusion.mcc,
        lowest=-1.0,
    ),
    "macro_f1": Metric(
        label="macro F1",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        mean_of="f1",
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "macro_precision": Metric(
        label="macro precision",
        meaning=_MEAN,
        undefined=_NO_PREDICTION,
        family="bootstrap",
        mean_of="precision",
        alike=("table", "card", "seeds", "headline"),
    ),
    "macro_average_precision": Metric(
        label="macro average precision",
        short="macro AP",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        mean_of="average_precision",
        alike=("table", "card", "compare", "seeds", "headline"),
    ),
    "macro_roc_auc": Metric(
        label="macro ROC-AUC",
        meaning=_MEAN,
        undefined=_NO_CLASS,
        family="bootstrap",
        mean_of="roc_auc",
        alike=("seeds",),
    ),
    "weighted_f1": Metric(
        label="weighted F1",
        meaning=_WEIGHTED_MEAN,
        undefined=_NO_IMAGES,
        family="bootstrap",
        mean_of="f1",
        weighted=True,
    ),
    "weighted_precision": Metric(
        label="weighted precision",
        meaning=_WEIGHTED_MEAN,
        undefined=_NO_PREDICTION,
        family="bootstrap",
        mean_of="precision",
        weighted=True,
    ),
    "weighted_average_precision": Metric(
        label="weighted average precision",
        meaning=_WEIGHTED_MEAN,
        undefined=_NO_IMAGES,
        family="bootstrap",
        mean_of="average_precision",
        weighted=True,
    ),
    "weighted_roc_auc": Metric(
        label="weighted ROC-AUC",
        meaning=_WEIGHTED_MEAN,
        undefined="all images are of one class",
        family="bootstrap",
        mean_of="roc_auc",
        weighted=True,
    ),
    "top_5_accuracy": Metric(
        label="top-5 accuracy",
        meaning="share of images whose class is among the five with the highest scores",
        undefined=_NO_IMAGES,
        family="proportion",
        scope="set",
        of_scores=partial(confusion.in_top_k, k=5),
        min_classes=11,  # with fewer, being among the best five says little
    ),
    "ece": Metric(
        label="calibration error (ECE)",
        short="ECE",
        meaning="how far scores taken as probabilities are off on average",
        undefined=_NO_IMAGES,
        family="calibration",
        higher_is_better=False,
        rare=("calibration", "seeds", "headline"),
        alike=("calibration", "seeds", "headline"),
    ),
    "brier": Metric(
        label="Brier score",
        meaning="mean squared error of scores taken as probabilities",
        undefined=_NO_IMAGES,
        family="calibration",
        higher_is_better=False,
        rare=("calibration", "seeds"),
        alike=("calibration", "seeds"),
    ),
    "brier_skill": Metric(
        label="Brier skill",
        meaning="by how much the Brier score is better than always giving the base rate",
        undefined="all images are alike in this",
        family="calibration",
        rare=("calibration",),
        alike=("calibration",),
    ),
    "log_loss": Metric(
        label="log loss",
        meaning="mean of -log of the actual class's probability",
        undefined=_NO_IMAGES,
        family="calibration",
        higher_is_better=False,
        rare=("calibration",),
        alike=("calibration",),
    ),
}

# What versions are compared by: the verdict on the whole rests on it.
PRIMARY = {True: "average_precision", False: "macro_average_precision"}
# The metrics of a ranking, and their order wherever they are computed together.
RANKED = tuple(name for name, metric in METRICS.items() if metric.of_ranking is not None)


def shown(view: View, *, positive: bool) -> tuple[str, ...]:
    """The metrics of a view, in their order, where there is a positive class or not."""
    return tuple(
        name
        for name, metric in METRICS.items()
        if view in (metric.rare if positive else metric.alike)
    )


def undefined(name: str, label: str | None = None) -> str:
    """Why the metric ``name`` is undefined; ``label`` is the class it is about."""
    return METRICS[name].undefined.format(label=label)
