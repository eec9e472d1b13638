"""Real images that show the same: found, listed and told, as ``split.near_duplicates`` says."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.runtime.errors import DataError, listing
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.joining import across
from raresight.pipeline.splitting.near_duplicates import MOST, Pair, Stack, near_duplicates

FILE = "near_duplicates.csv"
_COLUMNS = (
    "first", "second", "similarity", "orientation", "first_label", "second_label", "first_split",
    "second_split", "first_id", "second_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Pairs of images that show the same, and of all n images: ``names`` (files), ``ids`` and
    ``labels``, str (n,). ``compared`` is how many were compared with each other."""

    pairs: Sequence[Pair]
    compared: int
    names: np.ndarray
    ids: np.ndarray
    labels: np.ndarray

    @property
    def contradicting(self) -> list[Pair]:
        """Those whose images have different labels."""
        return [one for one in self.pairs if self.labels[one.first] != self.labels[one.second]]

    def line(self, pair: Pair, splits: np.ndarray) -> str:
        """``a.png (ill, train) = b.png (well, test)``."""
        both = [
            f"{self.names[row]} ({self.labels[row]}, {splits[row]})"
            for row in (pair.first, pair.second)
        ]
        return " = ".join(both) + (f" {pair.orientation}" if pair.orientation else "")

    def rows(self, splits: np.ndarray) -> list[list[str]]:
        """The table of all pairs, those in different splits first."""
        order = sorted(
            self.pairs, key=lambda one: (splits[one.first] == splits[one.second], one.first)
        )
        return [
            [
                *(str(self.names[row]) for row in (one.first, one.second)),
                f"{one.similarity:.4f}",
                one.orientation,
                *(
                    str(values[row])
                    for values in (self.labels, splits, self.ids)
                    for row in (one.first, one.second)
                ),
            ]
            for one in order
        ]

    def seen_before(self, splits: np.ndarray) -> set[int]:
        """The rows of test that show what an image of train or val shows."""
        rows = (row for one in across(splits, self.pairs) for row in (one.first, one.second))
        return {row for row in rows if splits[row] == "test"}

    def summary(self, splits: np.ndarray, choice: str) -> dict[str, Any]:
        """What summary.json says of them."""
        return {
            "choice": choice,
            "compared": self.compared,
            "pairs": len(self.pairs),
            "across_splits": len(across(splits, self.pairs)),
            "test_images": len(self.seen_before(splits)),
            "different_labels": len(self.contradicting),
        }


def look(
    images: Stack,
    real: np.ndarray,
    groups: np.ndarray,
    exact: Sequence[Pair],
    **known: np.ndarray,
) -> Alike:
    """Compare all ``real`` images, bool (n,), with their nearest; drawn ones never repeat a file.

    ``exact`` are pairs with the same pixels, ``groups``, str (n,), what stays together anyway.
    """
    rows = np.flatnonzero(real)
    if len(rows) > MOST:
        say(f"split: {len(rows):,} images are more than {MOST:,}: only exact copies are looked for")
        return Alike(pairs=exact, compared=0, **known)
    there = {(one.first, one.second) for one in exact}
    near = near_duplicates(images, rows, groups)
    pairs = [*exact, *(one for one in near if (one.first, one.second) not in there)]
    return Alike(pairs=pairs, compared=len(rows), **known)


def write_pairs(path: Path, alike: Alike, splits: np.ndarray) -> None:
    """All pairs as a table, a line a pair."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(alike.rows(splits))


def tell(alike: Alike, splits: np.ndarray, choice: str, place: Path) -> None:
    """Say how many there are, and name those that contradict each other."""
    if contradicting := alike.contradicting:
        listed = listing((alike.line(one, splits) for one in contradicting), limit=5)
        say(f"split: {len(contradicting)} pairs show the same under different labels:\n{listed}")
    if not (leaking := across(splits, alike.pairs)):
        return
    ways = {
        "report": "`split.near_duplicates: together` keeps them in one, `drop` leaves one out",
        "together": "both were placed before, or they are too many to be one group: `drop` leaves "
        "one out",
    }
    say(
        f"split: {len(leaking)} pairs of images that show the same are in different splits, so the "
        f"test asks for what was learned by heart; {place} lists them. {ways[choice]}"
    )


def refuse(alike: Alike, splits: np.ndarray, place: Path) -> None:
    """DataError where two that show the same are in different splits; ``place`` lists all."""
    if not (leaking := across(splits, alike.pairs)):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    write_pairs(place, alike, splits)
    listed = listing((alike.line(one, splits) for one in leaking), limit=10)
    raise DataError(
        f"{len(leaking)} pairs of images show the same and are in different splits, which "
        f"`split.near_duplicates: refuse` does not allow:\n{listed}\nAll are listed in {place}. "
        "Remove one of each, or write `together` or `drop`."
    )


def kept_rows(groups: np.ndarray, given: np.ndarray, ledger: Mapping[str, str]) -> np.ndarray:
    """Which images were placed before, bool (n,): by a split given with them, or by the ledger."""
    kept: np.ndarray = (given != "") | np.isin(groups, sorted(ledger))
    return kept
