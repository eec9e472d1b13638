"""generators: what can be drawn, for the one who writes ``generate.sources``."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from raresight.generators import registry
from raresight.generators.base import Generator


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A generator as listed; ``prevalence`` has the classes of its default options with their
    natural shares, None where they depend on options that have no default. ``factors`` maps each
    factor to what it means. ``problem`` says why another package's generator cannot be used."""

    name: str
    summary: str
    classes: tuple[str, ...] | None
    prevalence: Mapping[str, float] | None
    factors: Mapping[str, str]
    problem: str | None = None


def run() -> list[Entry]:
    """Every generator that params.yaml can name, by name."""
    return [_entry(name) for name in sorted(registry.names())]


def _entry(name: str) -> Entry:
    try:
        generator = registry.find(name)
    except registry.BadGenerator as error:
        return Entry(
            name=name, summary="", classes=None, prevalence=None, factors={}, problem=str(error)
        )
    shares = _default_prevalence(generator)
    return Entry(
        name=name,
        summary=generator.summary,
        classes=tuple(sorted(shares)) if shares else None,
        prevalence=shares,
        factors={factor: meaning for factor, (_, meaning) in generator.factors.items()},
    )


def _default_prevalence(generator: type[Generator]) -> Mapping[str, float] | None:
    try:
        return generator(generator.options(), 64).shares()
    except ValidationError:
        return None
