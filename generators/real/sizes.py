"""How large images are in their files, and the size that suits them."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512)
_WIDE = 1.25  # height to width, or the other way, from which a square would waste its pixels
_LARGEST = 224  # what is suggested: more costs much, and is for whoever knows why


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes (width, height) of ``count`` images: by the median of each side, and at the ends,
    by the number of pixels."""

    count: int
    typical: tuple[int, int]
    smallest: tuple[int, int]
    largest: tuple[int, int]

    @property
    def suggested(self) -> int | tuple[int, int]:
        """An image size, or height and width, that keeps what most of the images show: no larger
        than they are, and at most 224 pixels along the longer side."""
        width, height = self.typical
        longer, shorter = max(width, height), min(width, height)
        side = max([one for one in SIDES if one <= min(longer, _LARGEST)], default=SIDES[0])
        if longer < _WIDE * shorter:
            return side
        other = max(16, round(side * shorter / longer / 16) * 16)
        if other == side:
            return side
        return (side, other) if height > width else (other, side)

    def as_json(self) -> dict[str, Any]:
        """Each as [height, width]."""
        named = {"typical": self.typical, "smallest": self.smallest, "largest": self.largest}
        return {name: [height, width] for name, (width, height) in named.items()}


def sizes_of(sizes: Iterable[tuple[int, int]]) -> Sizes:
    """The summary of at least one size (width, height)."""
    known = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    widths, heights = zip(*known, strict=True)
    return Sizes(
        count=len(known),
        typical=(round(median(widths)), round(median(heights))),
        smallest=known[0],
        largest=known[-1],
    )
