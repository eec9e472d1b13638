"""Values of more than 8 bits, and which of them become black and white."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

# ``dtype``: all that the kind of number can say; or the values that become black and white.
Range = Literal["dtype"] | tuple[float, float]

_AT_ONCE = 1_000_000  # values that are converted at a time
_SAMPLED = 1024  # values of an image that percentiles are estimated from


@dataclass(frozen=True, kw_only=True)
class Values:
    """Pixels of more than 8 bits: (H, W) or (H, W, 3) numbers; ``full`` is the range of their kind.

    ``kind`` names it in a message; ``inverted`` says that its lowest value is white.
    """

    array: np.ndarray
    full: tuple[float, float]
    kind: str
    inverted: bool = False

    def levels(self, value_range: Range = "dtype") -> np.ndarray:
        """The same as uint8 of 0 to 255, what lies outside of a range that was given at its ends.

        ValueError where values are no numbers, or not in the range of their kind.
        """
        lowest, highest = float(self.array.min()), float(self.array.max())
        low, high = self.full if value_range == "dtype" else value_range
        inside = low <= lowest and highest <= high
        if not (np.isfinite(lowest) and np.isfinite(highest)) or (
            value_range == "dtype" and not inside
        ):
            raise ValueError(
                f"{self.kind} pixels from {lowest:g} to {highest:g}; {low:g} to {high:g} can be "
                "read. `range: [low, high]` below `options` says which values are black and white"
            )
        found = np.empty(self.array.shape, np.uint8)
        # A few rows at a time: as float64 a large image would take eight times its bytes, thrice.
        rows = max(1, _AT_ONCE // max(1, self.array[:1].size))
        for start in range(0, len(found), rows):
            values = self.array[start : start + rows].astype(np.float64)
            shares = (np.clip(values, low, high) - low) / (high - low)
            found[start : start + rows] = np.rint(255 * (1 - shares if self.inverted else shares))
        return found


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What the values of one image reach, and some of them, evenly spread, as float32 (n,)."""

    low: float
    high: float
    full: tuple[float, float]
    some: np.ndarray


def extent_of(values: Values) -> Extent:
    """The extent of an image's values; ValueError where some are no numbers."""
    flat = values.array.reshape(-1)
    if not np.isfinite(flat).all():
        raise ValueError(f"{values.kind} pixels that are no numbers")
    chosen = np.linspace(0, len(flat) - 1, min(_SAMPLED, len(flat))).astype(int)
    return Extent(
        low=float(flat.min()),
        high=float(flat.max()),
        full=values.full,
        some=flat[chosen].astype(np.float32),
    )


def percentiles(extents: Sequence[Extent], low: float, high: float) -> tuple[float, float]:
    """The values that ``low`` and ``high`` per cent of a source's pixels lie below.

    Estimated from 1,024 pixels of each image. ValueError where the two are the same.
    """
    values = np.concatenate([one.some for one in extents])
    black, white = (float(f"{value:.6g}") for value in np.percentile(values, (low, high)))
    if not black < white:
        raise ValueError(f"{low:g} and {high:g} per cent of the pixels lie below {black:g} alike")
    return black, white


def used(extents: Sequence[Extent]) -> tuple[float, float, float]:
    """The lowest and highest value of a source, and which share of its range lies between."""
    low, high = min(one.low for one in extents), max(one.high for one in extents)
    full_low, full_high = extents[0].full
    return low, high, (high - low) / (full_high - full_low)
