"""export: the trained model, for other places and other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raresight.pipeline.prediction.exporting import FORMATS, export
from raresight.pipeline.prediction.inputs import find_inputs, some_images
from raresight.pipeline.prediction.model_folder import open_model_folder
from raresight.pipeline.prediction.packing import pack
from raresight.pipeline.prediction.predictor import open_predictor
from raresight.pipeline.runtime.errors import ParamsError

_IMAGES = 1000  # that an export is checked on


def run(model: Path, *, form: str, out: Path, images: Sequence[str], data: Path) -> dict[str, Any]:
    """Write the model of a folder as ``out``, in the form ``folder`` or one of FORMATS.

    A file is checked on ``images`` (files, folders, datasets), on the project's where none are
    named. Returns the export's card.
    """
    if form == "folder":
        return pack(open_model_folder(model, need_decision=True), out)
    FORMATS[form].require(form)
    predictor = open_predictor(model, "cpu")
    shape = predictor.opened.image_shape
    inputs = find_inputs(images or _own_images(data), shape)
    checked_on = some_images(inputs, shape[:2], predictor.opened.reading(), _IMAGES)
    return export(predictor, form, out, checked_on)


def _own_images(data: Path) -> list[str]:
    own = data / "generated"
    if not own.is_dir():
        raise ParamsError(
            f"an export is checked on images before it is written, and {own} is not there: "
            "name some with --images."
        )
    return [str(own)]
