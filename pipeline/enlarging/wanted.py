"""What is to be made of a class, and what was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.training.params import TrainParams

KEPT = "flow"  # a fit that was stopped, below the folder of what is resumed


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be made: so many of each original of ``classes``, from ``rows`` of ``data``, the
    real training originals of all classes. ``folder`` is where a fit may be kept, ``train`` says
    how images are moved, and how precisely and on how many threads is reckoned."""

    data: Dataset
    rows: np.ndarray
    classes: Mapping[str, int]
    seed: int
    folder: Path
    train: TrainParams
    device: str

    def of(self, label: str) -> np.ndarray:
        """The rows of a class."""
        mine: np.ndarray = self.rows[self.data.labels[self.rows] == label]
        return mine

    def masked(self, label: str) -> np.ndarray:
        """Those of a class whose mask says which pixels carry the label."""
        masks, mine = self.data.masks, self.of(label)
        if masks is None:
            return mine[:0]
        drawn = (masks[row] for row in mine.tolist())
        return mine[[one is not None and bool(one.any()) for one in drawn]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """One made image: its pixels uint8 (H, W, C), and its mask, None where nothing says which
    pixels carry the label.

    ``number`` counts the images of an original. ``parent`` is the row that it is learned from with
    (the original whose object it shows, or the one it is nearest to), ``ground`` that of the image
    underneath, where there is one.
    """

    id: str
    number: int
    parent: int
    ground: int | None
    image: np.ndarray
    mask: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class Produced:
    """What was made of a class, of so many that were ``asked`` for, from the originals ``parents``.

    ``seams`` are untouched images, rows, and placebos, where something was pasted; ``facts`` what
    the report says of the making besides.
    """

    label: str
    asked: int
    made: Sequence[Made]
    parents: np.ndarray
    seams: tuple[np.ndarray, Sequence[np.ndarray]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
