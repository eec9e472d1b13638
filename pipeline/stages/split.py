"""split: assign every original to train, val or test; its copies follow."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.runtime.errors import DataError, listing
from raresight.pipeline.splitting.assignment import Images, gaps, split_copies, split_images
from raresight.pipeline.splitting.duplicates import groups_of_equals, leaks, repeats
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.table import SPLITS, UNUSED, make_table, write_splits

OUTPUT = "splits"


def run(params_file: Path, data: Path) -> Path:
    """Write ``data/splits`` and return its path."""
    params = load_section(params_file, "split", SplitParams)
    require_verified(data / "generated", "generate")
    require_verified(data / "augmented", "augment")
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    splits = _split_originals(originals, params)
    repeated = _repeats_without_leaks(originals, splits)
    of_copies = _split_copies(originals, splits, copies)
    images = _counts(originals, splits, copies, of_copies)
    table = make_table(
        np.concatenate([originals.ids, copies.ids]),
        np.concatenate([originals.source_ids, copies.source_ids]),
        np.concatenate([splits, of_copies]),
    )
    with stage_outputs(data / OUTPUT) as (folder,):
        write_splits(folder, table)
        write_json(folder / "summary.json", {"images": images, "repeated_pixels": repeated})
    return data / OUTPUT


def _split_originals(originals: Dataset, params: SplitParams) -> np.ndarray:
    images = Images(
        sources=originals.source_names,
        roles=originals.roles,
        labels=originals.labels,
        true_labels=originals.true_labels,
    )
    splits = split_images(images, params)
    _keep_duplicates_together(originals, splits)
    if problems := gaps(images, splits, originals.classes, params):
        raise DataError(
            f"{originals.folder}: every class needs images in train, val and test, but\n"
            f"{listing(problems)}\n"
            "Raise the counts in generate.sources (or add files), or change split.ratios."
        )
    return splits


def _keep_duplicates_together(originals: Dataset, splits: np.ndarray) -> None:
    """An original that says it repeats another (by its source's id) goes where that one goes."""
    again = np.flatnonzero(originals.source_ids != originals.ids)
    if len(again):
        row_of = {name: row for row, name in enumerate(originals.ids.tolist())}
        splits[again] = splits[[row_of[name] for name in originals.source_ids[again].tolist()]]


def _repeats_without_leaks(originals: Dataset, splits: np.ndarray) -> dict[str, int]:
    """How many images of each split repeat another's pixels; DataError where splits share some."""
    groups = groups_of_equals(image for shard in originals.images.shards for image in shard)
    if leaking := leaks(groups, splits, originals.ids):
        raise DataError(
            f"{originals.folder}: the same pixels are in different splits, so a test would ask for "
            f"what was learned by heart:\n{listing(leaking)}\n"
            "Keep one image of each; where they were drawn, let the generator's options vary more."
        )
    counts = repeats(groups, splits)
    return {split: counts[split] for split in SPLITS}


def _split_copies(originals: Dataset, splits: np.ndarray, copies: Dataset) -> np.ndarray:
    split_of_source = dict(zip(originals.ids.tolist(), splits.tolist(), strict=True))
    of_copies, unknown = split_copies(copies.source_ids.tolist(), split_of_source)
    if unknown:
        raise DataError(
            f"{copies.folder} holds {len(unknown)} copies of images that are not in "
            f"{originals.folder} (the first: {unknown[0]}). Run `raresight augment` again."
        )
    return np.array(of_copies, str)


def _counts(
    originals: Dataset, splits: np.ndarray, copies: Dataset, of_copies: np.ndarray
) -> dict[str, Any]:
    """Images by split, class, and whether they are originals or copies."""
    kinds = {
        "originals": Counter(zip(splits.tolist(), originals.labels.tolist(), strict=True)),
        "copies": Counter(zip(of_copies.tolist(), copies.labels.tolist(), strict=True)),
    }
    return {
        split: {
            label: {kind: counts[split, label] for kind, counts in kinds.items()}
            for label in originals.classes
        }
        for split in (*SPLITS, UNUSED)
    }
