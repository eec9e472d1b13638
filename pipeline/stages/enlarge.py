"""enlarge: more training images of a rare class, made from training images alone, and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.cleaning.table import FOLDER as CLEANING
from raresight.pipeline.cleaning.table import left_out
from raresight.pipeline.core.files import (
    MANIFEST,
    sha256,
    stage_outputs,
    write_json,
)
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Description, Rows, Shard
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.enlarging.making import Made, make, placebos
from raresight.pipeline.enlarging.params import EnlargeParams
from raresight.pipeline.runtime.errors import DataError, ParamsError, suggest
from raresight.pipeline.runtime.progress import say, track
from raresight.pipeline.splitting.table import read_splits

_AT_ONCE, _GROUND = 1024, "ground"
_CHECKED = 500  # images of a kind that the checks look at


def run(params_file: Path, data: Path) -> Path:
    """Write the dataset ``data/enlarged``, empty where nothing is asked for; return its path."""
    params = load_section(params_file, "enlarge", EnlargeParams)
    read = {"generated": "generate"}
    if params.classes:
        read["splits"] = "split"
        if (data / CLEANING).is_dir():
            read[CLEANING] = "clean"
    require_inputs(data, read)
    originals = Dataset(data / "generated")
    description = replace(
        originals.description,
        seed=params.seed,
        shards=(),
        columns=("mask",) if "mask" in originals.description.columns else (),
        factors={**originals.description.factors, _GROUND: "string"},
    )
    with stage_outputs(data / "enlarged", inputs=[data / name for name in read]) as (folder,):
        if params.classes:
            _write(folder, params_file, params, originals, data, description)
        else:
            description.write(folder)
            write_json(folder / "report.json", {"splits": None, "classes": {}})
    return data / "enlarged"


def _write(
    folder: Path,
    params_file: Path,
    params: EnlargeParams,
    originals: Dataset,
    data: Path,
    description: Description,
) -> None:
    splits = read_splits(data / "splits")
    learned, held = (splits.rows(originals, name) for name in ("train", "val"))
    learned = learned[~np.isin(originals.ids[learned], left_out(data))]
    shards: list[Shard] = []
    report: dict[str, Any] = {"splits": sha256(data / "splits" / MANIFEST), "classes": {}}
    for label, each in params.classes.items():
        parents = _parents(params_file, originals, learned, label)
        grounds = learned[originals.labels[learned] != label]
        if len(grounds) < 2:
            raise DataError(
                f"{originals.folder}: '{label}' needs images of another class as ground"
            )
        found = make(
            originals, parents, grounds, each=each, surroundings=params.surroundings,
            seed=params.seed,
        )  # fmt: skip
        total = len(parents) * each
        shown = track(found, total=total, description="enlarge", images=lambda _: 1)
        kept = [one for one in shown if one is not None]
        for start in range(0, len(kept), _AT_ONCE):
            rows = _rows(originals, label, kept[start : start + _AT_ONCE])
            path = folder / shard_name(len(shards))
            source = str(originals.source_names[parents[0]])
            shards.append(write_shard(path, rows, description, source=source))
        checked = check(originals, label, parents, grounds, held, kept, params)
        report["classes"][label] = {"asked": len(parents) * each, "made": len(kept), **checked}
        _tell(label, report["classes"][label])
    replace(description, shards=tuple(shards)).write(folder)
    write_json(folder / "report.json", report)


def _parents(params_file: Path, originals: Dataset, learned: np.ndarray, label: str) -> np.ndarray:
    """The training originals of a class whose object can be cut out."""
    if label not in originals.classes:
        raise ParamsError(
            f"{params_file}: enlarge.classes: no class '{label}'. "
            f"{suggest(label, originals.classes)}"
        )
    mine = learned[originals.labels[learned] == label]
    masks = originals.masks
    found = [row for row in mine.tolist() if masks is not None and _shows(masks[row])]
    if not found:
        raise DataError(
            f"enlarge.method 'composites' cuts out the pixels that carry '{label}', and no mask "
            f"in {originals.folder} says which these are. `augment.copies` needs none, and images "
            "that were made elsewhere are a source of generate with `splits: [train]`."
        )
    return np.array(found)


def _shows(mask: np.ndarray | None) -> bool:
    return mask is not None and bool(mask.any())


def _rows(originals: Dataset, label: str, made: Sequence[Made]) -> Rows:
    parents = [one.parent for one in made]
    factors: dict[str, Sequence[Any]] = {
        name: [None if kind == "string" else float("nan")] * len(made)
        for name, kind in originals.description.factors.items()
    }
    return Rows(
        ids=[one.id for one in made],
        source_ids=originals.ids[parents].tolist(),
        groups=originals.groups[parents].tolist(),
        origin="generated",
        labels=[label] * len(made),
        true_labels=[label] * len(made),
        variants=[0] * len(made),
        images=np.stack([one.image for one in made]),
        columns={"mask": [one.mask for one in made]},
        factors=factors | {_GROUND: [str(originals.ids[one.ground]) for one in made]},
    )


def check(
    originals: Dataset,
    label: str,
    parents: np.ndarray,
    grounds: np.ndarray,
    held: np.ndarray,
    made: Sequence[Made],
    params: EnlargeParams,
) -> Mapping[str, Any]:
    """What a careless generator would betray; each None where too few images can say."""
    from raresight.pipeline.enlarging.checks import neighbors, standardized, statistics, told_apart

    asked = [one.image for one in made[:_CHECKED]]
    if not asked:
        return {"told_apart": None, "seam": None, "neighbors": None}
    few = {"count": min(_CHECKED, len(grounds)), "surroundings": params.surroundings}
    seams = placebos(originals, parents, grounds, seed=params.seed, **few)
    images = originals.images
    real, plain = (statistics(images.take(rows[:_CHECKED])) for rows in (parents, grounds))
    drawn = statistics(np.stack(asked))
    judged = held[originals.labels[held] == label]
    beside: np.ndarray = statistics(images.take(judged)) if len(judged) else real[:0]
    _, made_z, held_z = standardized(real, drawn, beside)
    (real_z,) = standardized(real)[:1]
    found = neighbors(made_z, real_z, held_z)
    return {
        "held_out": len(judged),
        "told_apart": told_apart(real, drawn, seed=params.seed),
        "seam": told_apart(plain, statistics(np.stack(seams)), seed=params.seed) if seams else None,
        "neighbors": None if found is None else vars(found),
    }


def _tell(label: str, found: Mapping[str, Any]) -> None:
    seam = "unknown" if found["seam"] is None else f"{found['seam']:.2f}"
    say(
        f"enlarge: {found['made']:,} of {found['asked']:,} images of '{label}' were made, each "
        f"with its label in sight; a seam is told from none with an AUROC of {seam} (0.5: not)"
    )
    if found["neighbors"] is None:
        say(
            f"enlarge: {found.get('held_out', 0)} validation images of '{label}' are too few to "
            "say whether these are copies, or cover the class"
        )
