"""export data: the dataset with its splits, in the format of another program."""

from pathlib import Path
from typing import Any

from raresight.pipeline import __version__
from raresight.pipeline.cards.dataset_card import dataset_card
from raresight.pipeline.cards.facts import DatasetFacts, no_real_image
from raresight.pipeline.commands.cards import stated
from raresight.pipeline.core.files import sha256, stage_outputs, write_json
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.exports.registry import FORMATS
from raresight.pipeline.exports.source import Source
from raresight.pipeline.prediction.model_folder import CARD, EXPORT
from raresight.pipeline.prediction.packing import check_replaceable
from raresight.pipeline.prediction.stored import folder_to_write
from raresight.pipeline.splitting.table import read_splits

_INPUTS = {"generated": "generate", "splits": "split"}


def run(
    data: Path, *, form: str, out: str | Path, params_file: Path, copies: bool = False
) -> dict[str, Any]:
    """Write the dataset of ``data`` as the folder ``out``, in one of FORMATS; returns what was.

    With ``copies`` those that train learns from are in its split. Its card says what the params
    file states. The same bytes each time. An
    earlier export is replaced; UnsafeError where anything else is there. A URL names a place in a
    store where there is nothing yet.
    """
    with folder_to_write(out) as folder:
        return _written(data, form=form, out=folder, params_file=params_file, copies=copies)


def _written(
    data: Path, *, form: str, out: Path, params_file: Path, copies: bool
) -> dict[str, Any]:
    require_inputs(data, _INPUTS | ({"augmented": "augment"} if copies else {}))
    check_replaceable(out, "exported dataset")
    source = Source(
        originals=Dataset(data / "generated"),
        copies=Dataset(data / "augmented") if copies else None,
        splits=read_splits(data / "splits"),
    )
    document = {
        "raresight": __version__,
        "format": form,
        "classes": list(source.classes),
        "images": source.counts(),
        "made_from": {
            name: sha256(data / name / "manifest.json")
            for name in ("generated", *(["augmented"] if copies else []), "splits")
        },
    }
    originals = source.counts(copies=False)
    made = sum(sum(tally.values()) for tally in source.counts().values())
    text = dataset_card(
        stated(params_file),
        DatasetFacts(
            description=source.originals.description,
            originals=originals,
            drawn=no_real_image(source.originals),
            copies=made - sum(sum(tally.values()) for tally in originals.values()),
        ),
        opened_by=FORMATS[form].opened_by,
        front_matter=FORMATS[form].front_matter(source),
    )
    with stage_outputs(out, folders=True) as (folder,):
        FORMATS[form].write(source, folder)
        write_json(folder / EXPORT, document)
        (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
    return document
