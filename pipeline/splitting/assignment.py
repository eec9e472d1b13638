"""Which split each source image goes to, by its class and source, or by its group.

Images that belong to a group go where the group goes. All others are assigned one by one, in blocks
of their class and source that have the ratios exactly.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from raresight.pipeline.splitting.blocks import assign, needed
from raresight.pipeline.splitting.groups import ALONE, split_of_group
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
    learner sees, and so what every split needs. ``groups`` are those of
    :func:`raresight.pipeline.splitting.groups.named_groups`.
    """

    sources: np.ndarray
    roles: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    groups: np.ndarray


class _Arguments(TypedDict):
    ratios: Mapping[str, float]
    seed: int
    stream: str


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """Images of one class from one source that belong to no group, in an order that only grows at
    its end."""

    source: str
    role: str
    label: str
    rows: np.ndarray

    def arguments(self, params: SplitParams) -> _Arguments:
        """What :mod:`raresight.pipeline.splitting.blocks` needs to know of this stream."""
        ratios = _ratios(_SPLITS_OF_ROLE[self.role], params)
        return {"ratios": ratios, "seed": params.seed, "stream": f"{self.source}/{self.label}"}


@dataclass(frozen=True, kw_only=True)
class _Group:
    """The images of one group, and the splits that the roles of all their sources reach."""

    name: str
    rows: np.ndarray
    splits: tuple[str, ...]


def split_images(images: Images, params: SplitParams) -> np.ndarray:
    """The split of every original, str (n,); none of its groups may be among :func:`torn`."""
    splits = np.full(len(images.labels), "", "<U5")
    for stream in _streams(images):
        splits[stream.rows] = assign(len(stream.rows), **stream.arguments(params))
    for group in _groups(images):
        ratios = _ratios(group.splits, params)
        splits[group.rows] = split_of_group(group.name, ratios=ratios, seed=params.seed)
    return splits


def split_copies(of_sources: np.ndarray) -> np.ndarray:
    """The split of every copy, str (n,), from that of its source.

    A copy of a training image is learned from; any other is ``unused``, since validation and test
    are originals alone.
    """
    return np.where(of_sources == "train", "train", UNUSED)


def torn(images: Images) -> list[str]:
    """A sentence for each group that no split can hold, by the roles of its images' sources."""
    return [
        f"group '{group.name}' has images of " + " and of ".join(_sources_with_roles(images, group))
        for group in _groups(images)
        if not group.splits
    ]


def _sources_with_roles(images: Images, group: _Group) -> list[str]:
    pairs = zip(images.sources[group.rows].tolist(), images.roles[group.rows].tolist(), strict=True)
    return [f"source '{source}' (role {role})" for source, role in sorted(set(pairs))]


def gaps(
    images: Images, splits: np.ndarray, classes: Sequence[str], params: SplitParams
) -> list[str]:
    """A sentence for each class and split without a single original; empty when there is none."""
    there = set(zip(images.labels.tolist(), splits.tolist(), strict=True))
    pairs = [(label, split) for label in classes for split in SPLITS]
    missing = [pair for pair in pairs if pair not in there]
    if not missing:
        return []
    streams, groups, counts = list(_streams(images)), list(_groups(images)), Counter(images.labels)
    found = []
    for label, split in missing:
        here = [group for group in groups if label in images.labels[group.rows]]
        found.append(_gap(label, split, counts[label], streams, here, params))
    return list(dict.fromkeys(found))  # a class without an image is missing from every split


def _gap(
    label: str,
    split: str,
    count: int,
    streams: Sequence[_Stream],
    groups: Sequence[_Group],
    params: SplitParams,
) -> str:
    if not count:
        return f"class '{label}' has no images at all: draw or add some, or leave the class out"
    amount = f"images: {count}, groups: {len(groups)}" if groups else f"images: {count}"
    start = f"class '{label}' ({amount}) has none in {split}"
    if fitting := [s for s in streams if s.label == label and split in _SPLITS_OF_ROLE[s.role]]:
        enough = {s.source: needed(split, **s.arguments(params)) for s in fitting}
        source = min(enough, key=lambda name: enough[name])
        return f"{start}: with {enough[source]} images from source '{source}' it has"
    if any(split in group.splits for group in groups):
        return f"{start}: its groups all went elsewhere; add groups, or change split.seed"
    roles = [role for role, reached in _SPLITS_OF_ROLE.items() if split in reached]
    return f"{start}: it needs images from a source with role {' or '.join(roles)}"


def _streams(images: Images) -> Iterator[_Stream]:
    alone = images.groups == ALONE
    for source in np.unique(images.sources):
        here = (images.sources == source) & alone
        for label in np.unique(images.true_labels[here]):
            rows = np.flatnonzero(here & (images.true_labels == label))
            role = str(images.roles[rows[0]])
            yield _Stream(source=str(source), role=role, label=str(label), rows=rows)


def _groups(images: Images) -> Iterator[_Group]:
    grouped = np.flatnonzero(images.groups != ALONE)
    names, owner = np.unique(images.groups[grouped], return_inverse=True)
    order = grouped[np.argsort(owner, kind="stable")]  # group by group, each in the order of rows
    starts = np.cumsum([0, *np.bincount(owner)])
    for number, name in enumerate(names.tolist()):
        rows = order[starts[number] : starts[number + 1]]
        reached = [_SPLITS_OF_ROLE[role] for role in np.unique(images.roles[rows]).tolist()]
        splits = tuple(split for split in SPLITS if all(split in some for some in reached))
        yield _Group(name=name, rows=rows, splits=splits)


def _ratios(splits: Sequence[str], params: SplitParams) -> dict[str, float]:
    """The share of each of ``splits``, in proportion to the ratios asked for."""
    shares = {split: getattr(params.ratios, split) for split in splits}
    return {split: share / sum(shares.values()) for split, share in shares.items()}
