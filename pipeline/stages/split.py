"""split: assign every original to train, val or test; its copies follow."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.runtime.errors import DataError, listing
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.assignment import Images, gaps, split_copies, split_images, torn
from raresight.pipeline.splitting.counts import count_groups, count_images
from raresight.pipeline.splitting.duplicates import (
    groups_of_equals,
    keep_duplicates_together,
    leaks,
    repeats,
)
from raresight.pipeline.splitting.groups import named_groups
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.table import SPLITS, UNUSED, make_table, write_splits


def run(params_file: Path, data: Path) -> Path:
    """Write ``data/splits`` and return its path."""
    params = load_section(params_file, "split", SplitParams)
    require_verified(data / "generated", "generate")
    require_verified(data / "augmented", "augment")
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    splits = _split_originals(originals, params)
    repeated = _repeats_without_leaks(originals, splits)
    sources, groups = _rows_of_sources(originals, copies), originals.arrow("group")
    of_copies = split_copies(splits[sources])
    table = make_table(
        ids=_joined(originals.arrow("id"), copies.arrow("id")),
        source_ids=_joined(originals.arrow("source_id"), copies.arrow("source_id")),
        groups=_joined(groups, groups.take(pa.array(sources))),
        splits=np.concatenate([splits, of_copies]),
    )
    summary = {
        "images": count_images(
            originals.classes,
            originals=(splits, originals.labels),
            copies=(of_copies, copies.labels),
        ),
        "groups": count_groups(originals.classes, splits, originals.targets, groups),
        "repeated_pixels": repeated,
    }
    output = data / "splits"
    with stage_outputs(output) as (folder,):
        write_splits(folder, table)
        write_json(folder / "summary.json", summary)
    if unused := int((of_copies == UNUSED).sum()):
        say(
            f"split: {unused:,} of {len(of_copies):,} copies ({unused / len(of_copies):.0%}) are "
            "of val and test images, and nothing is learned from them"
        )
    return output


def _joined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([*first.chunks, *second.chunks], pa.string())


def _split_originals(originals: Dataset, params: SplitParams) -> np.ndarray:
    images = Images(
        sources=originals.source_names,
        roles=originals.roles,
        labels=originals.labels,
        true_labels=originals.true_labels,
        groups=named_groups(originals.arrow("group"), originals.arrow("source_id")),
    )
    if problems := torn(images):
        raise DataError(
            f"{originals.folder}: a group stays together, but\n{listing(problems)}\n"
            "Give these sources roles that share a split, or keep such images out of one of them."
        )
    splits = split_images(images, params)
    splits = keep_duplicates_together(splits, originals.ids, originals.source_ids)
    if problems := gaps(images, splits, originals.classes, params):
        raise DataError(
            f"{originals.folder}: every class needs images in train, val and test, but\n"
            f"{listing(problems)}\n"
            "Raise the counts in generate.sources (or add files), or change split.ratios."
        )
    return splits


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


def _rows_of_sources(originals: Dataset, copies: Dataset) -> np.ndarray:
    """The row of each copy's original, int (n,); DataError where there is no such original."""
    sources = copies.arrow("source_id")
    rows = pc.index_in(sources, value_set=originals.arrow("id"))
    if rows.null_count:
        raise DataError(
            f"{copies.folder} holds {rows.null_count} copies of images that are not in "
            f"{originals.folder} (the first: {sources.filter(rows.is_null())[0]}). "
            "Run `raresight augment` again."
        )
    found: np.ndarray = rows.to_numpy()
    return found
