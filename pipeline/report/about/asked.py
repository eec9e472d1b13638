"""What a run was asked for: every value of its params, those that differ from a default marked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from raresight.pipeline.core.resolved import Leaf, leaves


@dataclass(frozen=True, kw_only=True)
class Row:
    """A key (or a whole item of a list), its value as text, and whether it was changed."""

    key: str
    value: str
    changed: bool


Rows = tuple[Row, ...]


def changed(sections: Mapping[str, Rows]) -> list[tuple[str, Row]]:
    """The rows that differ from their defaults, each with its section."""
    return [(name, row) for name, rows in sections.items() for row in rows if row.changed]


def rows(section: BaseModel) -> Rows:
    """The values of a section; an item of a list, such as a transform, is one row."""
    return tuple(_rows(section))


def _rows(section: BaseModel) -> Iterator[Row]:
    for place, group in groupby(leaves(section), key=_place):
        found = list(group)
        if place == found[0].path:
            (leaf,) = found
            yield Row(key=_dotted(place), value=_line(leaf.value), changed=leaf.changed)
            continue
        inner = {_dotted(leaf.path[len(place) :]): leaf for leaf in found if leaf.value is not None}
        title = next(inner.pop(key).value for key in ("generator", "name") if key in inner)
        yield Row(
            key=f"{_dotted(place)}: {title}",
            value=", ".join(f"{key} {_line(leaf.value)}" for key, leaf in inner.items()) or "none",
            changed=any(leaf.changed for leaf in found),
        )


def _place(leaf: Leaf) -> tuple[str | int, ...]:
    """Where a leaf is shown: its own path, or that of the item of a list that it is part of."""
    numbers = [depth for depth, key in enumerate(leaf.path) if isinstance(key, int)]
    return leaf.path[: numbers[0] + 1] if numbers else leaf.path


def _dotted(path: tuple[str | int, ...]) -> str:
    """Keys joined by dots, the items of a list counted from 1."""
    text = ""
    for key in path:
        text += f" {key + 1}" if isinstance(key, int) else f".{key}" if text else key
    return text


def _line(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case Mapping():
            return ", ".join(f"{key}: {_line(inner)}" for key, inner in value.items()) or "none"
        case list():
            return ", ".join(map(_line, value)) or "none"
    return str(value)
