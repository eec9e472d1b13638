"""What the parts of the torture share: the project, chance, and what was counted."""

import random
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.torture import child
from benchmarks.torture.project import Project


@dataclass(kw_only=True)
class Run:
    """``peaks`` are bytes of processes, ``slowest`` seconds for which mutated files were read."""

    project: Project
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    peaks: list[int] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)

    def wrong(self, what: str, stage: str, ended: child.Ended) -> None:
        """Count what must not be, with the end of what was said."""
        self.counts[f"WRONG {what} [{stage}] {ended.said.strip()[-300:]!r}"] += 1
