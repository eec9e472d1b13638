"""What else the reader of an evaluation has to know to believe the numbers."""

import math
from collections.abc import Iterator

from raresight.pipeline.core.words import counted
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.sample_size import positives_needed
from raresight.pipeline.wording import object_removed
from raresight.pipeline.wording.numbers import (
    DASH,
    Metrics,
    costs_told,
    count,
    number,
    with_interval,
)

_WIDE_RECALL = 0.1


def notes(metrics: Metrics) -> Iterator[str]:
    """From the contents of results.json."""
    yield from _one_class(metrics)
    yield from _target(metrics)
    if metrics["positive"] is not None:
        yield from _size_note(metrics, metrics["positive"])
        if metrics["threshold"]["name"] != "stated":
            yield _threshold_note(metrics["threshold"])
    if "deployment" in metrics:
        yield from _deployment_notes(metrics["deployment"])
    if "cost" in metrics:
        yield costs_told(metrics["cost"])
    if not any(object_removed.in_verdict(metrics)):
        yield from object_removed.told(metrics)
    if "transfer" in metrics:
        yield _transfer_note(metrics["transfer"])
    if metrics["slices"]:
        yield _slices_note(metrics["slices"])
    if "calibrated" in metrics["calibration"]:
        yield _calibration_note(metrics["calibration"])


def _transfer_note(found: Metrics) -> str:
    gap, low, high = (100 * found[name] for name in ("gap", "gap_low", "gap_high"))
    return (
        f"Drawn and real: accuracy {found['drawn_accuracy']:.3f} on {count(found['drawn_images'])} "
        f"drawn test images, {found['real_accuracy']:.3f} on {count(found['real_images'])} real "
        f"ones, which the table is about. The gap is {gap:.1f} points ({low:.1f} to {high:.1f})."
    )


def _size_note(metrics: Metrics, positive: str) -> Iterator[str]:
    test, positives = metrics["test"], metrics["counts"]["test"][positive]
    low, high = test.get("recall_low"), test.get("recall_high")
    if low is not None and high - low > _WIDE_RECALL:
        settings = metrics["intervals"]
        needed = positives_needed(
            test["recall"],
            width=_WIDE_RECALL,
            confidence=settings["confidence_level"],
            method=settings["proportion_interval"],
        )
        groups, images = _groups_needed(metrics, positive, needed)
        yield (
            f"Recall is estimated from {counted(positives, 'positive')}{groups}. For an interval "
            f"of ±{_WIDE_RECALL / 2:g} the test set would need {images}."
        )


def _groups_needed(metrics: Metrics, positive: str, needed: int) -> tuple[str, str]:
    """The groups of the positives, and the ``needed`` independent positives as these would have it.

    Another positive of a known group tells less than one of a new group, so groups are counted: the
    recall's interval says how many independent positives those there are are worth.
    """
    groups = metrics.get("groups", {}).get("test")
    if groups is None:
        return "", count(needed)
    found, worth = groups["per_class"][positive], groups["independent"][positive]
    images = metrics["counts"]["test"][positive]
    return f" of {counted(found, 'group')}", (
        f"{counted(math.ceil(needed / worth * found), 'group')}, as these {count(images)} images "
        f"tell as much as {worth:.3g} independent ones"
    )


def _threshold_note(threshold: Metrics) -> str:
    aim = {
        "max_f1": "has the highest F1 on validation",
        "recall": f"aims at a recall of {threshold.get('target')}",
        "precision": f"aims at a precision of {threshold.get('target')}",
        "cost": "has the lowest cost on validation",
    }[threshold["name"]]
    what = _name(threshold["objective"])
    parts = [f"The threshold, {threshold['shown']}, {aim}."]
    if (sure := threshold.get("target_confidence")) is not None:
        at_least = "at least " if threshold["name"] == "precision" else ""
        parts.append(f"On new images that holds with a confidence of {at_least}{number(sure)}.")
    if (reason := threshold.get("reason")) is not None:
        parts.append(f"No guarantee: {reason}.")
    parts.append(
        f"Optimism of the validation {what}: {number(abs(threshold['optimism']))} better there "
        "than expected on new images."
        if threshold["optimism"] > 0
        else f"The validation {what} is no better than expected on new images."
    )
    return " ".join(parts)


