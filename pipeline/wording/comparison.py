"""A comparison of two versions in words: which question has which answer, and why they differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from raresight.pipeline.comparison.measures import is_ranked
from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import DECISIONS, MODELS
from raresight.pipeline.comparison.verdicts import (
    BETTER,
    IDENTICAL,
    OTHERS_WEIGHT,
    UNKNOWN,
    WORSE,
    Difference,
)
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.wording.numbers import DASH, count, number, share

MINUS = "\N{MINUS SIGN}"
_SENSE = {BETTER: 1, WORSE: -1}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was asked, the word that answers it, and what has to be added."""

    question: str
    word: str
    more: str


def subject(report: Report) -> str:
    """What is compared, and by which metric."""
    names = f"{report.new} against {report.old}"
    leading = report.comparison.primary
    if report.comparison.identical or leading.ruling == IDENTICAL:
        return f"{names}:"
    between = interval(leading)
    shift = f"difference {signed(leading.difference)} [{between}]" if between else leading.reason
    values = f"{number(leading.old)} to {number(leading.new)}"
    return f"{names}, by {METRICS[leading.name].label} ({values}; {shift}):"


def answers(report: Report) -> tuple[Answer, ...]:
    """First what is known of these two models, then what is known of the recipes."""
    leading = report.comparison.primary
    if report.comparison.identical:
        images = count(sum(report.counts.values()))
        more = f"every score and every answer on the {images} images is the same."
        return (Answer(question="predictions", word=IDENTICAL, more=more),)
    if report.about == DECISIONS:
        models = Answer(question="the models", word=IDENTICAL, more="no seed is in what follows.")
        return (models, _of_decisions(leading))
    if report.about == MODELS:
        models = Answer(
            question="these two models", word=leading.ruling, more="on images like these."
        )
        return (models, _unknown_recipes(report))
    old, new = report.num_seeds
    more = f"by {count(old)} and {count(new)} trainings, on images like these."
    return (Answer(question="the recipes", word=leading.verdict, more=more),)


def _of_decisions(leading: Difference) -> Answer:
    if leading.ruling == IDENTICAL:
        more = f"{METRICS[leading.name].label} does not depend on them."
        return Answer(question="their decisions", word="different", more=more)
    return Answer(question="their decisions", word=leading.verdict, more="on images like these.")


def _unknown_recipes(report: Report) -> Answer:
    names = (report.old, report.new)
    once = [name for name, seeds in zip(names, report.num_seeds, strict=True) if seeds == 1]
    if report.params is None:
        more = "another seed alone may give a better or a worse model."
    else:
        more = (
            f"{' and '.join(once)} {'were' if once[1:] else 'was'} trained once, and another seed "
            "alone may give a better or a worse model. For a verdict on the recipes, set "
            "train.num_seeds to 3 or more in both."
        )
    return Answer(question="the recipes", word=UNKNOWN, more=more)


def others(report: Report) -> str:
    """What was found in the other metrics; empty where nothing can differ."""
    if report.comparison.identical:
        return ""
    told: dict[str, list[str]] = {}
    for one in report.comparison.differences[1:]:
        told.setdefault(one.ruling, []).append(METRICS[one.name].label)
    listed = [f"{', '.join(told[word])} {word}" for word in (WORSE, BETTER) if word in told]
    return f"Other metrics: {'; '.join(listed) or 'no verdict'}."


def adjustment(report: Report) -> str:
    """How the p-values of several metrics are held together; empty for identical predictions."""
    leading = report.comparison.primary
    if report.comparison.identical:
        return ""
    level, name = share(1 - report.confidence), METRICS[leading.name].label
    together = "The others' p-values are adjusted for each other (Holm)"
    if leading.ruling == IDENTICAL:
        return f"Primary metric: {name}, which is identical. {together}."
    text = f"Primary metric: {name}, tested at {level}. {together}"
    if leading.ruling not in _SENSE and leading.p is not None:
        return f"{text}, and are {OTHERS_WEIGHT} times as large, as it has no verdict."
    return f"{text}."


def mistakes(report: Report) -> Iterator[str]:
    """Where the answers differ, with McNemar's test, and why verdicts may differ from it."""
    found = report.comparison.mistakes
    first = " (first trainings)" if max(report.num_seeds) > 1 else ""
    yield (
        f"Mistakes of {report.old} fixed by {report.new}{first}: {count(found.fixed)}; regressed: "
        f"{count(found.regressed)}; wrong in both: {count(found.both)} "
        f"(McNemar's exact test: p = {found.p_value:.2g})."
    )
    if not report.comparison.identical:
        yield from _disagreement(report)


def _disagreement(report: Report) -> Iterator[str]:
    """Why McNemar's test and the verdicts on accuracy and the primary metric say different."""
    found, leading = report.comparison.mistakes, report.comparison.primary
    sense = 0
    if found.p_value < 1 - report.confidence:
        sense = 1 if found.fixed > found.regressed else -1
    reasons = []
    if is_ranked(leading.name) and _SENSE.get(leading.ruling, 0) != sense:
        label = METRICS[leading.name].label
        reasons.append(f"{label} is about the ranking of the images, not about these answers")
    by_name = {one.name: one for one in report.comparison.differences}
    if _SENSE.get(by_name["accuracy"].ruling, 0) != sense:
        reasons += _not_in_mcnemar(report, by_name["accuracy"])
    if reasons:
        yield (
            "McNemar's test is of the answers that these models gave to these images; the verdicts "
            f"may differ, as {'; '.join(reasons)}."
        )


def _not_in_mcnemar(report: Report, accuracy: Difference) -> Iterator[str]:
    if report.thresholds_vary:
        yield "the accuracy's also allows for the threshold that other validation images would give"
    if max(report.num_seeds) > 1:
        yield "the accuracy's is of all trainings"
    if report.grouped:
        yield "it counts groups, and McNemar's test images"
    if accuracy.p is not None and accuracy.p_adjusted != accuracy.p:
        yield "its p-value is adjusted for the other metrics"


def method(report: Report) -> Iterator[str]:
    """What the intervals hold."""
    if report.grouped:
        yield "Images of one group are resampled together; McNemar's test ignores that."
    if report.thresholds_vary and not report.comparison.identical:
        yield (
            "Intervals hold the choice of the threshold too: each resample chooses it again on a "
            "resample of validation."
        )


def interval(found: Difference) -> str:
    """Both ends of the difference's interval; empty where there is none."""
    return "" if found.low is None else f"{signed(found.low)} to {signed(found.high)}"


def signed(value: float | None) -> str:
    """A difference with its sign, three decimals or one digit."""
    if value is None:
        return DASH
    text = f"{abs(value):.3f}" if abs(value) >= 0.0005 or value == 0 else f"{abs(value):.1g}"
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{text}"
