"""The generators that are built in, by the name that params.yaml gives them."""

from raresight.generators.base import Generator
from raresight.generators.carla import Carla
from raresight.generators.conveyor import Conveyor
from raresight.generators.folder import Folder
from raresight.generators.formats.coco import Coco
from raresight.generators.formats.huggingface import HuggingFace
from raresight.generators.formats.medmnist import MedMNIST
from raresight.generators.formats.webdataset import WebDataset
from raresight.generators.glyphs import Glyphs
from raresight.generators.pathology import Pathology
from raresight.generators.shapes import Shapes
from raresight.generators.street import Street
from raresight.generators.table import Table
from raresight.generators.textures import Textures

GENERATORS: dict[str, type[Generator]] = {
    "carla": Carla,
    "coco": Coco,
    "conveyor": Conveyor,
    "folder": Folder,
    "glyphs": Glyphs,
    "huggingface": HuggingFace,
    "medmnist": MedMNIST,
    "pathology": Pathology,
    "shapes": Shapes,
    "street": Street,
    "table": Table,
    "textures": Textures,
    "webdataset": WebDataset,
}
