"""Which copies each shard holds, and the rows that are made of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.augmentation.class_specific import can_lose_label
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.augmentation.safety import Copy, Original, Policy, make_copy, violations
from raresight.pipeline.core.inputs import read_mapping, understood
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import COLUMNS, FACTOR, Description, Rows
from raresight.pipeline.runtime.errors import DataError

_MASK = "mask"
_JUDGED = 200  # originals that each spatial transform is judged on


@dataclass(frozen=True, kw_only=True)
class ShardCopies:
    """The copies of one shard: of ``rows`` (n,), which are originals of one class and one source.

    The copies of all rows are numbered through, original by original, and this shard holds those
    from ``start`` to ``stop``; so more originals only add copies at the end.
    """

    rows: np.ndarray
    label: str
    copies: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class CopyCounts:
    """How many copies were asked for and made, and how often the label was lost on the way.

    ``unchecked`` are those that may have lost it unseen: pixels could be lost, and nobody knows
    which of them carry the label.
    """

    asked: int = 0
    made: int = 0
    redrawn: int = 0
    dropped: int = 0
    unchecked: int = 0

    def __add__(self, other: "CopyCounts") -> "CopyCounts":
        mine, theirs = asdict(self), asdict(other)
        return CopyCounts(**{name: mine[name] + theirs[name] for name in mine})


def copied_columns(description: Description) -> tuple[str, ...]:
    """What copies carry of the optional columns: what speaks of no places in the image, and masks,
    which are moved with it."""
    return tuple(
        name for name in description.columns if name == _MASK or not COLUMNS[name].kind.of_pixels
    )


def plan_copies(params: AugmentParams, originals: Dataset, *, size: int) -> list[ShardCopies]:
    """Cut the copies of every class and source into shards of ``size`` copies."""
    return [
        ShardCopies(
            rows=rows[start // copies : (stop - 1) // copies + 1],
            label=label,
            copies=copies,
            start=start % copies,
            stop=start % copies + stop - start,
        )
        for label, copies, rows in _to_copy(params, originals)
        for start in range(0, len(rows) * copies, size)
        for stop in [min(start + size, len(rows) * copies)]
    ]


def _to_copy(params: AugmentParams, originals: Dataset) -> Iterator[tuple[str, int, np.ndarray]]:
    """Class, copies and rows of each source's originals that are to be copied."""
    for source in originals.description.sources:
        if "train" not in originals.description.splits_of(source["name"]):
            continue  # only copies of training sources are ever learned from
        here = originals.source_names == source["name"]
        for label, copies in sorted(params.copies.items()):
            rows = np.flatnonzero(here & (originals.labels == label))
            if copies and len(rows):
                yield label, copies, rows


def make_rows(
    shard: ShardCopies, originals: Dataset, params: AugmentParams
) -> tuple[Rows | None, CopyCounts]:
    """The rows of one shard, None where every copy was dropped, and what became of them."""
    images = np.empty((len(shard), *originals.image_shape), np.uint8)
    masks: list[bytes | None] = []
    kept: list[tuple[int, int]] = []  # row of the original and variant
    redraws = unchecked = 0
    can_lose = can_lose_label(params)
    for row, variant, copy in _copies(shard, originals, params):
        redraws += copy.redraws
        if copy.image is not None:
            images[len(kept)] = copy.image
            masks.append(_mask(copy, originals, row))
            kept.append((row, variant))
            unchecked += can_lose and copy.mask is None
    made = len(kept)
    counts = CopyCounts(
        asked=len(shard),
        made=made,
        redrawn=redraws,
        dropped=len(shard) - made,
        unchecked=unchecked,
    )
    if not kept:
        return None, counts
    return _rows_of(originals, kept, images[:made], masks), counts


def _copies(
    shard: ShardCopies, originals: Dataset, params: AugmentParams
) -> Iterator[tuple[int, int, Copy]]:
    """Row of the original, variant and pixels of every copy of a shard."""
    policy = Policy.of(params)
    rows = shard.rows.tolist()
    for which, (row, id) in enumerate(zip(rows, originals.column("id", rows), strict=True)):
        original = original_of(originals, row, id)
        first = which * shard.copies  # the number of this original's first copy
        for k in range(max(0, shard.start - first), min(shard.copies, shard.stop - first)):
            yield row, k + 1, make_copy(original, k + 1, policy=policy)


