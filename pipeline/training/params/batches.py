"""Which images a batch holds and what is done to them: sampler, mixing, augmentation."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.params import Section


class SamplerParams(Section):
    """How often an epoch shows each class.

    ``shuffled`` shows every image once, ``balanced`` every class alike, ``square_root`` each by the
    root of its size; ``progressive`` goes from shuffled to balanced over the training.
    ``max_per_class`` first bounds the images of a class (a new draw every epoch; null: all).
    """

    name: Literal["shuffled", "balanced", "square_root", "progressive"]
    max_per_class: Annotated[int, Field(ge=1)] | None


class MixingParams(Section):
    """Each image with another one: blended (mixup), or a box of it pasted in (cutmix).

    The share that stays is drawn from Beta(alpha, alpha), for each image anew.
    """

    name: Literal["mixup", "cutmix"]
    alpha: Annotated[float, Field(gt=0, le=100)]


class BatchAugmentParams(Section):
    """Exact, cheap augmentation of every training batch: no pixel is interpolated."""

    flip: bool
    rotate90: bool
    shift: Annotated[int, Field(ge=0)]
