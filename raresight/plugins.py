"""What other packages offer by entry points, whichever part of Raresight asks for it."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any


def offered(group: str) -> dict[str, list[EntryPoint]]:
    """The entry points of a group by name; nothing is imported."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, []).append(point)
    return found


def load(points: list[EntryPoint], *, base: type, noun: str, error: type[Exception]) -> Any:
    """The subclass of ``base`` that the entry points of one name give.

    Raises ``error``, whose message says which package offers it, where several differ, it cannot be
    imported, or it is no such class. ``noun`` is what one of them is called there.
    """
    point = points[0]
    if len({one.value for one in points}) > 1:
        several = ", ".join(
            f"{one.value} ({_package(one)})" for one in sorted(points, key=_package)
        )
        raise error(f"{noun} '{point.name}' is offered more than once: {several}")
    where = described(point, noun)
    try:
        found = point.load()
    except Exception as problem:  # code of others: it may fail in any way
        raise error(f"{where} cannot be imported: {problem}") from problem
    if not (isinstance(found, type) and issubclass(found, base)):
        raise error(f"{where} is no subclass of {base.__module__}.{base.__qualname__}")
    return found


def described(point: EntryPoint, noun: str) -> str:
    """An entry point as messages name it."""
    return f"{noun} '{point.name}' of the package {_package(point)} ({point.value})"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
