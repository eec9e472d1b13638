"""What makes the images of each ``enlarge.method``."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from raresight.pipeline.enlarging.methods import Composites, Flow
from raresight.pipeline.enlarging.wanted import Produced, Wanted


def _composites(wanted: Wanted, method: Composites) -> Iterator[Produced]:
    from raresight.pipeline.enlarging.making import composites

    return composites(wanted, surroundings=method.surroundings)


def _flow(wanted: Wanted, method: Flow) -> Iterator[Produced]:
    from raresight.pipeline.enlarging.flow.making import generated  # it loads torch

    return generated(wanted, method)


# By the names of METHODS: the images of each class that is wanted.
MAKERS: Mapping[str, Callable[[Wanted, Any], Iterator[Produced]]] = {
    "composites": _composites,
    "flow": _flow,
}
