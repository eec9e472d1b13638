"""Corruptions on purpose: label noise and outliers, each recorded in its row.

What happens to a record is a pure function of the seed and its id, so that it holds for any number
of workers and in a larger set; cleaning can be scored against ``factor.corruption`` and
``true_label``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from raresight.generators import registry
from raresight.generators.base import Generator, Record, Sample
from raresight.generators.factors import bounds
from raresight.pipeline.core import seeds
from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionAboveZero
from raresight.pipeline.dataset.schema import COLUMNS, OPTIONAL

CORRUPTION = "corruption"  # the factor that names what was done to a row
LABEL_NOISE = "label_noise"
OutlierKind = Literal["wrong_domain", "blank", "over_exposed", "duplicated"]


class UniformNoise(Section):
    """The share ``rate`` of all labels becomes any other class, each as often."""

    name: Literal["uniform"] = "uniform"
    rate: FractionAboveZero


class ClassConditionalNoise(Section):
    """``rates`` says of each class which share of it is labelled as which other class."""

    name: Literal["class_conditional"] = "class_conditional"
    rates: Annotated[dict[str, dict[str, FractionAboveZero]], Field(min_length=1)]


class BoundaryNoise(Section):
    """The share ``rate`` of all, the more likely the nearer ``factor`` is to its ``hard`` end."""

    name: Literal["boundary"] = "boundary"
    rate: Annotated[float, Field(gt=0, le=0.5)]
    factor: str
    hard: Literal["low", "high"]


LabelNoise = UniformNoise | ClassConditionalNoise | BoundaryNoise
LabelNoiseParams = Annotated[
    LabelNoise,
    ByName(
        {
            "uniform": UniformNoise,
            "class_conditional": ClassConditionalNoise,
            "boundary": BoundaryNoise,
        }
    ),
]


class Outliers(Section):
    """The share ``rate`` of the images is replaced by one of ``kinds``, each as often.

    ``wrong_domain``: drawn by another generator. ``blank``: grey. ``over_exposed``: the image with
    its lights burnt out. ``duplicated``: an earlier image of the class again, with its source's id.
    """

    rate: FractionAboveZero
    kinds: Annotated[list[OutlierKind], Field(min_length=1)]


def noise_problems(
    noise: LabelNoise | None, generator: Generator, classes: Sequence[str]
) -> list[str]:
    """What is wrong with label noise for this generator; a sentence each."""
    if noise is None:
        return []
    found = []
    if len(classes) < 2:
        found.append("label_noise: needs two classes or more")
    rates = noise.rates if isinstance(noise, ClassConditionalNoise) else {}
    for label, noisy in rates.items():
        for name in (label, *noisy):
            if name not in classes:
                found.append(f"label_noise.rates: no class '{name}'; there are {classes}")
        if label in noisy or sum(noisy.values()) > 1:
            found.append(f"label_noise.rates.{label}: other classes, with shares up to 1 in all")
    if isinstance(noise, BoundaryNoise) and noise.factor not in (known := _numeric(generator)):
        found.append(f"label_noise.factor: must be one of {', '.join(known)}")
    return found


def _numeric(generator: Generator) -> list[str]:
    """The numeric factors that are drawn from a distribution."""
    drawn = generator.distributions()
    return sorted(
        n for n, (kind, _) in generator.kept_factors.items() if kind == "float" and n in drawn
    )


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A sample on its way into the dataset: its label there, and whose image it shows.

    ``corruption`` names what was done to it, None where it is as it was drawn.
    """

    sample: Sample
    label: str
    source_id: str
    group: str
    corruption: str | None = None


