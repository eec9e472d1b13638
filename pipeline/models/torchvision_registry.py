"""The one door to torchvision, also where its compiled operators do not fit the installed torch.

A torchvision built for CUDA beside a CPU-only torch cannot load its native library, and then its
Python part fails to import only because it registers two operators that nobody declared. Declaring
them is enough for models and transforms, which do not call them.
"""

from types import ModuleType
from typing import Any

TIMM = "timm/"  # what the names of timm's networks begin with
_MISSING = ("nms", "qnms")
_libraries: list[Any] = []  # a declaration lives as long as its Library object


def models() -> ModuleType:
    """``torchvision.models``, imported on first use (it takes two seconds)."""
    try:
        from torchvision import models
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        _declare_operators()
        from torchvision import models
    return models


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in _MISSING:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)


def names() -> list[str]:
    """Every classifier that torchvision has."""
    library = models()
    return library.list_models(module=library)
