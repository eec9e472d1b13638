"""Factors as params.yaml says them.

A factor is a pair ``[low, high]`` (every value between them is equally likely), or a mapping of one
kind to what it needs:

    radius: [4, 9]                                      # the same as {uniform: [4, 9]}
    radius: {normal: {mean: 6, std: 1, low: 4, high: 9}}
    radius: {log_uniform: [0.5, 50]}
    radius: {discrete: [4, 6, 9]}                       # or {values: [4, 6, 9], weights: [1, 2, 1]}
    radius: {mixture: [{weight: 9, uniform: [4, 6]}, {weight: 1, uniform: [8, 9]}]}
    radius: {conditional: {given: label, cases: {a: [4, 6], b: [6, 9]}, otherwise: [4, 9]}}

and factors that depend on each other are a ``product``, or a ``mixture`` of products.
"""

import sys
from collections.abc import Callable, Collection, Mapping, Set
from typing import Annotated, Any, TypeGuard

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from raresight.generators.distributions import (
    NOTHING,
    Conditional,
    Continuous,
    Discrete,
    Factor,
    LogUniform,
    Mixture,
    Product,
)

Pair = tuple[float, float]


def as_factor(value: Pair | Factor) -> Factor:
    """A pair is the uniform distribution between its ends."""
    return value if isinstance(value, Factor) else Continuous(*value)


def bounds(value: Pair | Factor) -> Pair:
    """The least and the greatest number that can be drawn."""
    found = list(as_factor(value).values())
    return min(found), max(found)


def at(interval: Pair | Factor, u: float, given: Mapping[str, Any] = NOTHING) -> float:
    """The value at quantile ``u`` in [0, 1)."""
    if not isinstance(interval, tuple):  # to ask for the abstract Factor costs more than drawing
        found: float = interval.at(u, given)
        return found
    low, high = interval
    return low + (high - low) * u


def whole(interval: Pair | Factor, u: float, given: Mapping[str, Any] = NOTHING) -> int:
    """As :func:`at` in whole numbers; a pair means those from low to high, both included."""
    if not isinstance(interval, tuple):
        if not _is_uniform(interval):
            return round(interval.at(u, given))
        interval = (interval.low, interval.high)
    low, high = interval
    return int(low + (high - low + 1) * u)


def contains(interval: Pair | Factor, value: Any, given: Mapping[str, Any] = NOTHING) -> bool:
    """Whether ``value`` can be drawn from ``interval``."""
    return as_factor(interval).contains(value, given)


def _is_uniform(factor: Factor) -> TypeGuard[Continuous]:
    return isinstance(factor, Continuous) and factor.std is None


def read(value: Any) -> Factor:
    """The distribution that ``value`` of params.yaml means.

    Raises ValueError, which says what it may be.
    """
    if isinstance(value, Factor):
        return value
    if isinstance(value, list | tuple):
        return Continuous(*_pair(value))
    if not isinstance(value, Mapping) or len(value) != 1:
        kinds = ", ".join(f"{{{kind}: ...}}" for kind in _KINDS)
        raise ValueError(f"must be [low, high] or one of the distributions {kinds}")
    ((kind, inner),) = value.items()
    if kind not in _KINDS:
        raise ValueError(f"no distribution '{kind}'; there are {', '.join(_KINDS)}")
    try:
        return _KINDS[kind](inner)
    except ValueError as error:
        raise ValueError(f"{kind}: {error}") from None


_LARGEST = sys.float_info.max


def _number(value: Any, what: str = "a value") -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= _LARGEST:  # so written, it is true for NaN
        raise ValueError(f"{what} must be a finite number, not {value!r}")
    return float(value)


def _pair(value: Any) -> Pair:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be [low, high]: two numbers")
    low, high = (_number(one, name) for one, name in zip(value, ("low", "high"), strict=True))
    if low > high:
        raise ValueError("must be [low, high] with low <= high")
    return low, high


def _keys(value: Any, needed: set[str], optional: Set[str] = frozenset()) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping with {', '.join(sorted(needed))}, not {value!r}")
    if unknown := sorted(set(map(str, value)) - needed - optional):
        allowed = ", ".join(sorted(needed | optional))
        raise ValueError(f"unknown key {', '.join(unknown)}; there are {allowed}")
    if missing := sorted(needed - set(value)):
        raise ValueError(f"{', '.join(missing)} missing")
    return value


def _listed(value: Any, of: str) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"must be a list of {of}, not {value!r}")
    return list(value)


def _normal(value: Any) -> Continuous:
    given = _keys(value, {"mean", "std", "low", "high"})
    return Continuous(**{name: _number(number, name) for name, number in given.items()})