@dataclass(frozen=True, kw_only=True)
class Drawer:
    """Draws the records of one source, with the corruptions that were asked for."""

    generator: Generator
    records: Sequence[Record]
    seed: int
    noise: LabelNoise | None
    outliers: Outliers | None

    def draw(self, k: int) -> Drawn:
        """The k-th record of the stream."""
        record = self.records[k]
        kind = self._outlier(record)
        if kind == "duplicated":
            if (original := self._original(k)) is not None:
                return replace(self._clean(original), corruption=kind)
        elif kind is not None:
            return self._replaced(record, kind)
        drawn = self._clean(record)
        if self.noise is None:
            return drawn
        label = self._noisy_label(self.noise, record, drawn.sample)
        corruption = None if label == record.label else LABEL_NOISE
        return replace(drawn, label=label, corruption=corruption)

    def _clean(self, record: Record) -> Drawn:
        sample = self.generator.sample(record, seeds.rng(self.seed, "generate", record.id))
        group = sample.group or record.group or record.id
        return Drawn(sample=sample, label=record.label, source_id=record.id, group=group)

    def _outlier(self, record: Record) -> OutlierKind | None:
        if self.outliers is None:
            return None
        u, v = seeds.rng(self.seed, "outlier", record.id).random(2).tolist()
        kinds = self.outliers.kinds
        return kinds[int(v * len(kinds))] if u < self.outliers.rate else None

    def _original(self, k: int) -> Record | None:
        """The last record before the k-th of its class that is no outlier; None where none is."""
        label = self.records[k].label
        for earlier in range(k - 1, -1, -1):
            record = self.records[earlier]
            if record.label == label and self._outlier(record) is None:
                return record
        return None

    def _replaced(self, record: Record, kind: OutlierKind) -> Drawn:
        """The record's sample with the image of an outlier, on which no pixel carries the label."""
        drawn = self._clean(record)
        rng = seeds.rng(self.seed, "outlier image", record.id)
        image = _OUTLIERS[kind](drawn.sample.image, self.generator, rng)
        # What is burnt out is where it was; in the others there is nothing left to point at.
        void = {} if kind == "over_exposed" else _void(drawn.sample)
        return replace(drawn, sample=replace(drawn.sample, image=image, **void), corruption=kind)

    def _noisy_label(self, noise: LabelNoise, record: Record, sample: Sample) -> str:
        """The label that the learner sees."""
        label = record.label
        u, v = seeds.rng(self.seed, LABEL_NOISE, record.id).random(2).tolist()
        if isinstance(noise, ClassConditionalNoise):
            for noisy, rate in sorted(noise.rates.get(label, {}).items()):
                if u < rate:
                    return noisy
                u -= rate
            return label
        if isinstance(noise, BoundaryNoise):
            u = u / max(2 * _hardness(noise, self.generator, sample.factors), 1e-12)
        others = [one for one in sorted(self.generator.classes) if one != label]
        return others[int(v * len(others))] if u < noise.rate else label


def _void(sample: Sample) -> dict[str, Any]:
    """What a sample says of places in its image, once nothing is there any more."""
    return {
        name: COLUMNS[name].kind.void(sample.image.shape)
        for name in OPTIONAL
        if COLUMNS[name].kind.of_pixels and getattr(sample, name) is not None
    }


def _hardness(
    noise: BoundaryNoise, generator: Generator, factors: Mapping[str, float | str | None]
) -> float:
    """How near a sample is to the hard end of its factor, in [0, 1]; 0 where it has none."""
    low, high = bounds(generator.distributions()[noise.factor])
    value = factors.get(noise.factor)
    if value is None or isinstance(value, str) or low == high:
        return 0.0
    place = (value - low) / (high - low)
    return place if noise.hard == "high" else 1 - place


def _wrong_domain(image: np.ndarray, generator: Generator, rng: np.random.Generator) -> np.ndarray:
    shapes = registry.find("shapes")
    kind = registry.find("pathology") if isinstance(generator, shapes) else shapes
    height, width = image.shape[:2]
    other = kind(kind.options(), max(height, width))
    label = other.classes[int(rng.random() * len(other.classes))]
    return other.sample(Record(id="", label=label), rng).image[:height, :width]


def _blank(image: np.ndarray, generator: Generator, rng: np.random.Generator) -> np.ndarray:
    # Noise keeps two of them from being the same: equal pixels in two splits would be a leak.
    noise = 2 * rng.standard_normal(image.shape)
    return np.clip(rng.uniform(20, 235) + noise, 0, 255).astype(np.uint8)


def _over_exposed(image: np.ndarray, generator: Generator, rng: np.random.Generator) -> np.ndarray:
    light = np.minimum(255, image * rng.uniform(1.6, 2.4) + rng.uniform(60, 110))
    # As in _blank: two that are burnt out all over must not be the same.
    return (light - 6 * rng.random(image.shape)).astype(np.uint8)


_OUTLIERS: Mapping[str, Callable[[np.ndarray, Generator, np.random.Generator], np.ndarray]] = {
    "wrong_domain": _wrong_domain,
    "blank": _blank,
    "over_exposed": _over_exposed,
}
