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


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The policy of params.yaml on the positive tenth of a set.

    The loop has its images in memory and throws the copies away. The stage also checks its input's
    sha256, redraws copies that lost their label, judges each transform, writes and draws a sheet.
    """
    counts = {"mitotic": sizes.copied, "normal": 9 * sizes.copied}
    amount = pathology(sizes.side, counts=counts)
    params = write_params(folder / "params.yaml", {"generate": amount})
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
