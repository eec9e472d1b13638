"""What a training learns from and is judged on: the images of the stages before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import MANIFEST, sha256
from raresight.pipeline.core.inputs import read_mapping
from raresight.pipeline.dataset.pixels import Pixels, at_once
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import DESCRIPTION
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.splitting.table import Splits, read_splits
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.data.order import Sources, shares_of
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.sources import check_sources, in_first_phase
from raresight.pipeline.training.start import normalization

_COUNTED_AT_ONCE = 256  # images, whose pixels take eight times their bytes meanwhile


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What is learned from and judged on, where the arithmetic is done."""

    train: Feed
    val: Feed
    pretrain: Feed | None  # what the first phase learns from, where there is one
    classes: tuple[str, ...]
    positive: str | None
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: torch.device
    readings: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class TrainingImages:
    """The originals, their copies and the split of each, of which any training takes its part.

    ``enlarged`` are images made from training originals (None: there are none), which follow them
    as copies do; only the first ``made_each`` of every original (None: all). ``left_out`` are the
    ids of training originals that nothing is learned from.
    """

    originals: Dataset
    copies: Dataset
    splits: Splits
    enlarged: Dataset | None = None
    made_each: int | None = None
    left_out: Sequence[str] = ()

    def rows(self, split: str) -> np.ndarray:
        """The originals' rows of a split, ascending, without those that are left out of train."""
        rows = self.splits.rows(self.originals, split)
        if split != "train" or not self.left_out:
            return rows
        return rows[~np.isin(self.originals.ids[rows], list(self.left_out))]

    @cached_property
    def groups(self) -> np.ndarray:
        """What every original belongs to, str (n,)."""
        return self.splits.groups(self.originals)

    @property
    def _derived(self) -> list[Dataset]:
        """What follows originals, in the order in which it is counted on from them."""
        return [self.copies, *([] if self.enlarged is None else [self.enlarged])]

    @cached_property
    def _parents(self) -> pa.Array:
        """The id of the original that each derived image follows."""
        chunks = [chunk for one in self._derived for chunk in one.arrow("source_id").chunks]
        return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())

    @cached_property
    def _targets(self) -> np.ndarray:
        return np.concatenate((self.originals.targets, *(one.targets for one in self._derived)))

    def _sources(self, params: TrainParams, rows: np.ndarray) -> Sources | None:
        """What ``source_weights`` say of ``rows`` of originals and, after them, copies."""
        if params.source_weights is None:
            return None
        originals = self.originals
        names = pa.array(originals.ids, pa.string())
        of_copies = pc.index_in(self._parents, value_set=names).to_numpy(False)
        every = np.concatenate((np.arange(len(originals)), of_copies))
        return shares_of(originals.source_names[every[rows]], params.source_weights)

    def _with_copies(self, rows: np.ndarray) -> np.ndarray:
        """``rows`` of the originals and, counted on from those, their copies'."""
        names = pa.array(self.originals.ids[rows], pa.string())
        copied: np.ndarray = pc.is_in(self._parents, value_set=names).to_numpy(False)
        if self.enlarged is not None and self.made_each is not None:
            copied = copied.copy()
            copied[len(self.copies) :] &= self.enlarged.variants <= self.made_each
        return np.concatenate((rows, np.flatnonzero(copied) + len(self.originals)))

    def _feed(
        self, pixels: Pixels, rows: np.ndarray, device: torch.device, sources: Sources | None = None
    ) -> Feed:
        return Feed(pixels, rows, self._targets[rows], device, sources=sources)

    def judged(self, params: TrainParams) -> tuple[np.ndarray, np.ndarray]:
        """The rows of validation that every epoch is judged on, ascending, and for how many images
        each of them stands: with ``validation.max_per_class`` a random part of a class for all."""
        rows, most = self.rows("val"), params.validation.max_per_class
        targets, rng = self.originals.targets[rows], seeds.rng(params.seed, "validation", "")
        counts = np.bincount(targets)
        kept = counts if most is None else np.minimum(counts, most)
        parts = [
            rng.permutation(np.flatnonzero(targets == label))[:count]
            for label, count in enumerate(kept)
        ]
        chosen = np.sort(np.concatenate(parts))
        return rows[chosen], (counts / np.maximum(kept, 1))[targets[chosen]]

    def inputs(
        self,
        params: TrainParams,
        learned: np.ndarray,
        device: torch.device,
        *,
        judged: np.ndarray | None = None,
    ) -> Inputs:
        """Inputs that learn from the rows ``learned`` of the originals and from their copies, and
        are judged on all the originals ``judged`` or, without any, as :meth:`judged` says.

        Images of a first phase take part in nothing else: not in the mean and deviation either.
        """
        originals = self.originals
        first = in_first_phase(params, originals.source_names[learned])
        early, learned = learned[first], learned[~first]
        rows = self._with_copies(learned)
        derived = [shard for one in self._derived for shard in one.images.shards]
        shards = [*originals.images.shards, *derived]
        pixels = Pixels(shards, originals.image_shape, mapped=True)
        mean, std = normalization(params) or _pixel_statistics(originals, learned)
        val, weights = self.judged(params) if judged is None else (judged, None)
        return Inputs(
            train=self._feed(pixels, rows, device, self._sources(params, rows)),
            pretrain=self._feed(pixels, self._with_copies(early), device) if len(early) else None,
            val=Feed(originals.images, val, originals.targets[val], device, weights=weights),
            classes=originals.classes,
            positive=originals.positive,
            image_shape=originals.image_shape,
            mean=mean,
            std=std,
            device=device,
            readings=originals.description.readings,
        )


