"""Which composites are made, and which are kept: those that still show their label."""

from collections.abc import Iterator

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.composites import composite, contrast
from raresight.pipeline.enlarging.wanted import Made, Produced, Wanted
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.runtime.progress import track

TRIES = 3  # to make an image that shows its label
_GROUNDS, _SEEN = 4, 0.05  # the quantile of the real ones' contrast that is the least
_PLACEBOS = 500


def composites(wanted: Wanted, *, surroundings: int) -> Iterator[Produced]:
    """Composites of each class, and placebos; DataError where no mask says what to cut out."""
    data, how = wanted.data, {"surroundings": surroundings, "seed": wanted.seed}
    for label, each in wanted.classes.items():
        parents = _parents(wanted, label)
        grounds = wanted.rows[data.labels[wanted.rows] != label]
        if len(grounds) < 2:
            raise DataError(f"{data.folder}: '{label}' needs images of another class as ground")
        found, total = make(data, parents, grounds, each=each, **how), len(parents) * each
        shown = track(found, total=total, description="enlarge", images=lambda _: 1)
        few = min(_PLACEBOS, len(grounds))
        yield Produced(
            label=label,
            asked=total,
            made=[one for one in shown if one is not None],
            parents=parents,
            seams=(grounds, placebos(data, parents, grounds, count=few, **how)),
        )


def _parents(wanted: Wanted, label: str) -> np.ndarray:
    """The training originals of a class whose object can be cut out."""
    found = wanted.masked(label)
    if not len(found):
        raise DataError(
            f"enlarge.method 'composites' cuts out the pixels that carry '{label}', and no mask "
            f"in {wanted.data.folder} says which these are. `augment.copies` and `enlarge.method: "
            "{name: flow}` need none, and images that were made elsewhere are a source of generate "
            "with `origin: generated`."
        )
    return found


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
    for _ in range(TRIES):
        chosen = rng.choice(grounds, min(_GROUNDS, len(grounds)), replace=False).tolist()
        candidates = [(data.images[row], masks[row]) for row in chosen]
        found = composite(data.images[parent], mask, candidates, rng, surroundings=surroundings)
        if found is None:
            continue
        image, drawn, which = found
        if contrast(image, drawn) >= least:
            return Made(
                id=id, number=number, parent=parent, ground=chosen[which], image=image, mask=drawn
            )
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
