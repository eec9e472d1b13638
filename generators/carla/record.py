"""A stream of CARLA's sensors, kept on disk so that it can be read again as it came.

    meta.json            client, map, weather, seconds a tick, seed, and each sensor's attributes
    ticks.jsonl          a line a tick: frame, time, each sensor's 4x4 matrix and view, actors
    rgb.bgra ...         the frames of one sensor one after another, raw BGRA bytes

Lengths are metres in CARLA's left-handed coordinates: x ahead, y right, z up. A matrix takes points
of a sensor or an actor to the world, as ``carla.Transform.get_matrix`` gives it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from raresight.generators.base import BadImages

FORMAT = 1
SENSORS = ("rgb", "semantic", "instance", "depth")
Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What is true of a whole stream."""

    client: str
    map: str
    weather: Mapping[str, float] | None
    fixed_delta_seconds: float
    seed: int
    width: int
    height: int
    sensors: Mapping[str, Mapping[str, str]]
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Something that moves: ``box`` is the centre of its bounding box in its own coordinates and
    half the box's size, ``lane`` the kind of lane below it (None off the road)."""

    id: int
    type_id: str
    tags: tuple[int, ...]
    matrix: Matrix
    box: tuple[tuple[float, float, float], tuple[float, float, float]]
    lane: str | None


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One sensor's frame: ``pixels`` uint8 (H, W, 4) in BGRA, its matrix and field of view."""

    pixels: np.ndarray
    matrix: Matrix
    fov: float


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All sensors' frames of one tick, and the actors at that moment."""

    frame: int
    timestamp: float
    shots: Mapping[str, Shot]
    actors: tuple[Actor, ...]


class Stream(Protocol):
    """Where snapshots come from: a live server, a record, or a stand-in."""

    meta: Meta

    def tick(self) -> Snapshot: ...


def write(stream: Stream, folder: Path, ticks: int) -> None:
    """Record ``ticks`` snapshots below ``folder``, which must not hold a record yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "meta.json").open("x", encoding="utf-8") as file:
        json.dump(asdict(stream.meta), file, indent=2)
    with (folder / "ticks.jsonl").open("w", encoding="utf-8", newline="\n") as rows:
        for _ in range(ticks):
            snapshot = stream.tick()
            for name in SENSORS:
                with (folder / f"{name}.bgra").open("ab") as pixels:
                    pixels.write(np.ascontiguousarray(snapshot.shots[name].pixels).tobytes())
            rows.write(json.dumps(_row(snapshot)) + "\n")


def _row(snapshot: Snapshot) -> dict[str, Any]:
    sensors = {name: {"matrix": s.matrix, "fov": s.fov} for name, s in snapshot.shots.items()}
    return {
        "frame": snapshot.frame,
        "timestamp": snapshot.timestamp,
        "sensors": sensors,
        "actors": [asdict(actor) for actor in snapshot.actors],
    }


class Replay:
    """A record, tick by tick or at any tick; frames stay on disk until they are asked for.

    Raises FileNotFoundError where there is no record, BadImages where it is damaged.
    """

    def __init__(self, folder: Path):
        if not (folder / "meta.json").is_file():
            raise FileNotFoundError(
                f"'{folder}' holds no CARLA record (meta.json). Make one from a server or without: "
                f"raresight carla-record {folder} --help"
            )
        self.folder = folder
        try:
            self.meta = Meta(**json.loads((folder / "meta.json").read_text(encoding="utf-8")))
            lines = (folder / "ticks.jsonl").read_text(encoding="utf-8").splitlines()
            self._rows = [json.loads(line) for line in lines]
        except (ValueError, TypeError, FileNotFoundError) as error:
            raise BadImages(f"'{folder}' is not a CARLA record: {error}.") from None
        if self.meta.format != FORMAT:
            raise BadImages(f"'{folder}' has format {self.meta.format}, not {FORMAT}.")
        self._frames = {name: self._mapped(name) for name in SENSORS}
        self._next = 0

    def _mapped(self, name: str) -> np.ndarray:
        path, shape = self.folder / f"{name}.bgra", (self.meta.height, self.meta.width, 4)
        needed = len(self._rows) * int(np.prod(shape))
        found = path.stat().st_size if path.is_file() else 0
        if found < needed:
            raise BadImages(
                f"'{path}' holds {found:,} bytes; {len(self._rows)} ticks need {needed:,}. "
                "The recording was cut short: remove the last lines of ticks.jsonl, or record anew."
            )
        if not needed:
            return np.empty((0, *shape), np.uint8)
        return np.memmap(path, np.uint8, "r", shape=(len(self._rows), *shape))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, k: int) -> Snapshot:
        row = self._rows[k]
        shots = {
            name: Shot(pixels=np.asarray(self._frames[name][k]), **row["sensors"][name])
            for name in SENSORS
        }
        return Snapshot(
            frame=row["frame"],
            timestamp=row["timestamp"],
            shots=shots,
            actors=tuple(Actor(**actor) for actor in row["actors"]),
        )

    def __iter__(self) -> Iterator[Snapshot]:
        return (self[k] for k in range(len(self)))

    def tick(self) -> Snapshot:
        """The next snapshot; StopIteration after the last."""
        if self._next == len(self):
            raise StopIteration
        self._next += 1
        return self[self._next - 1]
