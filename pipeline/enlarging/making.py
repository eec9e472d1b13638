"""Which composites are made, and which are kept: those that still show their label."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.composites import composite, contrast

_GROUNDS, _TRIES, _SEEN = 4, 3, 0.05  # the quantile of the real ones' contrast that is the least


@dataclass(frozen=True, kw_only=True)
class Made:
    """One made image, the ``number``-th of its parent: its pixels, its mask, and the rows of both
    parents. ``tries`` were needed."""

    id: str
    number: int
    parent: int
    ground: int
    image: np.ndarray
    mask: np.ndarray
    contrast: float
    tries: int


def least_contrast(data: Dataset, rows: np.ndarray) -> float:
    """What 95 % of the labelled objects at ``rows`` exceed, in gray levels; 0 where none is."""
    assert data.masks is not None
    found = [contrast(data.images[row], data.masks[row]) for row in rows.tolist()]
    return float(np.quantile(found, _SEEN)) if found else 0.0


def make(
    data: Dataset,
    parents: np.ndarray,
    grounds: np.ndarray,
    *,
    each: int,
    surroundings: int,
    seed: int,
) -> Iterator[Made | None]:
    """``each`` composites of every one of ``parents`` on some of ``grounds`` (rows of ``data``).

    None for each that found no place, or whose object could not be seen in three tries.
    """
    least = least_contrast(data, parents)
    for parent in parents.tolist():
        for number in range(1, each + 1):
            yield _one(data, parent, number, grounds, surroundings, seed, least)


def _one(
    data: Dataset,
    parent: int,
    number: int,
    grounds: np.ndarray,
    surroundings: int,
    seed: int,
    least: float,
) -> Made | None:
    id, masks = f"{data.ids[parent]}~{number}", data.masks
    rng = seeds.rng(seed, "composite", id)
    assert masks is not None
    mask = masks[parent]
    assert mask is not None
    for attempt in range(1, _TRIES + 1):
        chosen = rng.choice(grounds, min(_GROUNDS, len(grounds)), replace=False).tolist()
        candidates = [(data.images[row], masks[row]) for row in chosen]
        found = composite(data.images[parent], mask, candidates, rng, surroundings=surroundings)
        if found is None:
            continue
        image, drawn, which = found
        seen = contrast(image, drawn)
        if seen >= least:
            return Made(
                id=id, number=number, parent=parent, ground=chosen[which], image=image,
                mask=drawn, contrast=seen, tries=attempt,
            )  # fmt: skip
    return None


def placebos(
    data: Dataset,
    outlines: np.ndarray,
    grounds: np.ndarray,
    *,
    count: int,
    surroundings: int,
    seed: int,
) -> list[np.ndarray]:
    """Unlabelled images into which a piece of another was put just as objects are: what tells them
    from untouched ones is the seam alone. ``outlines`` are rows whose masks say which piece."""
    assert data.masks is not None
    found = []
    for number in range(count):
        rng = seeds.rng(seed, "placebo", str(number))
        outline = data.masks[int(rng.choice(outlines))]
        piece, ground = rng.choice(grounds, 2, replace=False).tolist()
        assert outline is not None
        made = composite(
            data.images[piece], outline, [(data.images[ground], None)], rng,
            surroundings=surroundings,
        )  # fmt: skip
        if made is not None:
            found.append(made[0])
    return found
