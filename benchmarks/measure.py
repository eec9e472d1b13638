"""Timing several ways of doing the same work in turn, and judging the ratio against a goal."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Timer = Callable[[], float]  # does the work once and returns its seconds

_UNITS = {"speed-up": "x", "share": "x", "rate": "/s", "seconds": " s", "decibels": " dB"}


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much work is measured.

    ``rounds`` counts the interleaved repetitions after the warm-up, ``side`` is an image's in
    pixels; the others count images: drawn by us and by the scripts, drawn in parallel with a side
    of ``large_side``, stored, to be copied, learned from, and read from photographs. ``judged`` are
    the numbers of scores that are evaluated.
    """

    rounds: int
    side: int
    drawn: int
    drawn_by_script: int
    large_side: int
    drawn_in_parallel: int
    stored: int
    copied: int
    learned: int
    read: int
    judged: tuple[int, ...]


FULL = Sizes(
    rounds=5,
    side=64,
    drawn=10_000,
    drawn_by_script=400,
    large_side=224,
    drawn_in_parallel=20_000,
    stored=20_000,
    copied=400,
    learned=4000,
    read=20_000,
    judged=(100_000, 1_000_000),
)
QUICK = Sizes(
    rounds=3,
    side=64,
    drawn=2000,
    drawn_by_script=100,
    large_side=224,
    drawn_in_parallel=4000,
    stored=4000,
    copied=100,
    learned=1000,
    read=400,
    judged=(100_000,),
)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What to reach: at most ``bound`` for a share or seconds, at least for the others.

    A speed-up is the peer's time over ours, a share ours over the peer's, a rate images a second,
    decibels how near our images come to exact ones.
    """

    kind: Literal["speed-up", "share", "rate", "seconds", "decibels"]
    bound: float

    @property
    def at_least(self) -> bool:
        return self.kind not in ("share", "seconds")

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:,g}{_UNITS[self.kind]}"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of the table: seconds (or decibels) of each round, ours and the peer's.

    ``missing`` says why the peer was not measured, or neither was; what was not is empty.
    """

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    goal: Goal
    images: int | None = None
    missing: str | None = None

    @property
    def values(self) -> list[float]:
        """What the goal is about, round by round."""
        pairs = list(zip(self.ours, self.theirs, strict=True))
        return {
            "speed-up": lambda: [theirs / ours for ours, theirs in pairs],
            "share": lambda: [ours / theirs for ours, theirs in pairs],
            "rate": lambda: [self.images / ours for ours in self.ours],
            "seconds": lambda: list(self.ours),
            "decibels": lambda: list(self.ours),
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
            "unit": "decibels" if self.goal.kind == "decibels" else "seconds",
            "ours": self.ours,
            "theirs": self.theirs,
            "kind": self.goal.kind,
            "goal": self.goal.bound,
            **self._verdict(),
        }

    def _verdict(self) -> dict[str, Any]:
        if self.missing:
            return {"missing": self.missing}
        low, high = min(self.values), max(self.values)
        return {"median": self.median, "low": low, "high": high, "met": self.met}


def clock(work: Callable[[], Any], *, before: Callable[[], Any] = lambda: None) -> Timer:
    """A timer of the wall-clock time that ``work`` takes; ``before`` is not timed."""

    def timer() -> float:
        before()
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
