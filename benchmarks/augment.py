"""augment: label-safe copies from shard to shard, beside the bare albumentations loop."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs import draw, pathology, write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from raresight.pipeline.augmentation import recipe
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.core.params import load_section
from raresight.pipeline.stages import augment

# What most images of microscopes are put through, by albumentations' names.
_RECIPE = {
    "copies": {"mitotic": 8},
    "spatial": [
        {"name": "HorizontalFlip", "p": 0.5},
        {"name": "VerticalFlip", "p": 0.5},
        {
            "name": "Affine",
            "p": 0.7,
            "rotate": [-180, 180],
            "translate_percent": [-0.1, 0.1],
            "scale": [0.9, 1.1],
            "border_mode": 4,
        },
    ],
    "pixel": [
        {"name": "RandomBrightnessContrast", "brightness_limit": 0.1, "contrast_limit": 0.1},
        {
            "name": "HueSaturationValue",
            "hue_shift_limit": 6,
            "sat_shift_limit": 15,
            "val_shift_limit": 0,
        },
    ],
}


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """Eight copies, turned and recolored, of the positive tenth of a set.

    The loop has its images in memory and throws the copies away. The stage also checks its input's
    sha256, redraws copies that lost their label, judges each transform, writes and draws a sheet.
    """
    counts = {"mitotic": sizes.copied, "normal": 9 * sizes.copied}
    amount = pathology(sizes.side, counts=counts)
    params = write_params(folder / "params.yaml", {"generate": amount, "augment": _RECIPE})
    dataset = draw(params, folder / "data")
    section = load_section(params, "augment", AugmentParams)
    rows = np.flatnonzero(dataset.labels == "mitotic")
    originals = list(zip(dataset.images[rows], dataset.masks[rows], strict=True))
    ours, theirs = interleave(
        clock(lambda: augment.run(params, folder / "data", workers=1)),
        clock(_bare_loop(section, originals)),
        rounds=sizes.rounds,
    )
    yield Measurement(
        what="augment: the stage, one core",
        peer="A.Compose loop in memory",
        ours=ours,
        theirs=theirs,
        goal=Goal(kind="speed-up", bound=0.9),
        images=len(rows) * section.copies["mitotic"],
    )


def _bare_loop(section: AugmentParams, originals: list[tuple[np.ndarray, np.ndarray]]):
    transforms = recipe.build([*section.spatial, *section.pixel]).transforms
    from albumentations import Compose  # the recipe imported it, without torch

    policy = Compose(list(transforms), seed=1)

    def loop() -> None:
        for image, mask in originals:
            for _ in range(section.copies["mitotic"]):
                policy(image=image, mask=mask)

    return loop
