"""generate: tissue patches drawn and written on one core, beside the same drawing in Pillow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs import pathology, write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.plain_pillow import draw_folder
from raresight.pipeline.stages import generate


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The whole stage, checksums and contact sheet included, with compiled code in its cache.

    Pillow draws fewer patches (its time grows evenly with them) and neither masks nor factors.
    """
    amount = pathology(sizes.side, count=sizes.drawn, prevalence={"mitotic": 0.01})
    params = write_params(folder / "params.yaml", {"generate": amount})
    rng = np.random.default_rng(1)
    stage = clock(lambda: generate.run(params, folder / "data", workers=1))
    script = clock(lambda: draw_folder(folder / "png", sizes.drawn_by_script, sizes.side, rng=rng))
    ours, few = interleave(stage, script, rounds=sizes.rounds)
    theirs = tuple(seconds * sizes.drawn / sizes.drawn_by_script for seconds in few)
    for goal in (Goal(kind="rate", bound=8000), Goal(kind="speed-up", bound=5)):
        yield Measurement(
            what="generate: the stage, one core",
            peer="the drawing in Pillow, PNG folder",
            ours=ours,
            theirs=theirs,
            goal=goal,
            images=sizes.drawn,
        )
