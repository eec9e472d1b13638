"""The verdict: the result in one paragraph, what matters most first.

What was found of how many, beside the baselines; what that means where the model will be used; and
the accuracy last, as it does not see a rare class.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.core.words import counted
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.params import FEW_POSITIVES
from raresight.pipeline.wording.names import row_names
from raresight.pipeline.wording.numbers import DASH, Metrics, count, interval, number, with_interval

# A plain text, or a pair of a text that matters and the word ``bold``.
Part = str | tuple[str, str]


def verdict(metrics: Metrics) -> Iterator[Part]:
    """The result in one paragraph, from the contents of results.json."""
    yield from opening(metrics)
    yield from rest(metrics)


def opening(metrics: Metrics) -> Iterator[Part]:
    """What was found of how many, and whether that takes the model."""
    if metrics["positive"] is None:
        yield from _all_classes(metrics)
    else:
        yield from _found(metrics, metrics["positive"])
    yield from _baselines(metrics)


def rest(metrics: Metrics) -> Iterator[Part]:
    """What it means here and in use, the accuracy, and the goals."""
    if metrics["positive"] is not None:
        yield from _precision(metrics, metrics["positive"])
        yield from _decided(metrics, metrics["positive"])
    yield from _accuracy(metrics)
    yield from _goals(metrics)


def plain(parts: Iterator[Part]) -> str:
    """The verdict as one text."""
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def _all_classes(metrics: Metrics) -> Iterator[Part]:
    counts = [images for images in metrics["counts"]["test"].values() if images]
    yield (f"Macro F1 {with_interval(metrics['test'], 'macro_f1')}", "bold")
    yield (
        f" on {count(sum(counts))} test images of {count(len(counts))} classes, "
        f"{count(min(counts, default=0))} of the smallest. "
    )


def _found(metrics: Metrics, positive: str) -> Iterator[Part]:
    test, total = metrics["test"], metrics["counts"]["test"][positive]
    if not total:
        yield (f"No test image is '{positive}', so nothing is known of the recall. ", "bold")
        return
    found = _some(round(test["recall"] * total), total)
    yield (f"It finds {found} '{positive}'", "bold")
    groups = metrics.get("groups", {}).get("test")
    if groups is not None:
        are = "is" if total == 1 else "are"
        yield f", which {are} of {counted(groups['per_class'][positive], 'group')}"
    yield f": recall {with_interval(test, 'recall')}. "


def _some(found: int, total: int) -> str:
    if found == total:
        return f"all {count(total)}" if total > 1 else "the one"
    return f"{'none' if not found else count(found)} of {count(total)}"


def _baselines(metrics: Metrics) -> Iterator[Part]:
    """The best baseline where the model is not known to be better, or that it is."""
    gain = metrics.get("gain_over_baselines")
    beaten = True
    if gain is not None:
        yield from _fitted(metrics, gain)
        beaten = _is_sure(metrics, gain)
    yield from _guessing(metrics, told=gain is not None and beaten)


def _fitted(metrics: Metrics, gain: Metrics) -> Iterator[Part]:
    """The best of the baselines that were fitted to images without a network."""
    row, metric = gain["baseline"], gain["metric"]
    said, label = row_names(metrics)[row], METRICS[metric].label
    value, own = number(metrics[row][metric]), number(metrics["test"][metric])
    low, high = gain.get("gain_low"), gain.get("gain_high")
    between = "" if low is None or high is None else f" [{low:+.3f}{DASH}{high:+.3f}]"
    if _is_sure(metrics, gain):
        yield f"It is better than the best baseline: {label} {own}, the {said} {value} "
        yield f"(difference {gain['gain']:+.3f}{between}). "
    elif gain["gain"] <= 0:
        yield (f"The {said} {_better_at(metrics, row)}", "bold")
        yield f" ({label} {value} to the model's {own}): "
        yield ("look for a shortcut or a leak", "bold")
        yield ", as it needs no network. "
    else:
        yield ("It is not shown that a network was needed", "bold")
        yield f": the {said} has {label} {value}, the model {own}, difference "
        tested = f", p {gain['p']:.2g}" if "p" in gain else ""
        yield f"{gain['gain']:+.3f}{between}{tested}. "


def _is_sure(metrics: Metrics, gain: Metrics) -> bool:
    """Whether interval and, with few positives, permutation test say that the model is better."""
    level = 1 - metrics["intervals"]["confidence_level"]
    return (gain.get("gain_low") or 0) > 0 and gain.get("p", 0.0) <= level


def _guessing(metrics: Metrics, *, told: bool) -> Iterator[Part]:
    """Said where the model is not known to rank better than chance; ``told``: it is known."""
    metric = "average_precision" if metrics["positive"] is not None else "macro_f1"
    chance, low = metrics["random_baseline"].get(metric), metrics["test"].get(f"{metric}_low")
    if not told and chance is not None and low is not None and low <= chance:
        yield ("It is not shown to be better than guessing", "bold")
        yield f" ({METRICS[metric].label} {with_interval(metrics['test'], metric)} to "
        yield f"{number(chance)}). "


def _better_at(metrics: Metrics, row: str) -> str:
    """What the baseline does as well as the model, or better."""
    positive = metrics["positive"]
    if positive is None:
        return "is as good"
    recall, own = metrics[row]["recall"], metrics["test"]["recall"]
    if recall < own:
        return "ranks the images as well"
    total = metrics["counts"]["test"][positive]
    return f"finds {_some(round(recall * total), total)}"


def _precision(metrics: Metrics, positive: str) -> Iterator[Part]:
    test, deployment = metrics["test"], metrics["deployment"]
    if test["precision"] is None:
        yield f"Nothing was predicted to be '{positive}', so there is no precision. "
        return
    yield f"Precision {with_interval(test, 'precision')} in this test set. "
    total = sum(metrics["counts"]["test"].values())
    own = metrics["counts"]["test"][positive] / total
    if abs(deployment["prevalence"] - own) < 1 / (total + 1):
        return  # nothing else is known of where it will be used
    assumed = ""
    if deployment["prevalence_is"] == "assumed":
        assumed = " (assumed: no deployment prevalence was stated)"
    yield f"Where 1 image in {count(1 / deployment['prevalence'])} is '{positive}'{assumed}, "
    model = deployment["model"]
    if model["precision"] is None and model.get("precision_low") is None:
        yield ("the precision is not known. ", "bold")
    else:
        yield (f"expect a precision of {with_interval(model, 'precision')}. ", "bold")


def _decided(metrics: Metrics, positive: str) -> Iterator[Part]:
    """How many positives the threshold was chosen by, and whether that is enough."""
    threshold = metrics["threshold"]
    if threshold["name"] == "stated":
        return
    few = threshold["positives"]
    groups = metrics.get("groups", {}).get("val")
    told = f"{count(few)} '{positive}'"
    if groups is not None:
        few = groups["per_class"][positive]  # its images tell little more than one of each would
        told = f"{told} of {counted(few, 'group')}"
    folds = metrics.get("validation", {}).get("folds")
    yield "Its threshold was decided by "
    yield (told, "bold" if few < FEW_POSITIVES else "")
    if folds is not None:
        yield f" of train and val, each scored by one of {folds} models that had not seen it. "
    elif few < FEW_POSITIVES:
        yield f" in validation, fewer than {FEW_POSITIVES}: "
        yield "`train.folds: 5` decides by those of train and val together. "
    else:
        yield " in validation. "
    if (held := threshold.get("with_choice")) is not None:
        wider = [
            f"{METRICS[name].label} [{between}]"
            for name in ("recall", "f1")
            if (between := interval(held, name, number))
        ]
        if wider:
            yield f"With the uncertainty of that choice: {', '.join(wider)}. "


def _accuracy(metrics: Metrics) -> Iterator[Part]:
    test, majority = metrics["test"], metrics["majority_baseline"]
    yield (
        f"Accuracy {number(test['accuracy'])}; always answering '{majority['answer']}' has "
        f"{number(majority['accuracy'])}."
    )


def _goals(metrics: Metrics) -> Iterator[Part]:
    goals = metrics.get("goals", {})
    if goals:
        yield " Goals: "
        for place, (name, one) in enumerate(goals.items()):
            yield f"{'; ' if place else ''}{_goal_label(name)} of at least {number(one['goal'])} "
            yield (_GOAL_WORDS[one["verdict"]], "bold")
            value, rest = with_interval({"goal": one["value"], **_ends(one)}, "goal"), ""
            if one["verdict"] == "unknown":
                rest = f" from {_tested(metrics)}"
            yield f"{rest} ({value})"
        yield "."


_GOAL_WORDS = {"met": "met", "not met": "not met", "unknown": "not knowable"}


def _ends(one: Mapping[str, Any]) -> dict[str, Any]:
    return {f"goal_{end}": one[end] for end in ("low", "high")}


def _goal_label(name: str) -> str:
    metric = name.removesuffix("_deployed")
    place = " where it is used" if metric != name else ""
    return f"{METRICS[metric].label}{place}"


def _tested(metrics: Metrics) -> str:
    counts, positive = metrics["counts"]["test"], metrics["positive"]
    if positive is None:
        return f"{count(sum(counts.values()))} images"
    others = sum(counts.values()) - counts[positive]
    return f"{count(counts[positive])} '{positive}' and {count(others)} others"
