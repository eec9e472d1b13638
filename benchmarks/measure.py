"""Timing several ways of doing the same work in turn, and judging the ratio against a goal."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Timer = Callable[[], float]  # does the work once and returns its seconds

_UNITS = {"speed-up": "x", "share": "x", "rate": "/s", "seconds": " s"}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much work is measured.

    ``rounds`` counts the interleaved repetitions after the warm-up, ``side`` is an image's in
    pixels; the others count images: drawn by us and by Pillow, stored, to be copied, and learned
    from. ``judged`` are the numbers of scores that are evaluated.
    """

    rounds: int
    side: int
    drawn: int
    drawn_by_pillow: int
    stored: int
    copied: int
    learned: int
    judged: tuple[int, ...]


FULL = Sizes(
    rounds=5,
    side=64,
    drawn=4000,
    drawn_by_pillow=400,
    stored=20_000,
    copied=400,
    learned=4000,
    judged=(100_000, 1_000_000),
)
QUICK = Sizes(
    rounds=3,
    side=64,
    drawn=2000,
    drawn_by_pillow=100,
    stored=4000,
    copied=100,
    learned=1000,
    judged=(100_000,),
)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What to reach: at least ``bound`` for a speed-up or a rate, at most for a share or seconds.

    A speed-up is the peer's time over ours, a share ours over the peer's, a rate images a second.
    """

    kind: Literal["speed-up", "share", "rate", "seconds"]
    bound: float

    @property
    def at_least(self) -> bool:
        return self.kind in ("speed-up", "rate")

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:,g}{_UNITS[self.kind]}"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of the table: seconds of each round, ours and the peer's, for the same work."""

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    goal: Goal
    images: int | None = None

    @property
    def values(self) -> list[float]:
        """What the goal is about, round by round."""
        pairs = list(zip(self.ours, self.theirs, strict=True))
        return {
            "speed-up": lambda: [theirs / ours for ours, theirs in pairs],
            "share": lambda: [ours / theirs for ours, theirs in pairs],
            "rate": lambda: [self.images / ours for ours in self.ours],
            "seconds": lambda: list(self.ours),
        }[self.goal.kind]()

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        bound = self.goal.bound
        return self.median >= bound if self.goal.at_least else self.median <= bound

    def as_json(self) -> dict[str, Any]:
        """The row with its raw seconds, for ``--json``."""
        return {
            "what": self.what,
            "peer": self.peer,
            "images": self.images,
            "ours_seconds": self.ours,
            "peer_seconds": self.theirs,
            "kind": self.goal.kind,
            "median": self.median,
            "low": min(self.values),
            "high": max(self.values),
            "goal": self.goal.bound,
            "met": self.met,
        }


def clock(work: Callable[[], Any]) -> Timer:
    """A timer of the wall-clock time that ``work`` takes."""

    def timer() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return timer


def interleave(*timers: Timer, rounds: int, warm_up: bool = True) -> list[tuple[float, ...]]:
    """The seconds of each timer, called in turn ``rounds`` times so that all share the weather.

    With ``warm_up`` each is called once before: caches fill, and memory is there.
    """
    if warm_up:
        for timer in timers:
            timer()
    turns = [[timer() for timer in timers] for _ in range(rounds)]
    return list(zip(*turns, strict=True))
