"""What the check of the copies found, in words: terminal and page."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.wording.numbers import number, share

ROWS = {"other_classes": "other classes", "copied_classes": "copied classes"}


def title(classes: str) -> str:
    """The table's; ``classes`` are those that were copied."""
    return f"Do copies tell the class? Predicted {classes}"


def told(results: Mapping[str, Any]) -> str | None:
    """What a significant difference means, from the contents of results.json; None without one."""
    found = results.get("augmentation_check")
    if found is None:
        return None
    others, copied = (found.get(name, {}) for name in ROWS)
    labels = ", ".join(f"'{label}'" for label in found["classes"].split(", "))
    if _rises(others):
        return (
            f"The copies tell the class: put through their recipe, images of other classes are "
            f"predicted {labels} in {share(others['after'])} of cases, as they are in "
            f"{share(others['before'])} ({_points(others)}). {_ADVICE}"
        )
    if _rises(copied):
        return (
            f"The copies may tell the class: images of {labels} are recognized more often once put "
            f"through their recipe: {share(copied['after'])} instead of "
            f"{share(copied['before'])} ({_points(copied)}). {_ADVICE}"
        )
    if copied.get("significant"):
        return (
            f"Copies are harder than originals: {share(copied['after'])} of images of {labels} "
            f"are recognized once put through the copies' recipe, {share(copied['before'])} as "
            f"they are ({_points(copied)})."
        )
    if others.get("significant"):
        return (
            f"Put through the copies' recipe, images of other classes are predicted {labels} less "
            f"often: in {share(others['after'])} of cases instead of "
            f"{share(others['before'])} ({_points(others)}). The copies' look may count "
            "against the class."
        )
    return None


def in_verdict(results: Mapping[str, Any]) -> Iterator[str | tuple[str, str]]:
    """The same as parts of the verdict."""
    if (text := told(results)) is not None:
        head, colon, rest = text.partition(": ")
        yield (f" {head}{colon}", "bold")
        yield rest


_ADVICE = "raresight validate names what copies alone go through."


def rows(results: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Name, images, the two shares and their difference with its interval, as texts."""
    found = results["augmentation_check"]
    for name, title in ROWS.items():
        if (row := found.get(name)) is not None:
            yield (
                title,
                f"{row['images']:,}",
                number(row["before"]),
                number(row["after"]),
                _difference(row),
            )


def _rises(row: Mapping[str, Any]) -> bool:
    return bool(row.get("significant")) and row["difference"] > 0


def _points(row: Mapping[str, Any]) -> str:
    low, high = 100 * row["difference_low"], 100 * row["difference_high"]
    return f"difference {100 * row['difference']:.3g} points [{low:.3g} to {high:.3g}]"


def _difference(row: Mapping[str, Any]) -> str:
    low, high = row.get("difference_low"), row.get("difference_high")
    between = "" if low is None else f" [{low:+.3f} to {high:+.3f}]"
    return f"{row['difference']:+.3f}{between}"
