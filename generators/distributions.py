"""Distributions of the factors an image is made from: each can sample, and tell what it contains.

A value is found from one number in [0, 1), its quantile, so that a factor takes the same part of a
record's random stream whatever its distribution is.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

import numpy as np

_HEAVIEST = 1e9  # of a weight beside others; sums of larger ones end in infinity

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Factor(ABC):
    """A distribution; ``given`` are the factors drawn before, on which a Conditional depends."""

    @abstractmethod
    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> Any:
        """The value at quantile ``u`` in [0, 1)."""

    @abstractmethod
    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        """Whether ``value`` can be drawn."""

    @abstractmethod
    def values(self) -> Iterator[Any]:
        """The least and the greatest value; of words, all of them."""

    @abstractmethod
    def plain(self) -> Any:
        """As params.yaml says it."""

    def sample(self, rng: np.random.Generator, given: Mapping[str, Any] = NOTHING) -> Any:
        """Draw a value from the stream ``rng``."""
        return self.at(rng.random(), given)


@dataclass(frozen=True)
class Continuous(Factor):
    """Uniform from ``low`` to ``high``, or normal (``mean``, ``std``) and cut off at both."""

    low: float
    high: float
    mean: float | None = None
    std: float | None = None

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("must be [low, high] with low <= high")
        if (self.mean is None) != (self.std is None):
            raise ValueError("a normal distribution needs both mean and std")
        if self.std is not None and self.std <= 0:
            raise ValueError("std must lie above 0")
        if self.std is not None and self._ends in ((0.0, 0.0), (1.0, 1.0)):
            raise ValueError("low and high must lie where the normal distribution has any weight")

    @cached_property
    def _normal(self) -> NormalDist:
        if self.mean is None or self.std is None:
            raise TypeError("a uniform distribution has no mean and std of a normal one")
        return NormalDist(self.mean, self.std)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return self._normal.cdf(self.low), self._normal.cdf(self.high)

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> float:
        if self.std is None or self.low == self.high:
            return min(self.low + (self.high - self.low) * u, self.high)
        start, stop = self._ends
        quantile = start + (stop - start) * u
        if not 0 < quantile < 1:
            return self.low if quantile <= 0 else self.high
        return min(max(self._normal.inv_cdf(quantile), self.low), self.high)

    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        return self.low <= value <= self.high

    def values(self) -> Iterator[float]:
        yield from (self.low, self.high)

    def plain(self) -> Any:
        if self.std is None:
            return {"uniform": [self.low, self.high]}
        return {"normal": {k: getattr(self, k) for k in ("mean", "std", "low", "high")}}


@dataclass(frozen=True)
class LogUniform(Factor):
    """From ``low`` to ``high``, every order of magnitude equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise ValueError("must be [low, high] with 0 < low <= high")

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> float:
        value = self.low * math.exp(math.log(self.high / self.low) * u)
        return min(max(value, self.low), self.high)

    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        return self.low <= value <= self.high

    def values(self) -> Iterator[float]:
        yield from (self.low, self.high)

    def plain(self) -> Any:
        return {"log_uniform": [self.low, self.high]}


def _shares(weights: tuple[float, ...]) -> tuple[float, ...]:
    if any(not 0 <= weight <= _HEAVIEST for weight in weights) or not sum(weights) > 0:
        raise ValueError(f"weights must lie within [0, {_HEAVIEST:g}], and one above 0")
    return tuple(weight / sum(weights) for weight in weights)


def _pick(shares: tuple[float, ...], u: float) -> tuple[int, float]:
    """Which of the shares ``u`` falls into, and at which quantile of it."""
    possible = [k for k, share in enumerate(shares) if share > 0]
    for k in possible:
        if u < shares[k] or k == possible[-1]:
            return k, min(u / shares[k], math.nextafter(1.0, 0.0))
        u -= shares[k]
    raise AssertionError("shares without weight were refused")


