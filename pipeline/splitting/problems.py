"""What keeps images from being split: groups that no split can hold, classes that miss one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from raresight.pipeline.splitting.assignment import Group, Images, Stream, groups, streams
from raresight.pipeline.splitting.blocks import needed
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.table import SPLITS


def group_problems(
    images: Images, files: np.ndarray, ledger: Mapping[str, str] | None = None
) -> list[str]:
    """A sentence for each group that no split can hold; ``files``, str (n,), names the images."""
    found = []
    for group in groups(images):
        if len(group.given) > 1:
            found.append(f"group '{group.name}' is given to {_given(images, group, files)}")
        elif not group.shares:
            found.append(f"group '{group.name}' has images of {_sources(images, group)}")
        elif group.given and group.given[0] not in group.shares:
            found.append(
                f"group '{group.name}' is given to {_given(images, group, files)}, "
                f"but is of {_sources(images, group)}"
            )
        elif kept := (ledger or {}).get(group.name):
            if group.given and kept != group.given[0]:
                found.append(
                    f"group '{group.name}' is given to {_given(images, group, files)}, "
                    f"but split.keep has it in {kept}"
                )
            elif kept not in group.shares:
                found.append(
                    f"group '{group.name}' is in {kept} by split.keep, "
                    f"but is of {_sources(images, group)}"
                )
    return found


def _given(images: Images, group: Group, files: np.ndarray) -> str:
    """``train (a.png) and to test (b.png)``: the splits, each with the first of its images."""
    rows = {split: group.rows[images.given[group.rows] == split][0] for split in group.given}
    return " and to ".join(f"{split} ({files[row]})" for split, row in rows.items())


def _sources(images: Images, group: Group) -> str:
    names = sorted(set(images.sources[group.rows].tolist()))
    return " and of ".join(
        f"source '{name}' (splits: {', '.join(images.shares[name])})" for name in names
    )


def gaps(
    images: Images,
    splits: np.ndarray,
    classes: Sequence[str],
    params: SplitParams,
    *,
    kept: bool = False,
) -> dict[tuple[str, str], str]:
    """By class and split without a single original, a sentence; empty when there is none.

    ``kept`` says that groups are balanced with a ledger.
    """
    there = set(zip(images.labels.tolist(), splits.tolist(), strict=True))
    pairs = [(label, split) for label in classes for split in SPLITS]
    missing = [pair for pair in pairs if pair not in there]
    if not missing:
        return {}
    several, found = list(streams(images)), list(groups(images))
    counts = Counter(images.labels.tolist())
    told = {}
    for label, split in missing:
        if not counts[label]:
            told[label, split] = (
                f"class '{label}' has no images at all: draw or add some, or leave the class out"
            )
            continue
        here = [group for group in found if label in images.labels[group.rows]]
        amount = f"images: {counts[label]}" + (f", groups: {len(here)}" if here else "")
        lines = [one for one in several if one.label == label and split in one.shares]
        told[label, split] = f"class '{label}' ({amount}) has none in {split}: " + _advice(
            split, lines, here, params.seed, kept
        )
    return told


def _advice(
    split: str, lines: Sequence[Stream], here: Sequence[Group], seed: int, kept: bool
) -> str:
    if lines:
        enough = {line.source: needed(split, **line.arguments(seed)) for line in lines}
        source = min(enough, key=lambda name: enough[name])
        return f"with {enough[source]} images from source '{source}' it has"
    reaching = [group for group in here if split in group.shares and not group.given]
    if not reaching and any(group.given for group in here):
        return "its images were all given to other splits"
    if not reaching:
        return f"it needs images from a source whose `splits` have {split}"
    if kept:
        return "it needs more groups"
    if len(here) >= len(SPLITS):
        return "its groups all went elsewhere by chance; `split.keep` would balance them"
    return "it needs more groups, three at the least"
