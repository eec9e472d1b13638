"""Finding a generator by name: those built in, then those of other packages.

A package offers its own by an entry point of the group ``raresight.generators``, whose name is what
params.yaml calls the generator and whose value is the class. It is imported only when a name is not
built in, or to list what there is.
"""

from importlib.metadata import EntryPoint, entry_points

from raresight.generators import GENERATORS
from raresight.generators.base import Generator

GROUP = "raresight.generators"


class BadGenerator(ValueError):
    """What a package offers as a generator cannot be used; the message says which and why."""


def names() -> list[str]:
    """Every name that params.yaml may give, those built in first; nothing is imported."""
    return [*GENERATORS, *sorted(set(_offered()) - set(GENERATORS))]


def find(name: str) -> type[Generator]:
    """The generator of that name.

    Raises KeyError where there is none, and BadGenerator where a package offers one that cannot be
    used.
    """
    return GENERATORS[name] if name in GENERATORS else _load(_offered()[name])


def _offered() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def _load(points: list[EntryPoint]) -> type[Generator]:
    point = points[0]
    if len({one.value for one in points}) > 1:
        several = ", ".join(
            f"{one.value} ({_package(one)})" for one in sorted(points, key=_package)
        )
        raise BadGenerator(f"generator '{point.name}' is offered more than once: {several}")
    where = f"generator '{point.name}' of the package {_package(point)} ({point.value})"
    try:
        found = point.load()
    except Exception as error:  # code of others: it may fail in any way
        raise BadGenerator(f"{where} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Generator)):
        raise BadGenerator(f"{where} is no subclass of raresight.generators.base.Generator")
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