def _enlarged(data: Path) -> Dataset | None:
    """What the enlarge stage made; DataError where that was for other splits."""
    folder = data / "enlarged"
    if not (folder / DESCRIPTION).is_file():
        return None
    found = Dataset(folder)
    made_for = read_mapping(folder / "report.json").get("splits")
    if len(found) and made_for != sha256(data / "splits" / MANIFEST):
        raise DataError(
            f"{folder} was made for other splits than those in {data / 'splits'}: what it was made "
            "from may be in validation or test now. Run `raresight enlarge` again."
        )
    return found


def open_images(
    params_file: Path,
    params: TrainParams,
    data: Path,
    *,
    left_out: Sequence[str] = (),
    enlarged: bool = True,
) -> TrainingImages:
    """Everything that training reads from ``data``, without training images ``left_out`` by id, and
    without those that ``enlarge`` made unless ``enlarged`` is set.

    Raises DataError when a split leaves nothing, ParamsError when a param does not fit the images.
    """
    images = TrainingImages(
        originals=Dataset(data / "generated"),
        copies=Dataset(data / "augmented"),
        splits=read_splits(data / "splits"),
        enlarged=_enlarged(data) if enlarged else None,
        left_out=left_out,
    )
    shape = images.originals.image_shape
    if params.batch_augment.shift >= min(shape[:2]):
        raise ParamsError(
            f"{params_file}: train.batch_augment.shift: must be less than the image's side, "
            f"{min(shape[:2])}. Got {params.batch_augment.shift}."
        )
    if params.batch_augment.rotate90 and shape[0] != shape[1]:
        raise ParamsError(
            f"{params_file}: train.batch_augment.rotate90: the images are {shape[0]} x {shape[1]} "
            "pixels, and only square ones can be turned by a quarter. `rotation: 180` turns them "
            "by any angle."
        )
    learned, judged = len(images.rows("train")), len(images.rows("val"))
    if learned < 2 or not judged:
        raise DataError(
            f"data/splits leaves {learned} images for train and {judged} for val; 2 and 1 are "
            "the least. Draw more (generate), or change split.ratios."
        )
    check_sources(params_file, params, images.originals, images.rows("train"))
    labels, every = images.originals.labels, images.splits.rows(images.originals, "train")
    if gone := sorted({*labels[every].tolist()} - {*labels[images.rows("train")].tolist()}):
        raise DataError(
            f"data/cleaning leaves no training image of {', '.join(gone)}. Write "
            "`clean.labels: advise` and `clean.outliers: advise`, or keep some by clean.decisions."
        )
    return images


def open_inputs(
    params_file: Path,
    params: TrainParams,
    data: Path,
    device: torch.device,
    *,
    left_out: Sequence[str] = (),
) -> Inputs:
    """The inputs of a training on train that is judged on val; raises as :func:`open_images`."""
    images = open_images(params_file, params, data, left_out=left_out)
    return images.inputs(params, images.rows("train"), device)


def _pixel_statistics(
    data: Dataset, rows: np.ndarray, limit: int = 4096
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel over (at most ``limit`` evenly spaced) training images."""
    chosen = rows[:: max(1, len(rows) // limit)][:limit]
    levels, channels = np.arange(256), data.image_shape[2]
    counts = np.zeros((channels, 256), np.int64)
    size = at_once(_COUNTED_AT_ONCE, data.image_shape)
    for start in range(0, len(chosen), size):
        pixels = data.images.take(chosen[start : start + size]).reshape(-1, channels)
        counts += [np.bincount(channel, minlength=256) for channel in pixels.T]
    number = counts[0].sum()
    mean = counts @ levels / number
    std = np.sqrt(counts @ levels**2 / number - mean**2)
    return tuple(mean.tolist()), tuple(np.maximum(std, 1.0).tolist())
