"""What params.yaml asked for, as rows that people read."""

from collections.abc import Iterator, Mapping
from typing import Any

ParamRows = tuple[tuple[str, str], ...]


def in_columns(sections: Mapping[str, Mapping[str, Any]]) -> list[dict[str, ParamRows]]:
    """The sections as rows, in two columns of about the same length; the longest stands right."""
    read = {name: rows(section) for name, section in sections.items()}
    left: dict[str, ParamRows] = {}
    right: dict[str, ParamRows] = {}
    for name in sorted(read, key=lambda name: -len(read[name])):
        column = min(right, left, key=lambda column: sum(map(len, column.values())))
        column[name] = read[name]
    return [{name: column[name] for name in read if name in column} for column in (left, right)]


def rows(section: Mapping[str, Any]) -> ParamRows:
    """The leaves of a section: dotted key and value; short lists and mappings stay on one line."""
    return tuple(_rows(section, ""))


def _rows(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and (not path or len(_line(value)) > 60):
        for key, inner in value.items():
            yield from _rows(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            place = f"{path} {number}"
            if isinstance(item, Mapping) and (name := item.get("name") or item.get("generator")):
                place += f": {name}"
            yield from _rows(_without_name(item), place)
    else:
        yield path, _line(value)


def _without_name(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return {key: value for key, value in item.items() if key not in ("name", "generator")}


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
