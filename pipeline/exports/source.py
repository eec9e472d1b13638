"""What is exported: the images of each split, row by row, with all that is known of them."""

import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import FACTOR, SPLITS
from raresight.pipeline.runtime.progress import track
from raresight.pipeline.splitting.table import Splits

_ROWS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """An image, uint8 (H, W, C), and what is known of it.

    ``png`` and ``mask_png`` are image and mask (black and white) as files. ``target`` is the place
    of the ``label`` among the classes. ``mask`` uint8 (H, W), ``instances`` uint16 (H, W) and
    ``boxes`` float32 (objects, 4) are None where they are unknown; ``factors`` holds a float or a
    string for each factor, None where it is unknown.
    """

    id: str
    source_id: str
    group: str
    origin: str
    label: str
    target: int
    image: np.ndarray
    png: bytes
    mask: np.ndarray | None
    mask_png: bytes | None
    instances: np.ndarray | None
    boxes: np.ndarray | None
    factors: Mapping[str, float | str | None]

    def facts(self) -> dict[str, Any]:
        """What is known besides the pixels, as JSON has it; factors under their names."""
        own = {name: getattr(self, name) for name in ("id", "source_id", "group", "origin")}
        return own | {"label": self.label} | {f"{FACTOR}{k}": v for k, v in self.factors.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """The originals, with ``copies`` those that train learns from, and their splits."""

    originals: Dataset
    copies: Dataset | None
    splits: Splits

    @property
    def classes(self) -> tuple[str, ...]:
        return self.originals.classes

    @cached_property
    def places(self) -> Mapping[str, Sequence[tuple[Dataset, np.ndarray]]]:
        """The datasets of each split that has images, with the row numbers."""
        sets = [self.originals] if self.copies is None else [self.originals, self.copies]
        found = {
            split: [(dataset, self.splits.rows(dataset, split)) for dataset in sets]
            for split in SPLITS
        }
        return {
            split: [(dataset, rows) for dataset, rows in parts if len(rows)]
            for split, parts in found.items()
            if any(len(rows) for _, rows in parts)
        }

    def images(self, split: str) -> int:
        """How many images a split has."""
        return sum(len(rows) for _, rows in self.places.get(split, ()))

    def counts(self, *, copies: bool = True) -> dict[str, dict[str, int]]:
        """The images of each class by split, with the copies or without."""
        sets = [self.originals, *([self.copies] if copies and self.copies is not None else [])]
        found = {}
        for split, parts in self.places.items():
            labels = [dataset.labels[rows] for dataset, rows in parts if dataset in sets]
            found[split] = {
                label: sum(int((one == label).sum()) for one in labels) for label in self.classes
            }
        return found

    def rows(self, split: str) -> Iterator[Row]:
        """The images of a split in the order of the dataset, copies behind the originals."""
        parts = self.places.get(split, ())
        found = (row for dataset, rows in parts for row in _rows(dataset, rows))
        return iter(
            track(found, total=self.images(split), description="export", images=lambda _: 1)
        )


def _rows(dataset: Dataset, rows: np.ndarray) -> Iterator[Row]:
    """``rows`` (n,) of a dataset, some hundred at a time: their files are made in threads."""
    names = list(dataset.description.factors)
    with ThreadPoolExecutor() as pool:  # encoding lets other threads run
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            chosen = rows[start : start + _ROWS_AT_ONCE]
            columns = {name: dataset.column(f"{FACTOR}{name}", chosen) for name in names}
            images = [dataset.images[row] for row in chosen.tolist()]
            masks = [_at(dataset.masks, row) for row in chosen.tolist()]
            files, mask_files = pool.map(_png, images), pool.map(_mask_png, masks)
            for place, row in enumerate(chosen.tolist()):
                yield Row(
                    id=str(dataset.ids[row]),
                    source_id=str(dataset.source_ids[row]),
                    group=str(dataset.groups[row]),
                    origin=str(dataset.origins[row]),
                    label=str(dataset.labels[row]),
                    target=int(dataset.targets[row]),
                    image=images[place],
                    png=next(files),
                    mask=masks[place],
                    mask_png=next(mask_files),
                    instances=_at(dataset.instances, row),
                    boxes=_at(dataset.boxes, row),
                    factors={name: _plain(columns[name][place]) for name in names},
                )


def _at(values: Any, row: int) -> np.ndarray | None:
    found: np.ndarray | None = None if values is None else values[row]
    return found


def _plain(value: float | str | None) -> float | str | None:
    """NaN is what JSON does not have: unknown, as None is."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _png(pixels: np.ndarray) -> bytes:
    """Pixels, uint8 (H, W) or (H, W, 3), as a PNG file; the same bytes each time."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def _mask_png(mask: np.ndarray | None) -> bytes | None:
    """A mask, uint8 (H, W) of 0 and 1, as a PNG file of black and white."""
    return None if mask is None else _png(mask * np.uint8(255))
