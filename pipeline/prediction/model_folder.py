"""The folder of a model and the decision that was made for it, checked before anything is run.

In a project the decision lies beside the model (``data/model``, ``data/decision``); in a folder
that was exported, inside it, and ``export.json`` says so.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raresight.generators.image_file import AS_IT_IS, Reading
from raresight.pipeline.core.files import MANIFEST, manifest_problems, require_verified
from raresight.pipeline.core.inputs import read_mapping, understood
from raresight.pipeline.evaluation.decisions.kept import DECISION, KeptDecision, model_files
from raresight.pipeline.runtime.errors import (
    DataError,
    InputMissing,
    ParamsError,
    UnsafeError,
    listing,
    suggest,
)

EXPORT, INSIDE = "export.json", "decision"
CARD = "README.md"  # what the hub shows of a folder
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model on disk whose bytes are verified; ``decision`` is None where there is none for it."""

    folder: Path
    card: dict[str, Any]
    decision: KeptDecision | None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images that it takes."""
        height, width, channels = self.card["image_shape"]
        return height, width, channels

    @property
    def decided(self) -> KeptDecision:
        """The decision; InputMissing where evaluate has not decided anything."""
        if self.decision is None:
            raise InputMissing(
                f"no decision lies beside {self.folder}, so there are scores alone. "
                "Run `raresight evaluate`."
            )
        return self.decision

    def reading(self, source: str | None = None) -> Reading:
        """How image files become what it takes: as those of the ``source`` did that it learned
        from; ParamsError where that is not known, or where several did in different ways."""
        known = {name: Reading.of_json(one) for name, one in self.card.get("readings", {}).items()}
        if source is not None:
            if source not in known:
                raise ParamsError(f"--like: no source '{source}'. {suggest(source, known)}")
            return known[source]
        if len(set(known.values())) > 1:
            told = [f"{name}: {_told(one)}" for name, one in known.items()]
            raise ParamsError(
                "the model learned from files that were read in different ways:\n"
                f"{listing(told)}\n`--like NAME` says which of them new ones are like."
            )
        return next(iter(known.values()), AS_IT_IS)


def _told(reading: Reading) -> str:
    return ", ".join(f"{key} {value}" for key, value in reading.as_json().items())


def open_model_folder(folder: Path, *, need_decision: bool = False) -> ModelFolder:
    """Check and read the model of a folder, and its decision.

    Raises InputMissing where there is no model, or no decision though it is needed; DataError where
    bytes are missing, changed or of another version; UnsafeError where the decision was made for
    another model, whose threshold would mean nothing for this one.
    """
    exported = (folder / EXPORT).is_file()
    if exported:
        _check_export(folder)
    else:
        require_verified(folder, "train")
    place = folder / INSIDE if exported else folder.parent / "decision"
    decision = None
    if exported or (place / MANIFEST).is_file():
        if not exported:
            require_verified(place, "evaluate")
        decision = KeptDecision.read(place)
        _check_pair(folder, place, decision)
    elif need_decision:
        raise InputMissing(
            f"{place} is not there, so nobody has chosen a threshold for {folder}. "
            "Run `raresight evaluate` or `dvc repro`."
        )
    return ModelFolder(folder=folder, card=_card(folder), decision=decision)


def _card(folder: Path) -> dict[str, Any]:
    place = folder / "model.json"
    card = read_mapping(place)
    with understood(str(place), "Run `raresight train` again."):
        height, width, channels = card["image_shape"]
        if min(height, width, channels) < 1:
            raise ValueError(f"image_shape is {card['image_shape']}")
        [Reading.of_json(one) for one in card.get("readings", {}).values()]
    return card


def _check_export(folder: Path) -> None:
    if not (folder / MANIFEST).is_file():
        raise DataError(f"{folder} is no complete export: {folder / MANIFEST} is missing.")
    if problems := manifest_problems(folder, free=_of_people):
        raise DataError(
            f"{folder} is not what was exported:\n{listing(problems)}\n"
            "Copy it again from where it came from, or export the model again."
        )
    if read_mapping(folder / EXPORT).get("format") != FORMAT:
        raise DataError(
            f"{folder} was exported by a version of Raresight whose format is not {FORMAT}. "
            "Use the version that wrote it, or export the model again."
        )


def _of_people(path: Path) -> bool:
    """The card, which people edit, and what Git and the hub add to a folder."""
    return path == Path(CARD) or path.parts[0].startswith(".")


def _check_pair(folder: Path, place: Path, decision: KeptDecision) -> None:
    found = model_files(folder)
    if different := [name for name, digest in decision.model.items() if found.get(name) != digest]:
        raise UnsafeError(
            f"{place / DECISION} was made for another model than {folder} holds "
            f"({', '.join(different)} differ), so its threshold and probabilities would be wrong. "
            "Run `raresight evaluate` again."
        )
