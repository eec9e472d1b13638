"""Frames of CARLA as samples: is a pedestrian on the carriageway?

A stream is recorded first, from a live server or from a stand-in (see ``record``), and read from
there: a server does not give the same frames twice, a record does. The class is read from the
sensors: `crossing` where a pedestrian on a lane for cars shows enough pixels.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample
from raresight.generators.carla import decode
from raresight.generators.carla.record import Replay, Snapshot, Stream
from raresight.generators.drawing.objects import box_around, shuffled

CROSSING, CLEAR = "crossing", "clear"


class CarlaOptions(Options):
    """Which record, and what makes a frame `crossing`.

    - ``path``: folder of the record.
    - ``every``: takes each n-th tick alone. Ticks that follow each other show nearly the same, and
      would stand in training and test both: a second (20 ticks of 0.05 s) or more lies well apart.
    - ``min_visible``: pixels of a pedestrian, in the size of the samples.
    """

    path: Annotated[str, Field(min_length=1)]
    every: Annotated[int, Field(ge=1, le=100_000_000)] = 1
    min_visible: Annotated[int, Field(ge=1, le=100_000_000)] = 12

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.path,)


class Carla(Generator):
    """See the module. All ticks of the record are taken, in their order.

    Frames that are not square are cut to their middle, then brought to the samples' size: colours
    by averaging, everything else by the nearest pixel.
    """

    summary = "frames of a recorded CARLA stream: is a pedestrian on the carriageway?"
    options = CarlaOptions
    columns = ("mask", "boxes", "instances", "depth")
    countable = False
    stream = 3
    libraries = ("numpy", "pillow")
    classes = (CLEAR, CROSSING)
    factors: ClassVar = {
        "frame": ("float", "number of the tick"),
        "timestamp": ("float", "seconds of simulated time"),
        "map": ("string", "where it was recorded"),
        "walkers": ("float", "pedestrians in the world, seen or not"),
        "distance": ("float", "metres to the nearest pedestrian who crosses; none in clear"),
        "visible": ("float", "pixels of the mask: what is seen of those who cross; 0 in clear"),
    }

    label_factors = ("distance", "visible")
    outcomes = ("walkers",)  # those who cross are among them

    config: CarlaOptions

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of each class in the record."""
        labels = [record.label for record in self._records("")]
        return {label: labels.count(label) / max(1, len(labels)) for label in self.classes}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every n-th tick of the record, with the class that its sensors show.

        Raises FileNotFoundError without a record, BadImages where it is damaged or empty.
        """
        if not (records := self._records(f"{name}-")):
            raise BadImages(f"the CARLA record '{self.config.path}' holds no tick.")
        return [records]

    def _records(self, prefix: str) -> list[Record]:
        folder = Path(self.config.path)
        replay = _replay(folder)
        return [
            Record(
                id=f"{prefix}{k:07d}",
                label=sample_of(replay[k], self.image_size, self.config.min_visible).label,
                path=folder,
            )
            for k in range(0, len(replay), self.config.every)
        ]

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's tick; nothing is random but the order in which objects are numbered."""
        replay = _replay(record.file)
        snapshot = replay[int(record.id.rsplit("-", 1)[-1])]
        sample = sample_of(snapshot, self.image_size, self.config.min_visible)
        # The simulator's own numbers tell who was spawned last: those who cross.
        assert sample.instances is not None
        anew = {
            "instances": shuffled(sample.instances, rng),
            "factors": {**sample.factors, "map": replay.meta.map},
        }
        return Sample(**{**vars(sample), **anew})


@contextmanager
def open_stream(server: str | None, *, size: int, seed: int, crossing: float) -> Iterator[Stream]:
    """A stream to record: from the ``server`` at ``host:port``, or (None) staged with the game
    engine's street, where somebody is meant to cross in a share ``crossing`` of the ticks.

    Raises Unavailable where the client, the server or the engine is not there.
    """
    if server is None:
        from raresight.generators.carla.staged import StagedCarla

        yield StagedCarla(size=size, seed=seed, crossing=crossing)
        return
    from raresight.generators.carla.live import EXTRA, LiveCarla

    EXTRA.require("a live CARLA server")
    host, _, port = server.partition(":")
    carla = importlib.import_module("carla")
    with LiveCarla(carla, host=host, port=int(port or 2000), size=size, seed=seed) as stream:
        yield stream


def _replay(folder: Path) -> Replay:
    """The record as it is now: read once in a process, and again when it was recorded anew."""
    rows = folder / "ticks.jsonl"
    return _opened(folder, rows.stat().st_mtime_ns if rows.is_file() else 0)


@lru_cache(maxsize=4)
def _opened(folder: Path, written: int) -> Replay:
    return Replay(folder)


def sample_of(snapshot: Snapshot, size: int, min_visible: int) -> Sample:
    """One tick, live or recorded, as a sample of ``size`` pixels a side."""
    shots = snapshot.shots
    seen = []
    for actor, shown in decode.seen_on_carriageway(snapshot):
        area = _squared(shown.astype(np.uint8), size) > 0
        if area.sum() >= min_visible:
            seen.append((actor, area))
    mask = np.zeros((size, size), bool)
    for _, area in seen:
        mask |= area
    factors = {
        "frame": snapshot.frame,
        "timestamp": snapshot.timestamp,
        "walkers": sum(decode.PEDESTRIAN in actor.tags for actor in snapshot.actors),
        "distance": min((decode.distance(snapshot, actor) for actor, _ in seen), default=None),
        "visible": int(mask.sum()),
    }
    return Sample(
        image=_squared(decode.colours(shots["rgb"]), size),
        label=CROSSING if seen else CLEAR,
        mask=mask.astype(np.uint8),
        boxes=[box_around(area) for _, area in seen],
        instances=_squared(decode.instances(shots["instance"]), size),
        depth=_squared(decode.depth(shots["depth"]), size),
        factors=factors,
    )


def _squared(pixels: np.ndarray, size: int) -> np.ndarray:
    """The middle square of a frame at ``size`` pixels a side; colours (H, W, 3) are averaged."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    if square.ndim == 3:
        shrunk = Image.fromarray(np.ascontiguousarray(square))
        return np.asarray(shrunk.resize((size, size), Image.Resampling.BOX))
    nearest = ((np.arange(size) + 0.5) * side / size).astype(int)
    return np.ascontiguousarray(square[np.ix_(nearest, nearest)])
