"""What a generator is: it lists records, and makes one labelled sample of each.

A record is known before it is drawn, and is drawn from a random stream of its own. So the same
record always gives the same sample, whatever is drawn before, beside or after it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from raresight.generators.errors import BadImages as BadImages
from raresight.generators.errors import CannotDraw as CannotDraw
from raresight.generators.errors import Unavailable as Unavailable
from raresight.generators.errors import Unreadable as Unreadable
from raresight.generators.factors import Factor, as_factor
from raresight.generators.records import Counted, Mixed, Record


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Modules that one generator needs and the rest does not; ``install`` is what pip is told."""

    install: str
    modules: tuple[str, ...]

    def require(self, who: str) -> None:
        """Raise Unavailable, with the line that installs them, where a module is not there."""
        if missing := [name for name in self.modules if find_spec(name) is None]:
            raise Unavailable(f"{who} needs {' and '.join(missing)}: pip install '{self.install}'")


class Options(BaseModel):
    """Base of a generator's own options in params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """The files and folders that these options name to be read; DVC has to know of them."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled image.

    ``image`` is uint8 (H, W, 3); ``mask`` is uint8 (H, W), 1 where a pixel carries the label;
    ``boxes`` are (x, y, width, height) in pixels from the image's upper left corner, as in COCO,
    one for each object that carries the label; ``instances`` is uint16 (H, W), the number of the
    object seen in a pixel and 0 for the background; ``depth`` is float32 (H, W), the distance from
    the camera's plane in metres. Each of them is None where it is unknown. ``factors`` are the
    values this sample was made from. ``given_split`` is that of its record. ``group``, too, is that
    of its record, unless it shows only now.
    """

    image: np.ndarray
    label: str
    mask: np.ndarray | None = None
    boxes: Sequence[tuple[float, float, float, float]] | None = ()
    instances: np.ndarray | None = None
    depth: np.ndarray | None = None
    given_split: str | None = None
    factors: Mapping[str, float | str | None] = field(default_factory=dict)
    group: str | None = None


# What a generator may declare, and the dataset then keeps, of a sample besides its image.
COLUMNS = tuple(
    one.name for one in fields(Sample) if one.name not in ("image", "label", "factors", "group")
)


class Generator(ABC):
    """Base of every generator.

    ``options`` is the pydantic model of its options, ``factors`` says of each recorded factor
    whether it is ``float`` or ``string`` and what it means. Those that the class decides on are
    declared, all others are drawn alike for every class: ``label_factors`` speak of what carries
    the label (its size; null or 0 without it), ``outcomes`` of what came out with the class and
    tells it without showing it (scenes that were tried), so that no result is sliced by them; and
    what an option makes conditional on the label. ``columns`` names what its samples hold
    besides the image and the dataset should keep: any of COLUMNS, in every sample where images are
    drawn, where it is known in those that are read in. ``kept_columns`` and ``kept_factors`` are
    those of one generator with its options, where they decide it. ``libraries`` are the
    distributions whose versions decide the bytes. ``square``: it draws square images alone.
    ``stream`` is raised when the same seed draws other pixels than it did: tests hold each number
    to the pixels it had. The constructor takes the
    options and the side of the square image in pixels, or, of a generator that is not ``square``,
    (height, width) where they differ; it draws and reads nothing.
    """

    summary: ClassVar[str]
    options: ClassVar[type[Options]] = Options
    origin: ClassVar[str] = "synthetic"
    columns: ClassVar[tuple[str, ...]] = ()
    square: ClassVar[bool] = True
    countable: ClassVar[bool] = True  # False where the images are there already, and are all taken
    factors: ClassVar[Mapping[str, tuple[str, str]]] = {}
    label_factors: ClassVar[tuple[str, ...]] = ()
    outcomes: ClassVar[tuple[str, ...]] = ()
    stream: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[Extra | None] = None

    def __init__(self, options: Options, image_size: int):
        self.config = options
        self.image_size = image_size

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The labels this generator can make."""

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """``columns``, with those that these options ask for."""
        return self.columns

    @property
    def kept_factors(self) -> Mapping[str, tuple[str, str]]:
        """``factors``, with those that come with the images read in."""
        return self.factors

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of each class where such images come from, which ``count`` alone asks for.

        Classes left out divide what is left evenly: all of them, where no share is known.
        """
        return {}

    def distributions(self) -> dict[str, Factor]:
        """What factors are drawn from, by name: those that an option of the same name decides on.

        A Conditional may depend on the other factors and on ``label``.
        """
        options: dict[str, Any] = {n: getattr(self.config, n, None) for n in self.factors}
        return {
            name: as_factor(value)
            for name, value in options.items()
            if isinstance(value, Factor) or _is_pair(value)
        }

    def require(self) -> None:
        """Raise Unavailable where a library or a device that drawing needs is missing."""
        if self.extra is not None:
            self.extra.require(f"generator '{type(self).__name__.lower()}'")

    def environment(self) -> Mapping[str, str]:
        """What of this machine decides the bytes besides ``libraries``, such as a driver: its name
        and version, for dataset.json."""
        return {}

    def settled(self) -> Options:
        """The options with what the images decided, once :meth:`streams` has looked at them."""
        return self.config

    def about(self) -> Mapping[str, Any]:
        """What looking at the images showed, for dataset.json: for those read in."""
        return {}

    def finish(self, unreadable: Mapping[str, str], read: Mapping[str, int]) -> None:
        """Told once all is drawn: the files that could not be read, each with the reason, and how
        many images of each class there are. BadImages where that will not do."""
        if unreadable:
            lines = [f"{file}: {why}" for file, why in unreadable.items()]
            raise BadImages(f"{len(lines)} files cannot be read: {lines[0]}.", details=lines)

    def left_out(self) -> Mapping[str, Mapping[str, str]]:
        """Files that were found and not taken, by kind, each with the reason: for those read in."""
        return {}

    @abstractmethod
    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Make the sample of one record from its own random stream."""

    def streams(
        self,
        name: str,
        *,
        counts: Mapping[str, int] | None = None,
        count: int | None = None,
        prevalence: Mapping[str, float] | None = None,
    ) -> list[Sequence[Record]]:
        """The records asked for, as streams that only ever grow at their end.

        With ``counts`` (a number a class) each class is a stream. With ``count`` all classes are
        mixed in one stream, by ``prevalence`` where it is given (classes without a share divide
        what is left evenly) and else by the generator's own.
        """
        if counts is not None:
            return [Counted(name, label, n) for label, n in sorted(counts.items()) if n]
        if count is None:
            raise ValueError("streams need counts or a count")
        return [Mixed(name, self.shares(prevalence), count)]

    def shares(self, prevalence: Mapping[str, float] | None = None) -> dict[str, float]:
        """The share of every class, by ``prevalence`` or the generator's own."""
        given = self.prevalence if prevalence is None else prevalence
        rest = [label for label in self.classes if label not in given]
        left = max(0.0, 1.0 - sum(given.values()))
        return {**given, **{label: left / len(rest) for label in rest}}


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(number, int | float) for number in value)
    )
