"""export: the trained model, for other places and other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raresight.pipeline.cards.model_card import model_card
from raresight.pipeline.commands.cards import model_facts, stated
from raresight.pipeline.prediction.exporting import FORMATS, export
from raresight.pipeline.prediction.inputs import find_inputs, some_images
from raresight.pipeline.prediction.model_folder import CARD, EXPORT, ModelFolder, open_model_folder
from raresight.pipeline.prediction.packing import pack
from raresight.pipeline.prediction.predictor import open_predictor
from raresight.pipeline.prediction.table import written_whole
from raresight.pipeline.runtime.errors import ParamsError

_IMAGES = 1000  # that an export is checked on


def run(
    model: Path, *, form: str, out: Path, images: Sequence[str], data: Path, params_file: Path
) -> dict[str, Any]:
    """Write the model of a folder as ``out``, in the form ``folder`` or one of FORMATS.

    A file is checked on ``images`` (files, folders, datasets), on the project's where none are
    named. Beside it is the card for people, with what ``data`` and the params file know. Returns
    the export's card.
    """
    if form == "folder":
        opened = open_model_folder(model, need_decision=True)
        return pack(opened, out, card=_card(opened, data, params_file))
    FORMATS[form].require(form)
    predictor = open_predictor(model, "cpu")
    shape = predictor.opened.image_shape
    inputs = find_inputs(images or _own_images(data), shape)
    checked_on = some_images(inputs, shape[:2], predictor.opened.reading(), _IMAGES)
    card = export(predictor, form, out, checked_on)
    with written_whole(out.with_name(f"{out.name}.md")) as file:
        file.write(_card(predictor.opened, data, params_file).encode())
    return card


def _card(opened: ModelFolder, data: Path, params_file: Path) -> str:
    """The card for people; that of an export which had one is handed on."""
    earlier = opened.folder / CARD
    if (opened.folder / EXPORT).is_file() and earlier.is_file():
        return earlier.read_text(encoding="utf-8")
    return model_card(stated(params_file), model_facts(opened, data))


def _own_images(data: Path) -> list[str]:
    own = data / "generated"
    if not own.is_dir():
        raise ParamsError(
            f"an export is checked on images before it is written, and {own} is not there: "
            "name some with --images."
        )
    return [str(own)]