def original_of(originals: Dataset, row: int, id: str) -> Original:
    """The image of a row, with its mask where there is one, as copies are made of it."""
    return Original.of(id, originals.images[row], _mask_of(originals, row))


def _mask_of(originals: Dataset, row: int) -> np.ndarray | None:
    return None if originals.masks is None else originals.masks[row]


def _mask(copy: Copy, originals: Dataset, row: int) -> bytes | None:
    """That of a copy; where no pixel could move, the original's, which is empty or unknown."""
    mask = _mask_of(originals, row) if copy.mask is None else copy.mask
    kept: bytes | None = COLUMNS[_MASK].kind.kept(mask, originals.image_shape)
    return kept


def _rows_of(
    originals: Dataset,
    kept: Sequence[tuple[int, int]],
    images: np.ndarray,
    masks: Sequence[bytes | None],
) -> Rows:
    rows, variants = (list(column) for column in zip(*kept, strict=True))
    source_ids = originals.column("id", rows)
    return Rows(
        ids=[f"{source}+{k}" for source, k in zip(source_ids, variants, strict=True)],
        source_ids=source_ids,
        groups=originals.column("group", rows),
        origin=originals.column("origin", rows[:1])[0],
        labels=originals.column("label", rows),
        true_labels=originals.column("true_label", rows),
        variants=variants,
        images=images,
        columns={
            name: masks if name == _MASK else originals.column(name, rows)
            for name in copied_columns(originals.description)
        },
        factors={
            name: originals.column(f"{FACTOR}{name}", rows)
            for name in originals.description.factors
        },
    )


def read_recipe(folder: Path) -> AugmentParams:
    """The recipe that the copies in ``folder`` were made by, as the augment stage reported it."""
    place = folder / "report.json"
    found = read_mapping(place)
    if "recipe" not in found:
        raise DataError(
            f"{place} names no recipe: an earlier version made these copies. "
            "Run `raresight augment` again."
        )
    with understood(str(place), "Run `raresight augment` again."):
        return AugmentParams.model_validate(found["recipe"])


def report_copies(
    params: AugmentParams, originals: Dataset, counts: Sequence[tuple[str, CopyCounts]]
) -> Mapping[str, Any]:
    """What became of the copies of each class, and how often each spatial step loses a label.

    ``counts`` has the class and the counts of every shard.
    """
    by_class = dict.fromkeys(params.copies, CopyCounts())
    for label, found in counts:
        by_class[label] += found
    judged = list(islice(_with_label(params, originals), _JUDGED))
    lost = violations(
        params.spatial, judged, min_label_share=params.min_label_share, seed=params.seed
    )
    return {
        "recipe": params.model_dump(mode="json"),
        "copies": {label: asdict(found) for label, found in by_class.items()},
        "violations": {name: _loss_rate(below, len(judged)) for name, below in lost.items()},
    }


def unmasked_sources(params: AugmentParams, originals: Dataset) -> list[str]:
    """The sources with copies that may lose their label unseen, as they know no mask at all."""
    if not can_lose_label(params):
        return []
    copied = {str(originals.source_names[rows[0]]) for _, _, rows in _to_copy(params, originals)}
    known = set(originals.source_names[originals.has_mask].tolist())
    return sorted(copied - known)


def _loss_rate(below: int, judged: int) -> dict[str, float | None]:
    return {"originals": judged, "below": below, "rate": below / judged if judged else None}


def _with_label(params: AugmentParams, originals: Dataset) -> Iterator[Original]:
    """The originals to be copied whose label's pixels are known, in order."""
    for _, _, rows in _to_copy(params, originals):
        for row in rows.tolist():
            original = original_of(originals, row, str(originals.ids[row]))
            if original.numbers is not None:
                yield original
