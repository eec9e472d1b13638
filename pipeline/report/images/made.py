"""Made images beside the training images that they are nearest to, and what the checks say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.telling import choice_sentences, sentences
from raresight.pipeline.report.images.pictures import Picture
from raresight.pipeline.report.images.sheets import picture_of

_MOST = 12  # pairs that the page shows of a class


@dataclass(frozen=True, kw_only=True)
class Enlarged:
    """What ``enlarge`` wrote: the images that are learned from, and its report."""

    images: Dataset
    report: Mapping[str, Any]

    @property
    def checked(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Label, maker and findings of each kind of made images."""
        own = [
            (label, "flow" if "flow" in of else "composites", of)
            for label, of in self.report["classes"].items()
        ]
        others = [(of["label"], f"source '{of['source']}'", of) for of in self.report["elsewhere"]]
        return [*own, *others]

    def pairs(self, originals: Dataset, found: Mapping[str, Any]) -> list["Pair"]:
        """Of one kind, those nearest to a training image; only images that were kept."""
        rows = {
            id: (data, row)
            for data in (originals, self.images)
            for row, id in enumerate(data.ids.tolist())
        }
        return [
            Pair(made=rows[one["id"]], real=rows[one["training"]], times=one["times_usual"])
            for one in found["nearest"]
            if one["id"] in rows
        ]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A made image and the training image nearest to it, each a dataset and a row; ``times`` is how
    far apart they are in the distance that validation images usually have, None if unknown."""

    made: tuple[Dataset, int]
    real: tuple[Dataset, int]
    times: float | None


@dataclass(frozen=True, kw_only=True)
class KindShown:
    """One kind of made images: what was found, and the first pairs as pictures."""

    title: str
    made: int
    asked: int | None
    told: Sequence[tuple[str, bool]]
    pairs: Sequence[tuple[Picture, Picture, float | None]]


@dataclass(frozen=True, kw_only=True)
class EnlargedShown:
    """Every kind, what the sweep chose in sentences, and its rows: number made of each real image,
    mean average precision, gain and its interval."""

    learned: int
    kinds: Sequence[KindShown]
    choice: Sequence[str]
    tried: Sequence[tuple[int, float, Mapping[str, float] | None]]


def enlarged_shown(originals: Dataset, enlarged: Enlarged | None) -> EnlargedShown | None:
    """None where nothing was made, and nothing came in."""
    if enlarged is None or not enlarged.checked:
        return None
    sweep = enlarged.report["sweep"]
    return EnlargedShown(
        learned=len(enlarged.images),
        kinds=[
            KindShown(
                title=f"'{label}' by {maker}",
                made=found["made"],
                asked=found.get("asked"),
                told=list(sentences(label, found)),
                pairs=[
                    (picture_of(*pair.made), picture_of(*pair.real), pair.times)
                    for pair in enlarged.pairs(originals, found)[:_MOST]
                ],
            )
            for label, maker, found in enlarged.checked
        ],
        choice=[] if sweep is None else list(choice_sentences(sweep)),
        tried=[
            (
                one["each"],
                sum(one["average_precision"]) / len(one["average_precision"]),
                one["gain"],
            )
            for one in ([] if sweep is None else sweep["tried"])
        ],
    )
