"""The card of a model: what it is for, how good it is and where, and what it is not good for."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.cards.dataset_card import images_by_split, sources
from raresight.pipeline.cards.facts import ModelFacts
from raresight.pipeline.cards.markdown import document, items, section, stated, table
from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.core.words import counted
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.wording import checks, object_removed
from raresight.pipeline.wording.names import row_names
from raresight.pipeline.wording.numbers import (
    DASH,
    count,
    figure,
    interval,
    level,
    number,
    share,
    with_interval,
)
from raresight.pipeline.wording.verdict import plain, verdict

_DATASET = "raresight"  # the type of dataset that results are on


def model_card(card: CardParams, facts: ModelFacts) -> str:
    """Markdown with Hugging Face's front matter; what is not known is left out, or said to be."""
    title = card.name or f"{facts.model['model']['name']} that tells {_classes(facts)}"
    parts = (
        section("What it is", *_what(facts)),
        stated("Intended use", card.purpose, "purpose"),
        stated("Not intended for", card.not_for, "not_for"),
        section("Limits", _limits(facts)),
        section("How good it is", *_quality(facts)),
        section("Where it is worse", *_weak(facts)),
        section("What it looks at", *_looks(facts)),
        section("Images unlike those it was trained on", *_unlike(facts)),
        section("Its answers", *_answers(facts)),
        section("Training data", *_training(facts)),
        section("How to use it", _use()),
        stated("Contact", card.contact, "contact"),
        section("Citation", card.citation or ""),
    )
    return document(_front_matter(card, facts, title), title, parts)


def _front_matter(card: CardParams, facts: ModelFacts, title: str) -> dict[str, Any]:
    found: dict[str, Any] = {} if card.license is None else {"license": card.license}
    found |= {"library_name": "raresight", "pipeline_tag": "image-classification"}
    found["tags"] = ["image-classification", "raresight", "imbalanced"]
    if facts.results is not None:
        found["metrics"] = _measured(facts.results)
        found["model-index"] = [{"name": title, "results": _index(facts.results)}]
    return found


def _measured(results: Mapping[str, Any]) -> list[str]:
    names = shown("table", positive=results["positive"] is not None)
    return [name for name in names if results["test"].get(name) is not None]


