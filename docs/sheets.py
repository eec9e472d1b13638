"""Draw the contact sheets of the documentation: ``python docs/sheets.py [NAME...]``

Needs the extras [simulator] and [game-engine], and the real digits (``make digits``).
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from raresight.generators import registry
from raresight.pipeline.commands import carla_record
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.generation.params import GenerateParams
from raresight.pipeline.report.figures.contact_sheet import write_sheet
from raresight.pipeline.stages import generate

DOCS = Path(__file__).resolve().parent
_TICKS = 40  # of the staged CARLA record


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A sheet of a scenario: ``shown`` images a class, of so many as the scenario draws, or of
    ``each`` a class where they take long; ``side`` is that of an image, if not the scenario's."""

    scenario: str
    shown: int = 8
    each: int | None = None
    side: int | None = None


PICTURES = {
    "pathology.jpg": Picture(scenario="pathology", shown=12),
    "conveyor.jpg": Picture(scenario="conveyor", each=8, side=128),
    "street.jpg": Picture(scenario="street", each=8, side=128),
    "sheets/carla.jpg": Picture(scenario="carla", side=128),
    "sheets/digits-sim2real.jpg": Picture(scenario="digits-sim2real", shown=5),
    "sheets/inspection.jpg": Picture(scenario="inspection"),
    "sheets/shapes.jpg": Picture(scenario="shapes"),
}


def draw(picture: Picture, target: Path) -> None:
    """Draw the scenario's images in a temporary folder, and write the sheet."""
    yaml = YAML(typ="safe")
    section = yaml.load(DOCS.parent / f"params/{picture.scenario}.yaml")["generate"]
    own = section.get("image_size", GenerateParams.model_fields["image_size"].default)
    section["image_size"] = picture.side or own
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in section["sources"]:
            _prepare(source, picture, folder, section["image_size"])
        params = folder / "params.yaml"
        yaml.dump({"generate": section}, params)
        made = Dataset(generate.run(params, folder / "data"))
        write_sheet(made, target, per_class=picture.shown)


def _prepare(source: dict[str, Any], picture: Picture, folder: Path, side: int) -> None:
    """As few images as are needed, and a record to read where the source reads one."""
    if picture.each is not None:
        source.pop("count"), source.pop("prevalence")
        classes = registry.find(source["generator"]).classes
        source["counts"] = dict.fromkeys(classes, picture.each)
    if source["generator"] == "carla":
        record = folder / "record"
        carla_record.run(record, server=None, ticks=_TICKS, size=side, seed=1, crossing=0.4)
        source["options"]["path"] = str(record)


if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        draw(PICTURES[name], DOCS / name)
        print(f"docs/{name}: {(DOCS / name).stat().st_size / 1000:.0f} KB")
