"""The terms that the page explains where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from raresight.pipeline.evaluation.metrics.registry import METRICS


@dataclass(frozen=True, kw_only=True)
class Term:
    """What a term means, and the formula where there is one."""

    title: str
    text: str
    formula: str = ""


_OTHERS: Mapping[str, Term] = {
    "positive": Term(
        title="Positive",
        text="An image of the class that the results are about, whatever it is: the rare one. All "
        "other images are negatives. A true positive (TP) is a positive that was predicted "
        "positive, a false positive (FP) a negative that was; a false negative (FN) is a positive "
        "that was missed, a true negative (TN) a negative that was left alone.",
    ),
    "prevalence": Term(
        title="Prevalence",
        text="The share of positives among all images. Test sets often hold more of them than the "
        "place where a model is used; recall and specificity stay the same there, precision falls.",
    ),
    "threshold": Term(
        title="Threshold",
        text="An image is predicted positive from this score on. It was chosen on validation "
        "images, never on the test images.",
    ),
    "interval": Term(
        title="Interval",
        text="The range that holds the true value with the stated confidence, as far as the number "
        "of test images tells. Two models whose intervals overlap may still differ: compare them "
        "image by image.",
    ),
    "baseline": Term(
        title="Baseline",
        text="A predictor that takes no network. The shortcut and texture baselines are logistic "
        "regressions on a few numbers of the image: where one is as good as the model, the task "
        "is easy, or the label leaks. The others do not look at the image at all.",
    ),
    "perturbed": Term(
        title="Perturbed images",
        text="The same test images, changed as evaluate.perturb says, such as brighter, blurred or "
        "noisier: how much of the result survives a camera that was not there in training.",
    ),
    "roc": Term(
        title="ROC curve",
        text="Recall against the share of negatives that are predicted positive, over all "
        "thresholds. It does not depend on the prevalence, so it looks fine where precision fails.",
    ),
    "reliability": Term(
        title="Calibration",
        text="Scores are calibrated where, among images with a score of 0.2, one in five is "
        "positive. Each point is a bin of test images: their mean score, and the share of "
        "positives among them.",
    ),
    "significant": Term(
        title="Significantly worse",
        text="A difference that chance alone would hardly make. Among many slices some look bad by "
        "chance, so the p-values are adjusted for their number (Holm).",
    ),
    "copies": Term(
        title="Augmented copies",
        text="Changed copies of training images, made so that a rare class is seen more often. "
        "They follow their original: none is in validation or test.",
    ),
}

# Factors that every dataset has, beside those that its generators draw.
_FACTORS = {
    "label_pixels": "how many pixels carry the label",
    "origin": "synthetic (drawn), real (read in) or generated",
    "perturbed": "whether the image was changed as evaluate.perturb says",
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _metric(name: str) -> Term:
    metric = METRICS[name]
    better = "higher" if metric.higher_is_better else "lower"
    return Term(
        title=metric.title,
        text=f"{_sentence(metric.meaning)} The {better}, the better.",
        formula=(metric.formula or "").replace(" * ", "·"),
    )


TERMS: Mapping[str, Term] = {name: _metric(name) for name in METRICS} | dict(_OTHERS)


def explained(factors: Mapping[str, str]) -> dict[str, Term]:
    """Every term by its key, and each of ``factors`` by its meaning."""
    return dict(TERMS) | {
        factor_key(name): Term(title=name.replace("_", " "), text=_sentence(meaning))
        for name, meaning in {**factors, **_FACTORS}.items()
    }


def factor_key(name: str) -> str:
    """By what a factor is looked up among the terms."""
    return f"factor-{name.replace('_', ' ').replace(' ', '-')}"
