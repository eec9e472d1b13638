"""Which values of a source of more than 8 bits become black and white."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from raresight.generators.base import BadImages
from raresight.generators.reading.ranges import Extent, percentiles, used

logger = logging.getLogger(__name__)

_WHITES = (255, 1023, 4095, 16383)  # of cameras of 8, 10, 12 and 14 bits
_LITTLE = 1 / 16  # of its range: what an image of 12 bits uses of 16


def found_range(
    extents: Sequence[Extent], per_cent: tuple[float, float], place: str
) -> tuple[float, float]:
    """The values that so many per cent of all pixels lie below; BadImages where they are one."""
    try:
        return percentiles(extents, *per_cent)
    except ValueError as error:
        raise BadImages(f"{place}: `range: percentile`: {error}. Give `[low, high]`.") from None


def warn_of_unused(extents: Sequence[Extent], place: str) -> None:
    """Say so where images use less than a sixteenth of what their kind of number can hold."""
    kinds: dict[tuple[float, float], list[Extent]] = defaultdict(list)
    for one in extents:
        kinds[one.full].append(one)
    for (full_low, full_high), alike in kinds.items():
        low, high, share = used(alike)
        if share >= _LITTLE:
            continue
        white = next((one for one in _WHITES if one >= high), high) if full_high > 1 else high
        logger.warning(
            "%s: the values of %d images lie between %g and %g of %g to %g, so that they come out "
            "in %d of 256 shades. `range: percentile` below `options`, or the values that are "
            "black and white, such as `range: [%g, %g]`, keeps what they show.",
            place,
            len(alike),
            low,
            high,
            full_low,
            full_high,
            int(255 * share) + 1,
            min(0.0, low),
            white,
        )