def _discrete(value: Any) -> Discrete:
    if not isinstance(value, Mapping):
        return Discrete(tuple(_listed(value, "values")))
    given = _keys(value, {"values", "weights"})
    weights = [_number(weight, "a weight") for weight in _listed(given["weights"], "numbers")]
    return Discrete(tuple(_listed(given["values"], "values")), tuple(weights))


def _mixture(value: Any) -> Mixture:
    parts, weights = [], []
    for part in _listed(value, "distributions, each with a weight"):
        if not isinstance(part, Mapping):
            raise ValueError(f"a part must be like {{weight: 1, uniform: [0, 1]}}, not {part!r}")
        weights.append(_number(part.get("weight", 1), "weight"))
        parts.append(read({key: inner for key, inner in part.items() if key != "weight"}))
    return Mixture(tuple(parts), tuple(weights))


def _conditional(value: Any) -> Conditional:
    if isinstance(value, dict) and {"on", True} & set(value):
        raise ValueError("'on' was renamed to 'given'")
    given = _keys(value, {"given", "cases"}, {"otherwise"})
    if not isinstance(given["cases"], Mapping):
        raise ValueError("cases must map values to distributions")
    cases = {str(name): read(case) for name, case in given["cases"].items()}
    otherwise = read(given["otherwise"]) if "otherwise" in given else None
    return Conditional(str(given["given"]), cases, otherwise)


def _product(value: Any) -> Product:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("must map names of factors to distributions")
    return Product({str(name): read(member) for name, member in value.items()})


_KINDS: Mapping[str, Callable[[Any], Factor]] = {
    "uniform": lambda value: Continuous(*_pair(value)),
    "normal": _normal,
    "log_uniform": lambda value: LogUniform(*_pair(value)),
    "discrete": _discrete,
    "mixture": _mixture,
    "conditional": _conditional,
    "product": _product,
}


def _range(value: Any) -> Pair | Factor:
    if isinstance(value, list | tuple):
        return _pair(value)  # kept as it is: drawing from a pair is a line of arithmetic
    factor = read(value)
    for one in factor.values():
        if isinstance(one, bool) or not isinstance(one, int | float):
            raise ValueError("must hold numbers alone")
        _number(one)
    return factor


def _plain(value: Pair | Factor) -> Any:
    return value.plain() if isinstance(value, Factor) else list(value)


def _words(value: Any) -> Factor:
    return read({"discrete": value} if isinstance(value, list | tuple) else value)


def among(allowed: Collection[str]) -> AfterValidator:
    """Nothing but the words ``allowed`` can be drawn."""

    def check(factor: Factor) -> Factor:
        if unknown := [word for word in factor.values() if word not in allowed]:
            raise ValueError(f"there is no {unknown[0]!r}; there are {', '.join(allowed)}")
        return factor

    return AfterValidator(check)


def within(low: float, high: float) -> AfterValidator:
    """Nothing that can be drawn lies outside of ``low`` and ``high``."""

    def check(value: Pair | Factor) -> Pair | Factor:
        least, greatest = bounds(value)
        if least < low or greatest > high:
            raise ValueError(f"must lie within [{low:g}, {high:g}]")
        return value

    return AfterValidator(check)


def _all_whole(value: Pair | Factor) -> Pair | Factor:
    if any(number != int(number) for number in as_factor(value).values()):
        raise ValueError("must be whole numbers")
    return value


def _not_negative(value: Pair | Factor) -> Pair | Factor:
    if bounds(value)[0] < 0:
        raise ValueError("must not go below 0")
    return value


def _above_zero(value: Pair | Factor) -> Pair | Factor:
    if bounds(value)[0] <= 0:
        raise ValueError("must lie above 0")
    return value


def _unconditional(value: Pair | Factor) -> Pair | Factor:
    if isinstance(value, Factor) and _has(value, Conditional | Product):
        raise ValueError("must not depend on another factor here: conditional and product are out")
    return value


def _has(factor: Factor, kind: Any) -> bool:
    return isinstance(factor, kind) or (
        isinstance(factor, Mixture) and any(_has(part, kind) for part in factor.parts)
    )


Numbers = Annotated[Any, PlainValidator(_range), PlainSerializer(_plain)]
"""Numbers by any distribution, those included that depend on factors drawn before."""

Words = Annotated[Any, PlainValidator(_words), PlainSerializer(_plain)]
"""Words by any distribution; a list of them means each as often as the others."""

Uniform = Annotated[Numbers, AfterValidator(_unconditional)]
"""A pair [low, high], of which every value is equally likely, or any other distribution."""

NonNegative = Annotated[Uniform, AfterValidator(_not_negative)]
Positive = Annotated[Uniform, AfterValidator(_above_zero)]
Noise = Annotated[NonNegative, within(0, 100)]
"""Standard deviation of a sensor's noise in gray levels, of which there are 256."""
Whole = AfterValidator(_all_whole)
