"""shapes: drawn and written on one core, beside Pillow at 4x; and on two cores beside one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs import write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.plain_shapes import draw_folder
from pipeline.dataset import schema
from pipeline.stages import generate


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The whole stage each time, labels, masks and factors included; Pillow draws fewer."""
    source = {"generator": "shapes", "role": "any", "count": sizes.drawn}
    section = {"image_size": sizes.side, "positive": None, "sources": [source]}
    params = write_params(folder / "params.yaml", {"generate": section})
    rng = np.random.default_rng(1)
    one = clock(lambda: generate.run(params, folder / "data", workers=1))
    script = clock(lambda: draw_folder(folder / "png", sizes.drawn_by_pillow, sizes.side, rng=rng))
    ours, few = interleave(one, script, rounds=sizes.rounds)
    yield Measurement(
        what="shapes: the stage, one core",
        peer="the drawing in Pillow at 4x, PNG folder",
        ours=ours,
        theirs=tuple(seconds * sizes.drawn / sizes.drawn_by_pillow for seconds in few),
        goal=Goal(kind="speed-up", bound=12),
        images=sizes.drawn,
    )
    # Ten times as much, so that starting processes weighs as little as in real work.
    source["count"] = 10 * sizes.drawn
    params = write_params(folder / "many.yaml", {"generate": section})
    several = schema.SHARD_BYTES
    schema.SHARD_BYTES = several // 8
    try:
        runs = [
            clock(lambda n=n: generate.run(params, folder / f"many{n}", workers=n)) for n in (2, 1)
        ]
        two, alone = interleave(*runs, rounds=sizes.rounds, warm_up=False)
    finally:
        schema.SHARD_BYTES = several
    yield Measurement(
        what="shapes: the stage, two processes",
        peer="one process",
        ours=two,
        theirs=alone,
        goal=Goal(kind="speed-up", bound=1.6),
        images=10 * sizes.drawn,
    )
