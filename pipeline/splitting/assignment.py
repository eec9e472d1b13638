"""Which split each source image goes to, by its class, its source and the role of that source."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.splitting.blocks import assign, needed
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.table import SPLITS, UNUSED

_SPLITS_OF_ROLE = {
    "any": ("train", "val", "test"),
    "train_only": ("train", "val"),
    "test_only": ("test",),
}


@dataclass(frozen=True, kw_only=True)
class Images:
    """The originals, in the order of their rows: arrays of str (n,).

    ``sources`` names the source of each image and ``roles`` what that source may be used for.
    ``true_labels`` decide the split, so that label noise moves nothing; ``labels`` are what the
    learner sees, and so what every split needs.
    """

    sources: np.ndarray
    roles: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """The images of one class from one source: a row order that only grows at its end."""

    source: str
    role: str
    label: str
    rows: np.ndarray

    def arguments(self, params: SplitParams) -> dict[str, Any]:
        """What :mod:`raresight.pipeline.splitting.blocks` needs to know of this stream."""
        ratios = _ratios(self.role, params)
        return {"ratios": ratios, "seed": params.seed, "stream": f"{self.source}/{self.label}"}


def split_images(images: Images, params: SplitParams) -> np.ndarray:
    """The split of every original, str (n,)."""
    splits = np.full(len(images.labels), "", "<U5")
    for stream in _streams(images):
        splits[stream.rows] = assign(len(stream.rows), **stream.arguments(params))
    return splits


def split_copies(
    source_ids: Sequence[str], split_of_source: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """The split of every copy, and the ids of sources that are not known.

    A copy of a training image is learned from; any other is ``unused``, since validation and test
    are originals alone.
    """
    found = [split_of_source.get(source) for source in source_ids]
    unknown = [source for source, split in zip(source_ids, found, strict=True) if split is None]
    return ["train" if split == "train" else UNUSED for split in found], unknown


def gaps(
    images: Images, splits: np.ndarray, classes: Sequence[str], params: SplitParams
) -> list[str]:
    """A sentence for each class and split without a single original; empty when there is none."""
    streams = list(_streams(images))
    counts = Counter(images.labels.tolist())
    there = set(zip(images.labels.tolist(), splits.tolist(), strict=True))
    found = [
        _gap(label, split, counts[label], streams, params)
        for label in classes
        for split in SPLITS
        if (label, split) not in there
    ]
    return list(dict.fromkeys(found))  # a class without an image is missing from every split


def _gap(
    label: str, split: str, count: int, streams: Sequence[_Stream], params: SplitParams
) -> str:
    if not count:
        return f"class '{label}' has no images at all: draw or add some, or leave the class out"
    fitting = [s for s in streams if s.label == label and split in _SPLITS_OF_ROLE[s.role]]
    start = f"class '{label}' (images: {count}) has none in {split}"
    if not fitting:
        roles = [role for role, reached in _SPLITS_OF_ROLE.items() if split in reached]
        return f"{start}: it needs images from a source with role {' or '.join(roles)}"
    enough = {s.source: needed(split, **s.arguments(params)) for s in fitting}
    source = min(enough, key=lambda name: enough[name])
    return f"{start}: with {enough[source]} images from source '{source}' it has"


def _streams(images: Images) -> Iterator[_Stream]:
    for source in np.unique(images.sources):
        here = images.sources == source
        for label in np.unique(images.true_labels[here]):
            rows = np.flatnonzero(here & (images.true_labels == label))
            role = str(images.roles[rows[0]])
            yield _Stream(source=str(source), role=role, label=str(label), rows=rows)


def _ratios(role: str, params: SplitParams) -> dict[str, float]:
    """The share of each split that a role reaches, in proportion to the ratios asked for."""
    shares = {split: getattr(params.ratios, split) for split in _SPLITS_OF_ROLE[role]}
    return {split: share / sum(shares.values()) for split, share in shares.items()}
