"""glyphs: digits of the bundled fonts, drawn and written on one core, beside Pillow at 4x."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs import write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.plain_glyphs import draw_folder
from raresight.pipeline.stages import generate


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The whole stage, labels, masks, boxes and factors included; Pillow draws fewer.

    TRDG 1.8 stands at Pillow 9 (`FreeTypeFont` has no `getsize` from Pillow 10 on), and Synbols 1.0
    takes its fonts from a container image: neither runs beside Raresight.
    """
    source = {"generator": "glyphs", "count": sizes.drawn}
    section = {"image_size": sizes.side, "positive": None, "sources": [source]}
    params = write_params(folder / "params.yaml", {"generate": section})
    few, rng = sizes.drawn_by_script, np.random.default_rng(1)
    stage = clock(lambda: generate.run(params, folder / "data", workers=1))
    script = clock(lambda: draw_folder(folder / "png", few, sizes.side, rng=rng))
    ours, theirs = interleave(stage, script, rounds=sizes.rounds)
    yield Measurement(
        what="glyphs: the stage, one core",
        peer="the drawing in Pillow at 4x, PNG folder",
        ours=ours,
        theirs=tuple(seconds * sizes.drawn / few for seconds in theirs),
        goal=Goal(kind="speed-up", bound=12),
        images=sizes.drawn,
    )
