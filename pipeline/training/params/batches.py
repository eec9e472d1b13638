"""What is done to the images of a batch: mixing, augmentation."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Fraction, FractionAboveZero, FractionBelowOne


class MixingParams(Section):
    """Each image with another one: blended (mixup), or a box of it pasted in (cutmix).

    The share that stays is drawn from Beta(alpha, alpha), for each image.
    """

    name: Literal["mixup", "cutmix"] = "mixup"
    alpha: Annotated[float, Field(gt=0, le=100)] = 0.2


class ValidationParams(Section):
    """How many validation images of a class every epoch is judged on (null: all of them).

    The same random ones in every epoch, each counted for as many as it stands for: the curves show
    what all would, a little less surely. What ``evaluate`` chooses and reports is of all.
    """

    max_per_class: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class BatchAugmentParams(Section):
    """Augmentation of every training batch, on the device.

    - ``flip``, ``rotate90`` (quarter turns) and ``shift`` (pixels) move pixels and change none.
    - ``crop`` is the smallest share of the side that a window keeps (1: no crops), ``rotation`` the
      largest angle in degrees: both interpolate.
    - ``brightness``, ``contrast`` and ``saturation`` are scaled by at most so much more or less.
    - ``erasing`` is the chance that a box is filled with the image's mean color.
    """

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    rotate90: bool = False
    shift: Annotated[int, Field(ge=0, le=1024)] = 0
    crop: FractionAboveZero = 1.0
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    brightness: FractionBelowOne = 0.0
    contrast: FractionBelowOne = 0.0
    saturation: FractionBelowOne = 0.0
    erasing: Fraction = 0.0

    @property
    def exact_moves(self) -> frozenset[str]:
        """The transforms of albumentations that every image may be put through already.

        Those that move whole pixels: a copy moved so looks like any other image of the batch.
        """
        if self.rotate90 and self.flip != "none":  # all eight symmetries of the square
            return frozenset(
                ("HorizontalFlip", "VerticalFlip", "RandomRotate90", "Transpose", "D4")
            )
        moves = {
            "HorizontalFlip": self.flip in ("horizontal", "both"),
            "VerticalFlip": self.flip in ("vertical", "both"),
            "RandomRotate90": self.rotate90,
        }
        return frozenset(name for name, made in moves.items() if made)
