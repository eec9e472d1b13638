"""A table of what has a name in params.yaml: what is built in, then what other packages offer.

A package offers its own by an entry point of the registry's group, whose name is the one in
params.yaml and whose value is the class. It is imported only when a name is not built in, or to
list what there is.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from raresight.pipeline.core.params import Section
from raresight.pipeline.runtime.errors import ParamsError

Base = TypeVar("Base", bound=Section)


class BadEntryPoint(ParamsError, ValueError):
    """What a package offers cannot be used; the message says which and why."""


class Registry(Mapping[str, type[Base]], Generic[Base]):
    """The classes below ``base`` by name: ``built_in``, then those of the entry points ``group``.

    ``noun`` is what one of them is called in a message. Asking for a name that a package offers
    raises BadEntryPoint where that cannot be used.
    """

    def __init__(self, built_in: Mapping[str, type[Base]], *, base: type, group: str, noun: str):
        self.built_in, self.base, self.group, self.noun = built_in, base, group, noun

    def __getitem__(self, name: str) -> type[Base]:
        return self.built_in[name] if name in self.built_in else self._load(self._offered()[name])

    def __iter__(self) -> Iterator[str]:
        yield from self.built_in
        yield from sorted(set(self._offered()) - set(self.built_in))

    def __len__(self) -> int:
        return len({*self.built_in, *self._offered()})

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._offered()

    def _offered(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            found.setdefault(point.name, []).append(point)
        return found

    def _load(self, points: list[EntryPoint]) -> type[Base]:
        point = points[0]
        if len({one.value for one in points}) > 1:
            several = ", ".join(
                f"{one.value} ({_package(one)})" for one in sorted(points, key=_package)
            )
            raise BadEntryPoint(f"{self.noun} '{point.name}' is offered more than once: {several}")
        where = f"{self.noun} '{point.name}' of the package {_package(point)} ({point.value})"
        try:
            found: Any = point.load()
        except Exception as error:  # code of others: it may fail in any way
            raise BadEntryPoint(f"{where} cannot be imported: {error}") from error
        if not (isinstance(found, type) and issubclass(found, self.base)):
            base = f"{self.base.__module__}.{self.base.__qualname__}"
            raise BadEntryPoint(f"{where} is no subclass of {base}")
        if missing := sorted(getattr(found, "__abstractmethods__", ())):
            raise BadEntryPoint(f"{where} does not define: {', '.join(missing)}")
        return cast(type[Base], found)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"
