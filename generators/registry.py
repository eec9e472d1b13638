"""Finding a generator by name: those built in, then those of other packages.

A package offers its own by an entry point of the group ``raresight.generators``, whose name is what
params.yaml calls the generator and whose value is the class. It is imported only when a name is not
built in, or to list what there is.
"""

from raresight import plugins
from raresight.generators.base import Generator
from raresight.generators.builtin import GENERATORS

GROUP = "raresight.generators"


class BadGenerator(ValueError):
    """What a package offers as a generator cannot be used; the message says which and why."""


def names() -> list[str]:
    """Every name that params.yaml may give, those built in first; nothing is imported."""
    return [*GENERATORS, *sorted(set(plugins.offered(GROUP)) - set(GENERATORS))]


def find(name: str) -> type[Generator]:
    """The generator of that name.

    Raises KeyError where there is none, and BadGenerator where a package offers one that cannot be
    used.
    """
    if name in GENERATORS:
        return GENERATORS[name]
    points = plugins.offered(GROUP)[name]
    found: type[Generator] = plugins.load(
        points, base=Generator, noun="generator", error=BadGenerator
    )
    return found