def _index(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The test set's results and, with a positive class, those at the deployment prevalence."""
    sets = [("test set", results["test"])]
    if "deployment" in results:
        there = results["deployment"]
        sets.append((f"test set, at a prevalence of {there['prevalence']:g}", there["model"]))
    return [
        {
            "task": {"type": "image-classification"},
            "dataset": {"type": _DATASET, "name": name, "split": "test"},
            "metrics": [
                {"type": metric, "value": row[metric], "name": _named(results, row, metric)}
                for metric in _measured(results)
                if row.get(metric) is not None
            ],
        }
        for name, row in sets
    ]


def _named(results: Mapping[str, Any], row: Mapping[str, Any], metric: str) -> str:
    between = interval(row, metric, number)
    sure = f" ({level(results['intervals']['confidence_level'])} interval {between})"
    return METRICS[metric].label + (sure if between else "")


def _classes(facts: ModelFacts) -> str:
    return ", ".join(f"'{label}'" for label in facts.model["classes"])


def _what(facts: ModelFacts) -> Iterator[str]:
    model = facts.model
    height, width, channels = model["image_shape"]
    positive = model["positive"]
    rare = f", of which '{positive}' is the one that matters" if positive is not None else ""
    yield (
        f"A classifier of images ({model['model']['name']}) of the classes {_classes(facts)}"
        f"{rare}. It takes {width} x {height} pixels of {channels} channels (red, green, blue)."
    )


def _limits(facts: ModelFacts) -> str:
    """What follows from how it was made and judged."""
    told = [
        "It always answers one of its classes, whatever the image shows: heed `unlike`.",
        "Its figures hold for images as those it was tested on. Other cameras, sites or times "
        "have to be tested anew.",
    ]
    results = facts.results
    if results is None:
        told.append("It has not been judged: nothing is known of how good it is.")
    elif results["positive"] is not None:
        positives = results["counts"]["test"][results["positive"]]
        told.append(f"Its recall rests on {count(positives)} test images of the positive class.")
    if facts.dataset is not None and facts.dataset.drawn:
        told.append("It was trained and tested on drawn images: of real ones nothing is known.")
    return items(told)


def _quality(facts: ModelFacts) -> Iterator[str]:
    results = facts.results
    if results is None:
        yield "It was not judged, or the results are not beside it. Run `raresight evaluate`."
        return
    yield plain(verdict(results)) + plain(checks.in_verdict(results))
    rows = {name: title for name, title in row_names(results).items() if name in results}
    names = shown("table", positive=results["positive"] is not None)
    sure = level(results["intervals"]["confidence_level"])
    yield f"On the test images, each with its {sure} interval:"
    yield table(
        ("", *(METRICS[name].label for name in names)),
        [(title, *(_cell(results[row], name) for name in names)) for row, title in rows.items()],
    )
    if "deployment" in results:
        yield from _deployed(results)
    if "groups" in results and "test" in results["groups"]:
        found = results["groups"]["test"]
        yield (
            f"The test images are of {counted(found['total'], 'group')}; intervals resample "
            "groups, not images."
        )


def _deployed(results: Mapping[str, Any]) -> Iterator[str]:
    names = shown("deployment", positive=True)
    places = results.get("deployment_at", {"": results["deployment"]}).values()
    yield "Where it is used, by the share of images that are positive there:"
    yield table(
        ("prevalence", *(METRICS[name].label for name in names)),
        [
            (
                f"{place['prevalence']:g}"
                + (" (assumed)" if place["prevalence_is"] == "assumed" else ""),
                *(_cell(place["model"], name) for name in names),
            )
            for place in places
        ],
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    between = interval(row, name, number)
    return figure(row, name) + (f" [{between}]" if between else "")


def _weak(facts: ModelFacts) -> Iterator[str]:
    """The slices that are surely worse than the rest, or that none is."""
    slices = (facts.results or {}).get("slices")
    if not slices:
        return
    tested = sum(one["n_slices"] for one in slices.values())
    worse = {metric: one for metric, one in slices.items() if one["n_significant"]}
    if not worse:
        yield (
            f"None of {tested} parts of the test set is significantly worse than the rest "
            "(adjusted for their number). Small parts are judged badly, so this is no proof."
        )
        return
    yield f"Significantly worse than the rest, of {tested} parts of the test set:"
    yield items(
        f"{METRICS[metric].label} {number(one['value'])} "
        f"[{number(one['low'])}{DASH}{number(one['high'])}] where "
        f"{one['worst'].replace('_', ' ')} ({count(one['images'])} images)"
        + (f", and {one['n_significant'] - 1} more" if one["n_significant"] > 1 else "")
        for metric, one in worse.items()
    )


def _looks(facts: ModelFacts) -> Iterator[str]:
    if facts.results is not None:
        yield from object_removed.told(facts.results)


def _unlike(facts: ModelFacts) -> Iterator[str]:
    decision = facts.decision
    if decision is None or not decision.unlike:
        return
    yield (
        f"`raresight predict` flags an image as `unlike` by {' and '.join(decision.unlike)} "
        "(Mahalanobis distances to the training images). Answers to flagged images are not to be "
        "trusted. Of ordinary test images it flags:"
    )
    yield items(
        f"{share(found)} of '{label}'"
        for label, found in decision.flagged["test"].items()
        if found is not None
    )


def _answers(facts: ModelFacts) -> Iterator[str]:
    decision = facts.decision
    if decision is None:
        return
    if decision.threshold is not None:
        yield (
            f"An image is called '{decision.task.positive}' from a score of "
            f"{decision.threshold:.6g} on (rule `{decision.rule.name}` on validation, for a "
            f"prevalence of {decision.prevalence:.3g}). `--prevalence` moves it."
        )
    prior = zip(decision.task.classes, decision.calibrator.prior.tolist(), strict=True)
    shares = ", ".join(f"'{label}' {share(of)}" for label, of in prior)
    yield f"Probabilities are calibrated for the class shares of validation: {shares}."
    if facts.results is not None and "calibrated" in facts.results["calibration"]:
        found = facts.results["calibration"]["calibrated"]
        yield f"Expected calibration error on test: {with_interval(found, 'ece')}."


def _training(facts: ModelFacts) -> Iterator[str]:
    if (first := facts.model.get("pretrain")) is not None:
        names = ", ".join(f"'{name}'" for name in first["sources"])
        yield (
            f"It was pretrained for {first['epochs']} epochs on {count(first['images'])} images of "
            f"{names}, and then trained on the other images alone."
        )
    if facts.dataset is None:
        shares = ", ".join(f"'{k}' {share(v)}" for k, v in facts.model["class_shares"].items())
        yield f"Shares of the classes that it was trained on: {shares}."
        return
    yield sources(facts.dataset)
    yield images_by_split(facts.dataset)
    if facts.dataset.copies:
        yield f"Besides, it learned from {count(facts.dataset.copies)} augmented copies."


def _use() -> str:
    return (
        "```\npip install raresight\n"
        "raresight predict IMAGES --model FOLDER --out answers.csv\n```\n\n"
        "`FOLDER` is what `raresight export model --format folder` wrote: the model with its "
        "threshold, calibration and statistics of unlike images."
    )
