"""Which split each source image goes to, by its class and source, or by its group.

Drawn images without a group are assigned one by one, in blocks of their class and source that have
the ratios exactly. All others go where their group goes, and a real image without a group is one of
its own: to the split given with it, to the one that a ledger keeps, or else by a hash of the
group's name, which nothing that happens to other images can change. With a ledger, groups that are
new to it are balanced instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from raresight.pipeline.dataset.schema import Description
from raresight.pipeline.splitting.blocks import assign
from raresight.pipeline.splitting.groups import ALONE, split_of_group
from raresight.pipeline.splitting.minimization import balance
from raresight.pipeline.splitting.params import Ratios, SplitParams
from raresight.pipeline.splitting.table import SPLITS, UNUSED

Shares = Mapping[str, float]  # of each split that may be reached; they sum to 1


@dataclass(frozen=True, kw_only=True)
class Images:
    """The originals, in the order of their rows: arrays of str (n,).

    ``sources`` names the source of each image and ``shares`` of each source which splits its images
    may go to. ``true_labels`` decide the split, so that label noise moves nothing; ``labels`` are
    what the learner sees, and so what every split needs. ``groups`` are those of
    :func:`raresight.pipeline.splitting.groups.named_groups`, ``given`` the split that comes with an
    image, "" where none does.
    """

    sources: np.ndarray
    shares: Mapping[str, Shares]
    labels: np.ndarray
    true_labels: np.ndarray
    groups: np.ndarray
    given: np.ndarray


class _Arguments(TypedDict):
    ratios: Shares
    seed: int
    stream: str


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Drawn images of one class from one source that belong to no group, in an order that only
    grows at its end."""

    source: str
    label: str
    rows: np.ndarray
    shares: Shares

    def arguments(self, seed: int) -> _Arguments:
        """What :mod:`raresight.pipeline.splitting.blocks` needs to know of this stream."""
        return {"ratios": self.shares, "seed": seed, "stream": f"{self.source}/{self.label}"}


@dataclass(frozen=True, kw_only=True)
class Group:
    """The images of one group, the splits that were given with some of them, and the shares of the
    splits that the sources of all of them reach."""

    name: str
    rows: np.ndarray
    given: tuple[str, ...]
    shares: Shares


def source_shares(description: Description, ratios: Ratios) -> dict[str, Shares]:
    """Of each source the splits that its images may go to, by its own shares or by ``ratios``."""
    found = {}
    for source in description.sources:
        splits = description.splits_of(source["name"])
        shares = splits if isinstance(splits, Mapping) else ratios.model_dump()
        found[source["name"]] = _normalized({s: shares[s] for s in SPLITS if s in splits})
    return found


def split_images(
    images: Images, params: SplitParams, ledger: Mapping[str, str] | None = None
) -> np.ndarray:
    """The split of every original, str (n,).

    ``ledger`` keeps the split of each group that it names. Before it,
    :func:`raresight.pipeline.splitting.problems.group_problems` has to have found nothing.
    """
    splits = np.full(len(images.labels), "", "<U5")
    for stream in streams(images):
        splits[stream.rows] = assign(len(stream.rows), **stream.arguments(params.seed))
    found = list(groups(images))
    if ledger is None:
        places = [
            one.given[0]
            if one.given
            else split_of_group(one.name, ratios=one.shares, seed=params.seed)
            for one in found
        ]
    else:
        places = _balanced(images, found, ledger, params.seed)
    for group, place in zip(found, places, strict=True):
        splits[group.rows] = place
    return splits


def _balanced(
    images: Images, found: Sequence[Group], ledger: Mapping[str, str], seed: int
) -> list[str]:
    """The split of every group: as given, as kept, or where its classes are most missing."""
    classes, targets = np.unique(images.true_labels, return_inverse=True)
    counts = np.stack(
        [np.bincount(targets[one.rows], minlength=len(classes)) for one in found]
        or [np.zeros(len(classes), int)]
    )[: len(found)]
    shares = np.array([[one.shares.get(split, 0.0) for split in SPLITS] for one in found])
    fixed = [one.given[0] if one.given else ledger.get(one.name, "") for one in found]
    places = np.array([SPLITS.index(split) if split else -1 for split in fixed], int)
    names = [one.name for one in found]
    placed = balance(counts, shares.reshape(-1, len(SPLITS)), places, names=names, seed=seed)
    return [SPLITS[place] for place in placed.tolist()]


def split_copies(of_sources: np.ndarray) -> np.ndarray:
    """The split of every copy, str (n,), from that of its source.

    A copy of a training image is learned from; any other is ``unused``, since validation and test
    are originals alone.
    """
    return np.where(of_sources == "train", "train", UNUSED)


def streams(images: Images) -> Iterator[Stream]:
    """The images that belong to no group, by source and class."""
    alone = images.groups == ALONE
    for source in np.unique(images.sources).tolist():
        here = (images.sources == source) & alone
        for label in np.unique(images.true_labels[here]).tolist():
            rows = np.flatnonzero(here & (images.true_labels == label))
            yield Stream(source=source, label=label, rows=rows, shares=images.shares[source])


def groups(images: Images) -> Iterator[Group]:
    """Every group, in the order of their names."""
    grouped = np.flatnonzero(images.groups != ALONE)
    names, owner = np.unique(images.groups[grouped], return_inverse=True)
    order = grouped[np.argsort(owner, kind="stable")]  # group by group, each in the order of rows
    ends = np.cumsum(np.bincount(owner, minlength=len(names)))
    reached: dict[tuple[str, ...], Shares] = {}
    for name, rows in zip(names.tolist(), np.split(order, ends[:-1]), strict=False):
        sources = tuple(sorted(set(images.sources[rows].tolist())))
        if sources not in reached:
            reached[sources] = _common([images.shares[source] for source in sources])
        given = tuple(sorted(set(images.given[rows].tolist()) - {""}))
        yield Group(name=name, rows=rows, given=given, shares=reached[sources])


def _common(several: Sequence[Shares]) -> Shares:
    """The splits that all of them reach, by their mean share."""
    splits = [split for split in SPLITS if all(split in shares for shares in several)]
    if not splits:
        return {}
    return _normalized({split: sum(shares[split] for shares in several) for split in splits})


def _normalized(shares: Shares) -> Shares:
    return {split: share / sum(shares.values()) for split, share in shares.items()}
