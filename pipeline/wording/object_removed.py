"""Whether the model looks at the object, in words: terminal and page."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.wording.numbers import count, number, with_interval

ROWS = {
    "before": "{positive}, as they are",
    "after": "{positive}, the object filled by its surroundings",
    "false_alarm_rate": "other images, as they are",
    "filled_elsewhere": "other images, filled in the same shapes",
}
_MOST_ARE_KEPT = 0.5  # of those called positive: what is seen of the object hardly counts


def told(results: Mapping[str, Any]) -> Iterator[str]:
    """What the check found, from the contents of results.json; nothing where there was none."""
    found = results.get("object_removed")
    if found is not None:
        yield f"{_conclusion(found)}: {_numbers(results)}"


def in_verdict(results: Mapping[str, Any]) -> Iterator[str | tuple[str, str]]:
    """The same as parts of the verdict, where the model goes by something else."""
    found = results.get("object_removed")
    if found is not None and found["significant"]:
        yield (f" {_conclusion(found)}:", "bold")
        yield f" {_numbers(results)}"


def rows(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was scored, and the share called positive with its interval, as texts."""
    found = results["object_removed"]
    for name, title in ROWS.items():
        yield title.format(positive=results["positive"]), with_interval(found, name)


def _conclusion(found: Mapping[str, Any]) -> str:
    if not found["significant"]:
        return (
            "It looks at the object" if _falls(found) else "Whether it looks at the object is open"
        )
    if found["after"] >= _MOST_ARE_KEPT * found["before"]:
        return "It does not look at the object"
    return "It does not look at the object alone"


def _falls(found: Mapping[str, Any]) -> bool:
    """Whether surely fewer are called positive without the object."""
    high, low = found.get("after_high"), found.get("before_low")
    return high is not None and low is not None and high < low


def _numbers(results: Mapping[str, Any]) -> str:
    found, positive = results["object_removed"], results["positive"]
    return (
        f"of {count(found['images'])} '{positive}' with the object filled by its surroundings it "
        f"calls {with_interval(found, 'after')} '{positive}' ({number(found['before'])} as they "
        f"are), of other images {number(found['false_alarm_rate'])}, filled in the same shapes "
        f"{number(found['filled_elsewhere'])}."
    )
