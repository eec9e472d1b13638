"""A model and its decision in one folder that can be copied anywhere."""

import shutil
from pathlib import Path
from typing import Any

from raresight.pipeline import __version__
from raresight.pipeline.core.files import MANIFEST, stage_outputs, write_json
from raresight.pipeline.evaluation.decisions.kept import MODEL_FILES
from raresight.pipeline.prediction.model_folder import CARD, EXPORT, FORMAT, INSIDE, ModelFolder
from raresight.pipeline.runtime.errors import UnsafeError


def pack(opened: ModelFolder, out: Path, *, card: str) -> dict[str, Any]:
    """Write the folder ``out`` and return its ``export.json``; the same bytes each time.

    ``card`` is what people read of it. An earlier export is replaced; UnsafeError where anything
    else is there.
    """
    assert opened.decision is not None
    check_replaceable(out, "exported model")
    document = {"format": FORMAT, "raresight": __version__} | about(opened)
    with stage_outputs(out, folders=True) as (folder,):
        for name in MODEL_FILES:
            shutil.copyfile(opened.folder / name, folder / name)
        (folder / INSIDE).mkdir()
        opened.decision.write(folder / INSIDE)
        write_json(folder / EXPORT, document)
        (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    return document


def about(opened: ModelFolder) -> dict[str, Any]:
    """What somebody who has only the export needs to know of it."""
    decision = opened.decision
    assert decision is not None
    return {
        "classes": list(decision.task.classes),
        "positive": decision.task.positive,
        "input": {
            "images": "uint8 (n, height, width, channels), channels red, green, blue",
            "image_shape": list(opened.image_shape),
            "files": "turned upright by EXIF, transparent parts on white, fitted in "
            "(bicubic), centered, the border's mean color around it, unless readings say otherwise",
            "readings": opened.card.get("readings", {}),
        },
        "threshold": decision.threshold,
        "prevalence_of_threshold": decision.prevalence,
        "model": dict(decision.model),
    }


def check_replaceable(out: Path, kind: str) -> None:
    """UnsafeError where ``out`` is there and is no earlier export; ``kind`` is what it is not."""
    empty = out.is_dir() and not any(out.iterdir())
    if out.exists() and not empty and not ((out / EXPORT).is_file() and (out / MANIFEST).is_file()):
        raise UnsafeError(f"{out} is there and no {kind}: it would be lost. Name another.")
