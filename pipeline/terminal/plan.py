"""The size of a test set, as a person reads it in a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from raresight.pipeline.commands.plan import FALSE_POSITIVES, Plan
from raresight.pipeline.core.words import counted
from raresight.pipeline.terminal.tables import titled_table
from raresight.pipeline.wording.numbers import DASH, count, level, number, share

_METHODS = {"wilson": "Wilson's interval", "clopper_pearson": "the exact Clopper-Pearson interval"}


def render(plan: Plan) -> RenderableType:
    """What is needed, at each prevalence, and what there is. Fits a terminal of 80 columns."""
    parts: list[RenderableType] = [Padding(Text.assemble(*_positives(plan)), (1, 0))]
    parts += [_random(plan), Padding(_negatives(plan), (1, 0))]
    parts += [Padding(Text.assemble(*sentence), (0, 0, 1, 0)) for sentence in _test_set(plan)]
    return Group(*parts)


def _positives(plan: Plan) -> Iterator[str | tuple[str, str]]:
    chosen, *others = sorted(plan.positives, key=lambda method: method != plan.interval)
    yield f"To know a recall of {plan.recall:g} to ±{plan.width / 2:g} "
    yield f"({level(plan.confidence)} interval of width {plan.width:g}) the test set needs "
    yield (counted(plan.positives[chosen], "positive"), "bold")
    told = [f"{count(plan.positives[method])} by {_METHODS[method]}" for method in others]
    yield f" by {_METHODS[chosen]} ({', '.join(told)})."


def _negatives(plan: Plan) -> RenderableType:
    table = titled_table(f"Negatives that show a precision ≥ {plan.precision:g}")
    headers = (
        "prevalence",
        "specificity\nneeded",
        *(_false_positives(number) for number in FALSE_POSITIVES),
    )
    for header in headers:
        table.add_column(header, justify="right")
    for place in plan.places:
        numbers = (count(place.negatives[number]) for number in FALSE_POSITIVES)
        table.add_row(share(place.prevalence), f"{1 - place.false_positive_rate:.6g}", *numbers)
    return table


def _false_positives(number: int) -> str:
    return "with no\nfalse positive" if not number else f"with {number}"


def _random(plan: Plan) -> RenderableType:
    needed = count(plan.positives[plan.interval])
    table = titled_table(f"Random images that hold {needed}")
    for header in ("prevalence", "on average", f"with {level(plan.confidence)} certainty"):
        table.add_column(header, justify="right")
    for place in plan.places:
        table.add_row(share(place.prevalence), *map(count, place.random_images))
    return table


def _test_set(plan: Plan) -> Iterator[list[str | tuple[str, str]]]:
    found = plan.test_set
    if found is None:
        yield ["There is no test set with a positive class here yet (data/splits)."]
        return
    interval = f"{number(found.recall_low)}{DASH}{number(found.recall_high)}"
    yield [
        f"The test set here has {count(found.positives)} images of '{found.positive}'",
        f"{_of_groups(found.positives, found.positive_groups, found.positives_worth)}: ",
        _judged(found.enough_positives),
        f". A recall of {plan.recall:g} on them would be known to be {interval}.",
    ]
    there = "at each prevalence" if len(plan.places) > 1 else "there"
    condition = "if" if found.enough_negatives else "even if"
    yield [
        f"It has {count(found.negatives)} others",
        f"{_of_groups(found.negatives, found.negative_groups, found.negatives_worth)}: ",
        _judged(found.enough_negatives),
        f" to show a precision of {plan.precision:g} {there}, "
        f"{condition} none of them is a false positive.",
    ]


def _of_groups(images: int, groups: int, worth: float) -> str:
    """What images are worth of which several are of one group."""
    if groups == images:
        return ""
    return (
        f" of {counted(groups, 'group')}, which tell as much as {worth:.3g} independent ones if "
        "those of a group are all alike"
    )


def _judged(enough: bool) -> tuple[str, str]:
    return ("enough", "bold green") if enough else ("too few", "bold red")
