"""split: assign every original to train, val or test; its copies follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import FACTOR
from raresight.pipeline.domains.compare import compare_domains
from raresight.pipeline.runtime.errors import DataError, ParamsError, listing
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.alike import (
    FILE,
    Alike,
    kept_rows,
    look,
    refuse,
    tell,
    write_pairs,
)
from raresight.pipeline.splitting.assignment import (
    Images,
    source_shares,
    split_copies,
    split_images,
)
from raresight.pipeline.splitting.counts import count_groups, count_images
from raresight.pipeline.splitting.duplicates import (
    exact_pairs,
    groups_of_equals,
    keep_duplicates_together,
    leaks,
    repeats,
)
from raresight.pipeline.splitting.groups import ALONE, named_groups
from raresight.pipeline.splitting.joining import drop_repeats, keep_together
from raresight.pipeline.splitting.ledger import read_ledger, write_ledger
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.problems import gaps, group_problems
from raresight.pipeline.splitting.table import SPLITS, UNUSED, make_table, write_splits
from raresight.pipeline.wording import domains

_INPUTS = {"generated": "generate", "augmented": "augment"}


def run(params_file: Path, data: Path, *, keep: bool = False) -> Path:
    """Write ``data/splits`` and return its path; with ``keep``, the ledger of the groups too."""
    params = load_section(params_file, "split", SplitParams)
    if keep and params.keep is None:
        raise ParamsError(
            f"{params_file}: --keep writes the file that `split.keep` names, and it names none. "
            "Write `keep: data/raw/split.csv` below `split`."
        )
    require_inputs(data, _INPUTS)
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    images = _images(originals, params)
    equal = groups_of_equals(originals.images.digests(np.arange(len(originals))))
    alike = _look(originals, images, equal)
    placed = _split_originals(originals, images, params, alike)
    splits, choice = placed.splits, params.near_duplicates
    _refuse_drawn_leaks(originals, splits, equal)
    if choice == "refuse":
        refuse(alike, splits, data / "split_near_duplicates.csv")
    counts = repeats(equal, splits)
    sources = _rows_of_sources(originals, copies)
    of_copies = split_copies(splits[sources])
    table = make_table(
        ids=_joined(originals.arrow("id"), copies.arrow("id")),
        source_ids=_joined(originals.arrow("source_id"), copies.arrow("source_id")),
        groups=_joined(placed.groups, placed.groups.take(pa.array(sources))),
        splits=np.concatenate([splits, of_copies]),
    )
    summary = {
        "images": count_images(
            originals.classes,
            originals=(splits, originals.labels),
            copies=(of_copies, copies.labels),
        ),
        "groups": count_groups(originals.classes, splits, originals.targets, placed.groups),
        "repeated_pixels": {split: counts[split] for split in SPLITS},
        "near_duplicates": alike.summary(splits, choice),
    }
    if (compared := compare_domains(originals, splits)) is not None:
        summary["drawn_and_real"] = compared.as_json()
    output = data / "splits"
    read = [data / name for name in _INPUTS]
    with stage_outputs(output, inputs=read, needed=table.nbytes) as (folder,):
        write_splits(folder, table)
        write_json(folder / "summary.json", summary)
        if alike.pairs:
            write_pairs(folder / FILE, alike, splits)
    tell(alike, splits, choice, output / FILE)
    if compared is not None and (said := domains.warning(compared.as_json())) is not None:
        say(said)
    if unused := int((of_copies == UNUSED).sum()):
        say(
            f"split: {unused:,} of {len(of_copies):,} copies ({unused / len(of_copies):.0%}) are "
            "of val and test images, and nothing is learned from them"
        )
    if params.keep is not None:
        _keep(Path(params.keep), images, placed.whole, write=keep)
    return output


def _joined(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([*first.chunks, *second.chunks], pa.string())


def _images(originals: Dataset, params: SplitParams) -> Images:
    return Images(
        sources=originals.source_names,
        shares=source_shares(originals.description, params.ratios),
        labels=originals.labels,
        true_labels=originals.true_labels,
        groups=named_groups(
            originals.arrow("group"), originals.arrow("source_id"), originals.origins == "real"
        ),
        given=originals.given_splits,
    )


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """The split of every original, ``whole`` before any was dropped, and its group, joined with
    those that it is kept together with."""

    splits: np.ndarray
    whole: np.ndarray
    groups: pa.ChunkedArray


def _split_originals(
    originals: Dataset, images: Images, params: SplitParams, alike: Alike
) -> _Placed:
    ledger = None if params.keep is None else read_ledger(Path(params.keep))
    if problems := group_problems(images, alike.names, ledger):
        raise DataError(
            f"{originals.folder}: a group stays together, but\n{listing(problems)}\n"
            "Mend the splits that were given, or the `splits` of these sources, or keep such "
            "images out of one of them."
        )
    joined, groups = images, originals.arrow("group")
    if params.near_duplicates == "together" and alike.pairs:
        together = keep_together(images, alike.pairs, ledger or {})
        joined, ledger = together.images, together.ledger
        named = np.where(joined.groups == ALONE, groups.to_numpy(), joined.groups)
        groups = pa.chunked_array([pa.array(named, pa.string())])
    whole = split_images(joined, params, ledger)
    whole = keep_duplicates_together(whole, originals.ids, originals.source_ids)
    splits = whole
    if params.near_duplicates == "drop":
        splits = drop_repeats(
            whole, alike.pairs, kept_rows(images.groups, images.given, ledger or {})
        )
    _refuse_gaps(originals, images, splits, params, kept=ledger is not None)
    return _Placed(splits=splits, whole=whole, groups=groups)


def _refuse_gaps(
    originals: Dataset, images: Images, splits: np.ndarray, params: SplitParams, *, kept: bool
) -> None:
    """DataError where a class is missing in a split, unless it may be; that is said."""
    found = gaps(images, splits, originals.classes, params, kept=kept)
    allowed = {pair for pair in found if _may_miss(*pair, originals, params)}
    if problems := list(dict.fromkeys(found[pair] for pair in found if pair not in allowed)):
        raise DataError(
            f"{originals.folder}: every class needs images in train, val and test, but\n"
            f"{listing(problems)}\n{_ways_on(images, params)}"
        )
    for pair in sorted(allowed):
        say(f"split: {found[pair]}; `split.incomplete_classes: allow` lets it pass")


def _look(originals: Dataset, images: Images, equal: Sequence[Sequence[int]]) -> Alike:
    """The real images that show the same; drawn ones are each drawn anew."""
    real = originals.origins == "real"
    return look(
        originals.images,
        real,
        images.groups,
        exact_pairs(equal, real),
        names=_file_names(originals),
        ids=originals.ids,
        labels=originals.labels,
    )


def _may_miss(label: str, split: str, originals: Dataset, params: SplitParams) -> bool:
    """Whether a class may have no image in a split: the positive one is what is judged."""
    if params.incomplete_classes == "refuse" or label == originals.positive:
        return False
    return split != "train" and bool((originals.labels == label).any())


def _ways_on(images: Images, params: SplitParams) -> str:
    ways = "Raise the counts in generate.sources (or add files), or change split.ratios."
    if (images.groups == ALONE).all():
        return ways
    if params.keep is None:
        ways += (
            " Groups are balanced, and kept where they are, by a file in Git: write "
            "`keep: data/raw/split.csv` below `split`, and run `raresight split --keep`."
        )
    return (
        f"{ways} `split.incomplete_classes: allow` learns from such a class without judging it, "
        "unless it is the positive one."
    )


def _file_names(originals: Dataset) -> np.ndarray:
    """The file of each image that was read from one, else its id: str (n,)."""
    if "file" not in originals.description.factors:
        return originals.ids
    files: np.ndarray = originals.values(f"{FACTOR}file")
    return np.where(files == "", originals.ids, files)


def _keep(path: Path, images: Images, splits: np.ndarray, *, write: bool) -> None:
    """Write where each group is, or say that some are not kept yet."""
    kept = read_ledger(path)
    grouped = images.groups != ALONE
    found = dict(zip(images.groups[grouped].tolist(), splits[grouped].tolist(), strict=True))
    if write:
        write_ledger(path, kept | found)
        say(f"split: {path} keeps {len(kept | found)} groups ({len(found.keys() - kept)} new)")
    elif new := len(found.keys() - kept):
        say(
            f"split: {new} groups are not in {path} yet, and may move until they are: run "
            "`raresight split --keep`, and commit the file"
        )


def _refuse_drawn_leaks(
    originals: Dataset, splits: np.ndarray, equal: Sequence[Sequence[int]]
) -> None:
    """DataError where splits share the pixels of drawn images."""
    real = originals.origins == "real"
    drawn = [rows for rows in equal if not all(real[row] for row in rows)]
    if leaking := leaks(drawn, splits, originals.ids):
        raise DataError(
            f"{originals.folder}: the same pixels are in different splits, so a test would ask for "
            f"what was learned by heart:\n{listing(leaking)}\n"
            "Keep one image of each; where they were drawn, let the generator's options vary more."
        )


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
