"""shapes: drawn and written on one core, beside Pillow at 4x and beside pycairo; how exact each of
them is; and two processes beside one."""

import shutil
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import plain_shapes, supersampled
from benchmarks.inputs import write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.scenes import drawn_by_us
from raresight.generators.drawing.outline import SHAPES
from raresight.pipeline.stages import generate

_PEERS = {  # how they draw, and how many times as fast the stage is to be
    "the drawing in Pillow at 4x": (plain_shapes.with_pillow, 12),
    "the drawing in pycairo": (plain_shapes.with_cairo, 9),
}
_NOT_INSTALLED = "not installed: pip install 'raresight[bench]', after Debian's libcairo2-dev"


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The whole stage each time, labels, masks, boxes and factors included."""
    there = {
        name: draw
        for name, (draw, _) in _PEERS.items()
        if draw is not plain_shapes.with_cairo or find_spec("cairo")
    }
    yield from _beside_scripts(folder, sizes, there)
    yield from _exactness(sizes, there)
    yield _two_processes(folder, sizes)


def _stage(folder: Path, side: int, count: int, workers: int):
    source = {"generator": "shapes", "count": count}
    section = {"image_size": side, "positive": None, "sources": [source]}
    params, data = folder / f"{side}-{count}.yaml", folder / "data"
    write_params(params, {"generate": section})
    # As DVC does, which deletes what a stage is to write anew.
    remove = partial(shutil.rmtree, data, ignore_errors=True)
    return clock(lambda: generate.run(params, data, workers=workers), before=remove)


def _beside_scripts(folder: Path, sizes: Sizes, there: dict) -> Iterator[Measurement]:
    """The scripts draw fewer images, neither masks nor factors; their time grows evenly."""
    few, rng = sizes.drawn_by_script, np.random.default_rng(1)
    scripts = [
        clock(lambda draw=draw: plain_shapes.draw_folder(
            folder / "png", few, sizes.side, rng=rng, render=draw
        ))
        for draw in there.values()
    ]  # fmt: skip
    stage = _stage(folder, sizes.side, sizes.drawn, workers=1)
    ours, *theirs = interleave(stage, *scripts, rounds=sizes.rounds)
    measured = dict(zip(there, theirs, strict=True))
    for name, (_, bound) in _PEERS.items():
        yield Measurement(
            what="shapes: the stage, one core",
            peer=f"{name}, PNG folder",
            ours=ours,
            theirs=tuple(t * sizes.drawn / few for t in measured.get(name, ())),
            goal=Goal(kind="speed-up", bound=bound),
            images=sizes.drawn,
            missing=None if name in measured else _NOT_INSTALLED,
        )


def _exactness(sizes: Sizes, there: dict) -> Iterator[Measurement]:
    """One image of each shape a round, without noise: the signal over the error in all of them."""
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in there}
    for seed in range(sizes.rounds):
        images, scenes = zip(
            *(drawn_by_us(s, sizes.side, seed) for s in sorted(SHAPES)), strict=True
        )
        exact = [supersampled.draw(scene) for scene in scenes]
        ours.append(supersampled.decibels(images, exact))
        for name, draw in there.items():
            theirs[name].append(supersampled.decibels([draw(s) for s in scenes], exact))
    for name in _PEERS:
        yield Measurement(
            what="shapes: nearness to 16x16 points a pixel",
            peer=name,
            ours=tuple(ours),
            theirs=tuple(theirs.get(name, ())),
            goal=Goal(kind="decibels", bound=45),
            missing=None if name in there else _NOT_INSTALLED,
        )


def _two_processes(folder: Path, sizes: Sizes) -> Measurement:
    """A second of each process goes into starting it, so the work has to be worth its while."""
    side, count = sizes.large_side, sizes.drawn_in_parallel
    runs = [_stage(folder, side, count, workers) for workers in (2, 1)]
    two, alone = interleave(*runs, rounds=sizes.rounds, warm_up=False)
    return Measurement(
        what=f"shapes: the stage, {side} pixels, two processes",
        peer="one process",
        ours=two,
        theirs=alone,
        goal=Goal(kind="speed-up", bound=1.6),
        images=count,
    )
