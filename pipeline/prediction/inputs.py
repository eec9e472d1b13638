"""What is to be predicted: folders, files, tables, datasets and lists, as images in chunks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from raresight.generators.image_file import Reading, named_as_image, natural
from raresight.pipeline.core.parallel import shards_under_way
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.unlike import pixel_statistics
from raresight.pipeline.prediction.listed import is_table, joined, read_listed
from raresight.pipeline.prediction.places import place_of
from raresight.pipeline.prediction.reading import Chunk, Images, read_chunk, rows_per_chunk
from raresight.pipeline.prediction.stored import open_at
from raresight.pipeline.runtime.errors import DataError, InputMissing, listing

_AHEAD = 4  # chunks that each worker may have read before the model is there


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Datasets, and files in the order in which they were named (those of a folder by name).

    ``found`` are files that a folder has, that nobody named, and that are not named as images are.
    ``told`` is what tables know of files: by column (id, label, group), the values by file.
    """

    files: Sequence[str]
    datasets: Sequence[Dataset]
    found: frozenset[str] = frozenset()
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def labelled(self) -> bool:
        """Whether labels or groups are known of some images."""
        return bool(self.datasets) or not self.told.keys().isdisjoint(("label", "group"))

    def __len__(self) -> int:
        return len(self.files) + sum(map(len, self.datasets))


def find_inputs(names: Sequence[str], image_shape: tuple[int, int, int]) -> Inputs:
    """What the ``names`` of files, folders, tables and datasets stand for.

    Raises InputMissing with every name that is not there, DataError where there is no image, or a
    dataset's are of another shape than ``image_shape``.
    """
    places = [place_of(name) for name in names]
    if missing := [place.name for place in places if place.kind is None]:
        raise InputMissing(f"there is no such file or folder:\n{listing(missing)}")
    files: list[str] = []
    found: set[str] = set()
    datasets, listed = [], []
    for place in places:
        if place.kind == "dataset":
            datasets.append(_dataset(place.name, image_shape))
        elif place.kind == "folder":
            here = sorted(place.files(), key=lambda file: natural(Path(file)))
            files += here
            found.update(file for file in here if not named_as_image(Path(file)))
        elif is_table(Path(place.name)):
            listed.append(read_listed(place.name))
            files += listed[-1].files
        else:
            files.append(place.name)
    told = joined(listed)
    inputs = Inputs(files=files, datasets=datasets, found=frozenset(found), told=told)
    if not len(inputs):
        raise DataError(f"there is no image in {', '.join(names) or 'an empty list'}.")
    return inputs


def _dataset(folder: str, image_shape: tuple[int, int, int]) -> Dataset:
    dataset = open_at(folder)
    if dataset.image_shape != image_shape:
        has, takes = (" x ".join(map(str, shape)) for shape in (dataset.image_shape, image_shape))
        raise DataError(f"{folder} holds images of {has}, but the model takes {takes}.")
    return dataset


@contextmanager
def images_under_way(
    inputs: Inputs,
    shape: tuple[int, int],
    reading: Reading,
    *,
    workers: int | None,
    executor: str,
) -> Iterator[Iterator[Images]]:
    """All images in chunks, in the order of the inputs, and the same for any number of workers.

    Several workers read from when the block is entered. An id is there once: the second file of
    the same content gets ``-2``.
    """
    size = rows_per_chunk(shape)
    chunks = [
        Chunk(
            files=inputs.files[at : at + size],
            shape=shape,
            reading=reading,
            found=inputs.found.intersection(inputs.files[at : at + size]),
        )
        for at in range(0, len(inputs.files), size)
    ]
    with shards_under_way(
        read_chunk, chunks, workers=workers, executor=executor, ahead=_AHEAD
    ) as read:
        yield _each_once(inputs, read, size)


def _each_once(inputs: Inputs, read: Iterable[Images], size: int) -> Iterator[Images]:
    seen: dict[str, int] = {}
    for images in read:
        images = _with(images, inputs.told)
        yield replace(images, ids=_once(images.ids, seen))
    for dataset in inputs.datasets:
        for at in range(0, len(dataset), size):
            images = _rows(dataset, np.arange(at, min(at + size, len(dataset))))
            yield replace(images, ids=_once(images.ids, seen))
        dataset.images.release()


def some_images(inputs: Inputs, shape: tuple[int, int], reading: Reading, most: int) -> np.ndarray:
    """At most so many of the images, spread evenly: uint8 (n, H, W, C); unreadable ones left out.

    DataError where none can be read.
    """
    chosen = np.linspace(0, len(inputs) - 1, min(len(inputs), most)).astype(int)
    files = [inputs.files[k] for k in chosen if k < len(inputs.files)]
    parts = [read_chunk(Chunk(files=files, shape=shape, reading=reading)).pixels]
    start = len(inputs.files)
    for dataset in inputs.datasets:
        rows = chosen[(chosen >= start) & (chosen < start + len(dataset))] - start
        parts.append(dataset.images[rows])
        start += len(dataset)
    found = np.concatenate(parts)
    if not len(found):
        raise DataError(f"none of the {len(files)} images can be read.")
    return found


def _rows(dataset: Dataset, rows: np.ndarray) -> Images:
    pixels = dataset.images[rows]
    return Images(
        files=[dataset.name] * len(rows),
        ids=dataset.ids[rows].tolist(),
        pixels=pixels,
        statistics=pixel_statistics(pixels),
        labels=dataset.labels[rows].tolist(),
        groups=dataset.groups[rows].tolist(),
    )


def _with(images: Images, told: Mapping[str, Mapping[str, str]]) -> Images:
    """The images with what tables know of them."""
    if not told:
        return images

    def known(name: str) -> list[str | None] | None:
        return [told[name].get(file) for file in images.files] if name in told else None

    ids = told.get("id", {})
    here = [ids.get(file, own) for file, own in zip(images.files, images.ids, strict=True)]
    return replace(images, ids=here, labels=known("label"), groups=known("group"))


def _once(ids: Sequence[str], seen: dict[str, int]) -> list[str]:
    unique = []
    for one in ids:
        seen[one] = number = seen.get(one, 0) + 1
        unique.append(one if number == 1 else f"{one}-{number}")
    return unique
