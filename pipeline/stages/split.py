"""split: assign every source to train, val or test, and its copies with it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.core.errors import DataError, listing
from pipeline.core.files import require_verified, stage_outputs, write_json
from pipeline.core.params import load_section
from pipeline.dataset.reader import Dataset
from pipeline.splitting.blocks import assign, block_counts
from pipeline.splitting.duplicates import across, digests
from pipeline.splitting.figures import draw_counts
from pipeline.splitting.params import SplitParams
from pipeline.splitting.table import SPLITS, UNUSED, make_table, write_splits

OUTPUT = "splits"


def run(params_file: Path, data: Path) -> Path:
    """Write ``data/splits`` and return its path."""
    params = load_section(params_file, "split", SplitParams)
    require_verified(data / "generated", "generate")
    require_verified(data / "augmented", "augment")
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    splits = split_sources(originals, params)
    within = _refuse_leaks(originals, splits)
    of_source = dict(zip(originals.ids.tolist(), splits.tolist(), strict=True))
    of_copies = ["train" if of_source[s] == "train" else UNUSED for s in copies.source_ids.tolist()]
    counts = _counts(originals, copies, splits, np.asarray(of_copies, str))
    with stage_outputs(data / OUTPUT) as (folder,):
        ids = [*originals.ids.tolist(), *copies.ids.tolist()]
        sources = [*originals.source_ids.tolist(), *copies.source_ids.tolist()]
        write_splits(folder, make_table(ids, sources, [*splits.tolist(), *of_copies]))
        write_json(folder / "summary.json", {"images": counts, "duplicates_within_splits": within})
        draw_counts(counts, folder / "splits.png")
    return data / OUTPUT


def split_sources(originals: Dataset, params: SplitParams) -> np.ndarray:
    """The split of every original, str (n,), in the order of the rows."""
    splits = np.full(len(originals), "", dtype="<U8")
    ratios = params.ratios.model_dump()
    for role in np.unique(originals.roles):
        shares = _shares(role, ratios)
        for label in np.unique(originals.labels[originals.roles == role]):
            rows = np.flatnonzero((originals.labels == label) & (originals.roles == role))
            stream = f"{role}/{label}"
            splits[rows] = assign(len(rows), ratios=shares, seed=params.seed, stream=stream)
    _refuse_gaps(originals, splits, ratios)
    return splits


def _shares(role: str, ratios: Mapping[str, float]) -> dict[str, float]:
    if role == "test_only":
        return {"test": 1.0}
    if role == "train_only":
        both = ratios["train"] + ratios["val"]
        return {"train": ratios["train"] / both, "val": ratios["val"] / both}
    return dict(ratios)


def _refuse_gaps(originals: Dataset, splits: np.ndarray, ratios: Mapping[str, float]) -> None:
    block = sum(block_counts(ratios).values())
    problems = []
    for label in originals.classes:
        here = splits[originals.labels == label]
        missing = [split for split in SPLITS if split not in here]
        if missing:
            problems.append(f"class '{label}' ({len(here)} sources) has none in {', '.join(missing)}")
    if problems:
        raise DataError(
            f"split: not every class is in every split:\n{listing(problems)}\n"
            f"Add images of these classes ({block} of a class always fill all splits), "
            "or check the `role` of the sources and split.ratios."
        )


def _refuse_leaks(originals: Dataset, splits: np.ndarray) -> int:
    rows = range(len(originals))
    apart, within = across(digests(originals.images, rows), splits.tolist(), originals.ids.tolist())
    if apart:
        raise DataError(
            f"split: {len(apart)} images lie in more than one split, pixel for pixel:\n"
            f"{listing(apart)}\nRemove all but one of each, then run the pipeline again."
        )
    return within


def _counts(originals: Dataset, copies: Dataset, splits: np.ndarray, of_copies: np.ndarray) -> dict:
    return {
        split: {
            label: {
                "originals": int(np.sum((splits == split) & (originals.labels == label))),
                "copies": int(np.sum((of_copies == split) & (copies.labels == label))),
            }
            for label in originals.classes
        }
        for split in SPLITS
    }
