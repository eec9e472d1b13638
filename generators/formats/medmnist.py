"""MedMNIST's files: arrays of images, labels and splits in one .npz."""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np
import pyarrow as pa

from raresight.generators.base import BadImages
from raresight.generators.formats.archive import Archive, ArchiveOptions, Held
from raresight.generators.real.contents import Content

SPLITS = ("train", "val", "test")
_BLOCK = 64  # images that are read together
_lock = Lock()


class MedMNISTOptions(ArchiveOptions):
    """Where the .npz is, and what its labels, numbers from 0, are called.

    ``columns: {label: {column: label, classes: {'0': normal, '1': pneumonia}}}`` names them;
    ``at_least`` makes two classes of grades. ``columns: {split: null}`` leaves its splits to the
    factors.
    """


class MedMNIST(Archive):
    """All images of ``train_images``, ``val_images`` and ``test_images``, in their splits."""

    summary = "real images of MedMNIST and others that keep them in a .npz"
    options = MedMNISTOptions
    noun = "file"

    def _open(self, path: Path) -> Held:
        try:
            with zipfile.ZipFile(path) as archive:
                there = {name.removesuffix(".npy") for name in archive.namelist()}
        except (zipfile.BadZipFile, IsADirectoryError):
            raise BadImages(f"{self.place} is no .npz.") from None
        splits = [split for split in SPLITS if {f"{split}_images", f"{split}_labels"} <= there]
        if not splits:
            raise BadImages(
                f"{self.place} has no train_images with train_labels (nor val, nor test), as files "
                f"of MedMNIST do. It has: {', '.join(sorted(there)) or 'nothing'}."
            )
        labels, names, contents = [], [], []
        for split in splits:
            numbers = self._labels(path, split)
            labels += numbers.tolist()
            names += [split] * len(numbers)
            contents += [
                Item(path=str(path), array=f"{split}_images", number=k) for k in range(len(numbers))
            ]
        files = [f"{item.array}/{item.number}" for item in contents]
        own = self.config.columns
        columns = {own.file: files, "label": labels, own.split or "split": names}
        return Held(table=pa.table(columns), contents=contents)

    def _labels(self, path: Path, split: str) -> np.ndarray:
        """The label of every image of a split, int (n,)."""
        with np.load(path) as arrays:
            labels = arrays[f"{split}_labels"]
        with _lock:
            shape = _opened(str(path), f"{split}_images").shape
        if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3):
            raise BadImages(
                f"{self.place}: {split}_images is {shape}; (n, height, width) of gray or "
                "(n, height, width, 3) of color can be read, no volumes."
            )
        if len(labels) != shape[0] or labels.size != len(labels):
            raise BadImages(
                f"{self.place}: {split}_labels is {labels.shape}; one label for each of the "
                f"{shape[0]} images can be learned."
            )
        return labels.reshape(-1)


@dataclass(frozen=True, kw_only=True)
class Item(Content):
    """One of the images of an array in a .npz."""

    path: str
    array: str
    number: int

    def read(self) -> np.ndarray:
        block, within = divmod(self.number, _BLOCK)
        with _lock:
            return _block(self.path, self.array, block)[within]

    @property
    def name(self) -> str:
        return f"{self.path}/{self.array}/{self.number}"


class _Stream:
    """An array in a .npz, of which rows are read without the rest of it; forward is cheap."""

    def __init__(self, path: str, array: str):
        # It stays open as long as this process reads from it.
        self._file: IO[bytes] = zipfile.ZipFile(path).open(f"{array}.npy")  # noqa: SIM115
        version = np.lib.format.read_magic(self._file)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        self.shape, fortran, self._dtype = read(self._file)
        if fortran or self._dtype.hasobject:
            raise BadImages(f"{path}: {array} is no plain array in C order.")
        self._start = self._file.tell()
        self._row = int(np.prod(self.shape[1:])) * self._dtype.itemsize

    def rows(self, start: int, stop: int) -> np.ndarray:
        stop = min(stop, self.shape[0])
        self._file.seek(self._start + start * self._row)
        content = self._file.read((stop - start) * self._row)
        return np.frombuffer(content, self._dtype).reshape(stop - start, *self.shape[1:])


@lru_cache(maxsize=3)
def _opened(path: str, array: str) -> _Stream:
    return _Stream(path, array)


@lru_cache(maxsize=8)
def _block(path: str, array: str, number: int) -> np.ndarray:
    """Threads ask for neighbors in any order: the last blocks are kept, so that none is read
    again, and nothing before it."""
    return _opened(path, array).rows(number * _BLOCK, (number + 1) * _BLOCK)