def _deployment_notes(deployment: Metrics) -> Iterator[str]:
    """Why figures at deployment prevalence are not known, each reason once."""
    model = deployment["model"]
    reasons: dict[str, list[str]] = {}
    for name, reason in model.get("undefined", {}).items():
        if model[name] is None and model.get(f"{name}_low") is not None and name in METRICS:
            reasons.setdefault(reason, []).append(METRICS[name].label)
    for reason, names in reasons.items():
        told = " and ".join(names)
        yield f"In use ({100 * deployment['prevalence']:.3g} %), {told}: {reason}."


def _slices_note(slices: Metrics) -> str:
    """How many slices are significantly worse than the rest, and the worst of them."""
    tested = sum(one["n_slices"] for one in slices.values())
    significant = sum(one["n_significant"] for one in slices.values())
    if not significant:
        return (
            f"Slices: none of {tested} is significantly worse than the rest (adjusted for their "
            "number)."
        )
    worst = [
        f"{_name(metric)} {number(one['value'])} [{number(one['low'])}{DASH}{number(one['high'])}] "
        f"where {one['worst'].replace('_', ' ')} (n = {count(one['images'])}{_of_groups(one)})"
        for metric, one in slices.items()
        if one["n_significant"]
    ]
    return (
        f"Worst slices: {'; '.join(worst)}. Significantly worse than the rest: {significant} of "
        f"{tested} slices (adjusted for their number)."
    )


def _of_groups(one: Metrics) -> str:
    return f" of {counted(one['groups'], 'group')}" if one["groups"] < one["images"] else ""


def _name(metric: str) -> str:
    return METRICS[metric].label if metric in METRICS else metric


def _calibration_note(calibration: Metrics) -> str:
    raw, calibrated = (_off(calibration[name]["ece"]) for name in ("raw", "calibrated"))
    return (
        f"Taken as probabilities, the scores are off {raw} on average (expected calibration "
        f"error); calibrated on validation they are off {calibrated}."
    )


def _off(error: float) -> str:
    """The error is what chance does not explain, so 0 says no more than that."""
    return f"by {number(error)}" if error else "by no more than chance explains"


def _one_class(metrics: Metrics) -> Iterator[str]:
    """What can be said where the test set holds one kind of images alone."""
    counts, positive = metrics["counts"]["test"], metrics["positive"]
    kinds = {label for label, images in counts.items() if images}
    if positive is None and len(kinds) == 1:
        yield f"Every test image is '{kinds.pop()}': how well the others are told is not known."
    elif kinds == {positive}:
        yield (
            f"Every test image is '{positive}': recall can be judged. Specificity, average "
            "precision and whatever depends on the prevalence need other images too."
        )
    elif positive is not None and positive not in kinds:
        low, high = (metrics["test"].get(f"specificity_{end}") for end in ("low", "high"))
        yield (
            f"No test image is '{positive}': the specificity can be judged "
            f"({number(metrics['test']['specificity'])} [{number(low)}{DASH}{number(high)}]). "
            f"Recall, F1, average precision and precision elsewhere need images of '{positive}'."
        )


def _target(metrics: Metrics) -> Iterator[str]:
    if "target" not in metrics:
        return
    target, positive = metrics["target"], metrics["positive"]
    shares = target["shares"]
    labels = [positive] if positive is not None else list(metrics["counts"]["test"])
    told = ", ".join(f"{with_interval(shares, label)} '{label}'" for label in labels)
    yield f"Estimated shares of the {count(target['images'])} unlabelled images: {told}."
    if positive is not None:
        precision = with_interval(target["model"], "precision")
        yield f"Among them expect a precision of {precision}."