@dataclass(frozen=True)
class Discrete(Factor):
    """One of ``options``, numbers or words, each as likely or by ``weights``."""

    options: tuple[Any, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("needs at least one value")
        if self.weights and len(self.weights) != len(self.options):
            raise ValueError(f"{len(self.options)} values need {len(self.options)} weights")
        _ = self._parts

    @cached_property
    def _parts(self) -> tuple[float, ...]:
        return _shares(self.weights or (1.0,) * len(self.options))

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> Any:
        return self.options[_pick(self._parts, u)[0]]

    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        return any(v == value and s > 0 for v, s in zip(self.options, self._parts, strict=True))

    def values(self) -> Iterator[Any]:
        yield from self.options

    def plain(self) -> Any:
        options = list(self.options)
        if not self.weights:
            return {"discrete": options}
        return {"discrete": {"values": options, "weights": list(self.weights)}}


@dataclass(frozen=True)
class Mixture(Factor):
    """One of several distributions, each by its weight."""

    parts: tuple[Factor, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("needs at least one part")
        _ = self._shares

    @cached_property
    def _shares(self) -> tuple[float, ...]:
        return _shares(self.weights)

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> Any:
        which, rest = _pick(self._shares, u)
        return self.parts[which].at(rest, given)

    def sample(self, rng: np.random.Generator, given: Mapping[str, Any] = NOTHING) -> Any:
        which, _ = _pick(self._shares, rng.random())
        return self.parts[which].sample(rng, given)

    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        pairs = zip(self.parts, self._shares, strict=True)
        return any(share > 0 and part.contains(value, given) for part, share in pairs)

    def values(self) -> Iterator[Any]:
        for part in self.parts:
            yield from part.values()

    def plain(self) -> Any:
        pairs = zip(self.parts, self.weights, strict=True)
        return {"mixture": [{"weight": weight, **part.plain()} for part, weight in pairs]}


@dataclass(frozen=True)
class Conditional(Factor):
    """A distribution for each value of the factor ``given``; ``otherwise`` for those not named."""

    given: str
    cases: Mapping[str, Factor]
    otherwise: Factor | None = None

    def __post_init__(self) -> None:
        if not self.cases:
            raise ValueError("needs at least one case")

    def _case(self, given: Mapping[str, Any]) -> Factor:
        found = self.cases.get(str(given.get(self.given)), self.otherwise)
        if found is None:
            raise ValueError(
                f"no case for {self.given} = {given.get(self.given)}, and no otherwise"
            )
        return found

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> Any:
        return self._case(given).at(u, given)

    def contains(self, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
        return self._case(given).contains(value, given)

    def values(self) -> Iterator[Any]:
        for case in (*self.cases.values(), *filter(None, [self.otherwise])):
            yield from case.values()

    def plain(self) -> Any:
        inner = {
            "given": self.given,
            "cases": {name: case.plain() for name, case in self.cases.items()},
        }
        if self.otherwise is not None:
            inner["otherwise"] = self.otherwise.plain()
        return {"conditional": inner}


@dataclass(frozen=True)
class Product(Factor):
    """Several factors by name, drawn in their order; a later one may depend on an earlier one."""

    members: Mapping[str, Factor] = field(default_factory=dict)

    def at(self, u: float, given: Mapping[str, Any] = NOTHING) -> Any:
        raise TypeError("a product has no quantiles: it is sampled")

    def sample(
        self, rng: np.random.Generator, given: Mapping[str, Any] = NOTHING
    ) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for name, member in self.members.items():
            drawn[name] = member.sample(rng, {**given, **drawn})
        return drawn

    def contains(self, value: Mapping[str, Any], given: Mapping[str, Any] = NOTHING) -> bool:
        return set(value) == set(self.members) and all(
            member.contains(value[name], {**given, **value})
            for name, member in self.members.items()
        )

    def values(self) -> Iterator[Any]:
        for member in self.members.values():
            yield from member.values()

    def plain(self) -> Any:
        return {"product": {name: member.plain() for name, member in self.members.items()}}
