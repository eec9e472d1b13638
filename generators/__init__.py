"""Generators draw labelled images; they know nothing of the pipeline that uses them."""

from generators.base import Generator
from generators.folder import Folder
from generators.pathology import Pathology
from generators.shapes import Shapes

GENERATORS: dict[str, type[Generator]] = {
    "folder": Folder,
    "pathology": Pathology,
    "shapes": Shapes,
}
