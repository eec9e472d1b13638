"""The parts of the test set in which the model does worst."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raresight.pipeline.wording.glossary import factor_key


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One part of the test set; ``significant`` if it is worse than the rest beyond chance.

    ``low`` and ``high`` are None where it is of too few groups for an interval.
    """

    factor: str
    part: str
    value: float
    low: float | None
    high: float | None
    correct: int
    images: int
    significant: bool

    @property
    def key(self) -> str:
        """Where the glossary has its factor."""
        return factor_key(self.factor)


def worst(
    rows: Iterable[Mapping[str, str]], *, confidence: float, most: int = 8
) -> dict[str, tuple[Slice, ...]]:
    """By metric, the ``most`` worst of the rows of slices.tsv, which come worst first."""
    found: dict[str, list[Slice]] = {}
    for row in rows:
        slices = found.setdefault(row["metric"], [])
        if len(slices) < most and row["value"]:
            slices.append(_slice(row, 1 - confidence))
    return {metric: tuple(slices) for metric, slices in found.items()}


def _slice(row: Mapping[str, str], level: float) -> Slice:
    return Slice(
        factor=row["factor"].replace("_", " "),
        part=row["part"],
        value=float(row["value"]),
        low=_number(row["low"]),
        high=_number(row["high"]),
        correct=int(row["correct"]),
        images=int(row["images"]),
        significant=bool(row["p_adjusted"]) and float(row["p_adjusted"]) < level,
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
