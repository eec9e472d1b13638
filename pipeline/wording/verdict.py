"""The verdict: the result in one paragraph, what matters most first.

What was found of how many, beside the baselines; what that means where the model will be used; and
the accuracy last, as it does not see a rare class.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.wording.names import row_names
from raresight.pipeline.wording.numbers import Metrics, count, number, with_interval

# A plain text, or a pair of a text that matters and the word ``bold``.
Part = str | tuple[str, str]


def verdict(metrics: Metrics) -> Iterator[Part]:
    """The result in one paragraph, from the contents of results.json."""
    positive = metrics["positive"]
    if positive is None:
        yield from _all_classes(metrics)
    else:
        yield from _found(metrics, positive)
    yield from _baselines(metrics)
    if positive is not None:
        yield from _precision(metrics, positive)
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
        yield f", which are of {count(groups['per_class'][positive])} groups"
    yield f": recall {with_interval(test, 'recall')}. "


def _some(found: int, total: int) -> str:
    if found == total:
        return f"all {count(total)}" if total > 1 else "the one"
    return f"{'none' if not found else count(found)} of {count(total)}"


def _baselines(metrics: Metrics) -> Iterator[Part]:
    """The strongest baseline that the model does not beat, or that it beats them all."""
    against = metrics.get("against_baselines")
    if against is None:
        return
    name = against["metric"]
    label, own = METRICS[name].label, metrics["test"].get(name)
    names = row_names(metrics)
    known = {
        row: one
        for row, one in against.items()
        if row != "metric" and one["difference"] is not None
    }
    if own is None or not known:
        return
    # The one that comes nearest: of those that are not beaten if there are any.
    unbeaten = {row: one for row, one in known.items() if one["verdict"] != "better"}
    row = min(unbeaten or known, key=lambda row: known[row]["difference"])
    said, value = names[row], number(metrics[row][name])
    if not unbeaten:
        yield f"It is better than the baselines: {label} {number(own)}, the {said} {value}. "
    elif known[row]["difference"] <= 0 and row != "random_baseline":
        yield (f"The {said} {_better_at(metrics, row)}", "bold")
        yield f" ({label} {value} to the model's {number(own)}): "
        yield ("look for a shortcut or a leak", "bold")
        yield ", as it does not see what an object looks like. "
    else:
        yield (f"It is not shown to be better than the {said}", "bold")
        yield f" ({label} {with_interval(metrics['test'], name)} to {value}). "


def _better_at(metrics: Metrics, row: str) -> str:
    """What the baseline does as well as the model, or better."""
    positive = metrics["positive"]
    if positive is None:
        return "is as good"
    recall, own = metrics[row]["recall"], metrics["test"]["recall"]
    if recall < own:
        return "ranks the images better"
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
    yield from _deployed(deployment["model"], metrics)


def _deployed(model: Mapping[str, Any], metrics: Metrics) -> Iterator[Part]:
    """The precision there, a bound where no false positive was seen, or that it is not known."""
    negatives = metrics["counts"]["test"][metrics["negative"]] if "negative" in metrics else 0
    low = model.get("precision_low")
    unseen = metrics["test"].get("specificity") == 1
    if low is not None and (unseen or model["precision"] is None):
        yield (f"expect a precision of at least {number(low)}", "bold")
        if unseen:
            yield f": no false positive was seen among {count(negatives)} images, "
            yield "so no more is known"
        yield ". "
    elif model["precision"] is None:
        yield ("the precision is not known", "bold")
        yield ". "
    else:
        yield (f"expect a precision of {with_interval(model, 'precision')}. ", "bold")


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
