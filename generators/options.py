"""Options that are factors: drawn in the order of their fields, each by its own distribution."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError, model_validator

from raresight.generators.base import Options
from raresight.generators.factors import (
    Conditional,
    Factor,
    Mixture,
    Product,
    as_factor,
    at,
    read,
    whole,
)


def _products(factor: Factor) -> Iterator[Product]:
    if isinstance(factor, Product):
        yield factor
    elif isinstance(factor, Mixture):
        for part in factor.parts:
            yield from _products(part)
    else:
        raise ValueError("must be a product, or a mixture of products")


def _joint(value: Any) -> Factor:
    joint = read(value)
    if len({tuple(product.members) for product in _products(joint)}) > 1:
        raise ValueError("all products must name the same factors in the same order")
    return joint


Joint = Annotated[Any, PlainValidator(_joint), PlainSerializer(lambda value: value.plain())]


class FactorOptions(Options):
    """Base of options whose fields named in ``drawn`` are factors.

    A conditional factor may depend on ``label`` and on the factors before it. ``together`` draws
    several of them at once, as a product or a mixture of products, so that they hang together; it
    takes the place of their own options. ``counted`` are those in whole numbers; one that is null
    is not drawn.
    """

    drawn: ClassVar[tuple[str, ...]] = ()
    counted: ClassVar[tuple[str, ...]] = ()
    together: Joint | None = None

    @model_validator(mode="after")
    def _sound(self) -> "FactorOptions":
        products = [] if self.together is None else list(_products(self.together))
        members = products[0].members if products else {}
        for product in products:
            for name, factor in product.members.items():
                self._check_member(name, factor)
        known: list[str] = ["label", *members]
        for name in self.drawn:
            for condition in _conditions(getattr(self, name)):
                _check_condition(name, condition, known, self.labels())
            known.append(name)
        return self

    def _check_member(self, name: str, factor: Factor) -> None:
        """A factor drawn together with others has to be one that its own option would take."""
        if name not in self.drawn:
            raise ValueError(f"together: no factor '{name}'; there are {', '.join(self.drawn)}")
        field = type(self).model_fields[name]
        annotation: Any = Annotated[(field.annotation, *field.metadata)]
        option = TypeAdapter[Any](annotation)
        try:
            option.validate_python(factor)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"together: {name}: {message}") from None

    def labels(self) -> Collection[str] | None:
        """The classes that conditions on ``label`` may name; None where any will do."""
        return None

    def draw(self, label: str, rng: np.random.Generator) -> dict[str, Any]:
        """Every factor of one image, by name in the order of ``drawn``."""
        given: dict[str, Any] = {"label": label}
        if self.together is not None:
            given |= self.together.sample(rng, given)
        steps, quantiles = self._steps, rng.random(len(self.drawn)).tolist()
        for (name, option, take), u in zip(steps, quantiles, strict=True):
            if name not in given:
                given[name] = None if option is None else take(option, u, given)
        return {name: given[name] for name in self.drawn}

    @cached_property
    def _steps(self) -> list[tuple[str, Any, Callable[..., Any]]]:
        """Each factor's name, what it is drawn from, and how."""
        return [
            (name, getattr(self, name), whole if name in self.counted else at)
            for name in self.drawn
        ]

    def laws(self) -> dict[str, Factor]:
        """What each of them is drawn from."""
        options = {name: getattr(self, name) for name in self.drawn}
        own = {name: as_factor(value) for name, value in options.items() if value is not None}
        if self.together is None:
            return own
        products = list(_products(self.together))
        for name in products[0].members:
            parts = tuple(product.members[name] for product in products)
            own[name] = Mixture(parts, (1,) * len(parts))
        return own


def _conditions(value: Any) -> Iterator[Conditional]:
    if isinstance(value, Conditional):
        yield value
        inner: Sequence[Factor] = [*value.cases.values(), *filter(None, [value.otherwise])]
    else:
        inner = value.parts if isinstance(value, Mixture) else ()
    for part in inner:
        yield from _conditions(part)


def _check_condition(
    name: str, condition: Conditional, known: Collection[str], labels: Collection[str] | None
) -> None:
    if condition.given not in known:
        raise ValueError(
            f"{name}: it cannot depend on '{condition.given}', only on {', '.join(known)}"
        )
    if condition.given != "label" or labels is None:
        return
    if unknown := sorted(set(condition.cases) - set(labels)):
        raise ValueError(f"{name}: no class {', '.join(unknown)}; there are {', '.join(labels)}")
    missing = sorted(set(labels) - set(condition.cases))
    if missing and condition.otherwise is None:
        raise ValueError(f"{name}: no case for {', '.join(missing)}, and no otherwise")
