"""The transforms that params.yaml may name: albumentations', by their names there.

The only module that imports the library, but for the arithmetic that shortcuts take from it.
"""

import os
import sys
from functools import cache
from types import ModuleType
from typing import Literal

Kind = Literal["spatial", "pixel"]

# The base classes, and the one that takes functions.
_NOT_FOR_FILES = ("DualTransform", "ImageOnlyTransform", "Lambda")


def transforms(kind: Kind | None = None) -> dict[str, type]:
    """Every transform by its name; of one ``kind``: those that move pixels, or that change values.

    Whether one can be used on an image of ours shows in :func:`recipe.problems` alone.
    """
    return {name: found for name, found in _all().items() if kind in (None, kind_of(found))}


def kind_of(transform: type) -> Kind:
    return "spatial" if issubclass(transform, _library().DualTransform) else "pixel"


@cache
def _all() -> dict[str, type]:
    library = _library()
    two_kinds = (library.DualTransform, library.ImageOnlyTransform)
    found = {name: value for name, value in vars(library).items() if isinstance(value, type)}
    return {
        name: value
        for name, value in sorted(found.items())
        if issubclass(value, two_kinds)
        and not issubclass(value, library.Transform3D)
        and name not in _NOT_FOR_FILES
    }


@cache
def _library() -> ModuleType:
    """Import albumentations without its call to the package index and without torch.

    It imports torch only to offer tensors, which nobody asks for here, and that takes two thirds of
    the import's time, in every worker.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    blocked = "torch" not in sys.modules
    if blocked:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        import albumentations
        import cv2
    finally:
        if blocked:
            del sys.modules["torch"]
    cv2.setNumThreads(0)  # the processes are the parallelism; one thread also means the same bits
    return albumentations
