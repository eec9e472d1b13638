"""The generators that are built in, by the name that params.yaml gives them.

Each is imported when it is asked for: a worker that reads photographs compiles no drawing.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from raresight.generators.base import Generator


class Builtin(Mapping[str, type[Generator]]):
    """Generators by name, of places in code as ``module:class``."""

    def __init__(self, places: Mapping[str, str]):
        self._places = places

    def __getitem__(self, name: str) -> type[Generator]:
        module, _, kind = self._places[name].partition(":")
        found: type[Generator] = getattr(import_module(module), kind)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._places  # a Mapping's own would import it

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


GENERATORS = Builtin(
    {
        "carla": "raresight.generators.carla:Carla",
        "coco": "raresight.generators.formats.coco:Coco",
        "conveyor": "raresight.generators.conveyor:Conveyor",
        "folder": "raresight.generators.folder:Folder",
        "glyphs": "raresight.generators.glyphs:Glyphs",
        "huggingface": "raresight.generators.formats.huggingface:HuggingFace",
        "medmnist": "raresight.generators.formats.medmnist:MedMNIST",
        "pathology": "raresight.generators.pathology:Pathology",
        "shapes": "raresight.generators.shapes:Shapes",
        "street": "raresight.generators.street:Street",
        "table": "raresight.generators.table:Table",
        "textures": "raresight.generators.textures:Textures",
        "webdataset": "raresight.generators.formats.webdataset:WebDataset",
    }
)
