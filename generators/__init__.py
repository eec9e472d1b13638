"""Generators draw labelled images; they know nothing of the pipeline that uses them."""

from generators.base import Generator
from generators.carla import Carla
from generators.conveyor import Conveyor
from generators.folder import Folder
from generators.glyphs import Glyphs
from generators.pathology import Pathology
from generators.shapes import Shapes
from generators.street import Street
from generators.textures import Textures

GENERATORS: dict[str, type[Generator]] = {
    "carla": Carla,
    "conveyor": Conveyor,
    "folder": Folder,
    "glyphs": Glyphs,
    "pathology": Pathology,
    "shapes": Shapes,
    "street": Street,
    "textures": Textures,
}
