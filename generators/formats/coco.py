"""COCO's annotations: the boxes of an image as images of their own, or whole images by what they
show."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from raresight.generators.base import BadImages
from raresight.generators.formats.archive import Archive, ArchiveOptions, Held, table_of
from raresight.generators.formats.segments import Marked, Outline
from raresight.generators.reading.decoding import decode, header_of, values_of
from raresight.generators.real.contents import Content, File
from raresight.generators.real.tables import nearest

_OWN = {"id", "file_name", "width", "height", "url", "coco_url", "flickr_url"}
Taken = tuple[dict[str, Any], Content, Content | None]  # columns, image, mask
Name = Annotated[str, Field(min_length=1)]


class CocoOptions(ArchiveOptions):
    """Where the annotations and the images are, and what of them becomes an image.

    ``take: boxes``: each box, with a ``margin`` around it (a share of its longer side), is an image
    of its category's class; all boxes of an image stay together. Those with a side below
    ``min_side`` pixels, and crowds, are left out. ``take: images``: each image is of class
    ``category`` where it shows one, else ``otherwise``, by default ``no CATEGORY``. ``masks`` reads
    which pixels carry the label: what was outlined, else the box. ``images``: by default the folder
    of the annotations.
    """

    images: Name | None = None
    take: Literal["boxes", "images"]
    category: Name | None = None
    otherwise: Name | None = None
    margin: Annotated[float, Field(ge=0, le=2)] = 0.0
    min_side: Annotated[int, Field(ge=1, le=100_000)] = 8
    masks: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        return self.path, self.images or str(Path(self.path).parent)

    @model_validator(mode="after")
    def _whole(self) -> "CocoOptions":
        if (self.take == "images") != (self.category is not None):
            raise ValueError(
                "`take: images` needs `category`, what they show; boxes have their own"
            )
        return self


class Coco(Archive):
    """Images in the order of the annotations; what else is known of an image becomes a factor."""

    summary = "real images with COCO annotations: boxes, or whole images by what they show"
    options = CocoOptions
    noun = "annotations"

    config: CocoOptions

    def _open(self, path: Path) -> Held:
        known = self._read(path)
        categories = {one["id"]: str(one["name"]) for one in known["categories"]}
        if (asked := self.config.category) is not None and asked not in categories.values():
            raise BadImages(
                f"{self.place} has no category '{asked}'. {nearest(asked, categories.values())}"
            )
        try:
            taken = self._taken(path, known, categories)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise BadImages(
                f"{self.place} has an entry that is not as COCO's are: {type(error).__name__} "
                f"{error}."
            ) from None
        if not taken:
            raise BadImages(f"{self.place} has no box with sides of {self.config.min_side} pixels.")
        masks = {k: mask for k, (_, _, mask) in enumerate(taken) if mask is not None}
        return Held(
            table=table_of([row for row, _, _ in taken]),
            contents=[content for _, content, _ in taken],
            masks=masks if self.config.masks else None,
        )

    def _taken(
        self, path: Path, known: Mapping[str, Any], categories: Mapping[Any, str]
    ) -> list[Taken]:
        objects: dict[Any, list[Object]] = defaultdict(list)
        for one in known["annotations"]:
            objects[one["image_id"]].append(
                Object(
                    id=one["id"],
                    category=categories[one["category_id"]],
                    box=tuple(one["bbox"]),
                    segmentation=one.get("segmentation") or None,
                    crowd=bool(one.get("iscrowd")),
                )
            )
        folder = Path(self.config.images) if self.config.images else path.parent
        take = self._boxes if self.config.take == "boxes" else self._whole
        return [
            found
            for about in known["images"]
            for found in take(Picture(folder=folder, about=about), objects[about["id"]])
        ]

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            known = json.loads(path.read_bytes())
            for key in ("images", "annotations", "categories"):
                if not isinstance(known[key], list):
                    raise TypeError(f"{key} is no list")
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise BadImages(
                f"{self.place} has no annotations of COCO, with images, annotations and "
                f"categories: {error}."
            ) from None
        return dict(known)

    def _boxes(self, picture: "Picture", objects: Sequence["Object"]) -> Iterator[Taken]:
        """Each box as an image of its category."""
        own, whole = self.config.columns, Whole(file=picture.content, size=picture.size)
        for one in objects:
            if one.crowd or min(one.box[2:]) < self.config.min_side:
                continue
            window = picture.window(one.box, self.config.margin)
            row = {
                **picture.factors,
                own.file: f"{picture.name}#{one.id}",
                "label": one.category,
                **({} if own.group is None else {own.group: self._group(picture)}),
            }
            mask = Part(whole=picture.marked([one]), window=window) if self.config.masks else None
            yield row, Part(whole=whole, window=window), mask

    def _group(self, picture: "Picture") -> str:
        """What all boxes of an image are of: what the entry says of it, or the image."""
        return str(picture.factors.get(self.config.columns.group or "", picture.name))

    def _whole(self, picture: "Picture", objects: Sequence["Object"]) -> Iterator[Taken]:
        """The image as it is, of the category where it shows one."""
        shown = [one for one in objects if one.category == self.config.category]
        other = self.config.otherwise or f"no {self.config.category}"
        label = self.config.category if shown else other
        row = {**picture.factors, self.config.columns.file: picture.name, "label": label}
        mask = picture.marked(shown) if self.config.masks and shown else None
        yield row, Whole(file=picture.content, size=picture.size), mask


@dataclass(frozen=True, kw_only=True)
class Object:
    """One annotation: ``box`` is x, y, width, height."""

    id: Any
    category: str
    box: tuple[float, ...]
    segmentation: Any
    crowd: bool


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image of the annotations, by its entry there."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.about["file_name"])

    @property
    def size(self) -> tuple[int, int]:
        return int(self.about["width"]), int(self.about["height"])

    @property
    def content(self) -> File:
        return File(path=self.folder / self.name)

    @property
    def factors(self) -> dict[str, Any]:
        """What else the entry says of the image."""
        return {name: value for name, value in self.about.items() if name not in _OWN}

    def window(self, box: Sequence[float], margin: float) -> tuple[int, int, int, int]:
        """Left, upper, right, lower of a box with its margin, inside the image."""
        x, y, width, height = box
        around, (right, lower) = margin * max(width, height), self.size
        return (
            max(0, math.floor(x - around)),
            max(0, math.floor(y - around)),
            min(right, math.ceil(x + width + around)),
            min(lower, math.ceil(y + height + around)),
        )

    def marked(self, objects: Sequence[Object]) -> Marked:
        return Marked(
            of=self.name,
            size=self.size,
            outlines=tuple(Outline.of(one.segmentation, one.box) for one in objects),
        )


@dataclass(frozen=True, kw_only=True)
class Whole(Content):
    """An image that has to be of the size that its annotations say: else they lie elsewhere."""

    file: File
    size: tuple[int, int]

    def read(self) -> bytes:
        content = self.file.read()
        _check_size(header_of(content).size, self.size)
        return content

    @property
    def name(self) -> str:
        return self.file.name


@dataclass(frozen=True, kw_only=True)
class Part(Content):
    """A window (left, upper, right, lower) of an image, or of a mask."""

    whole: Content
    window: tuple[int, int, int, int]

    def read(self) -> np.ndarray:
        left, upper, right, lower = self.window
        return _pixels(self.whole)[upper:lower, left:right]

    @property
    def name(self) -> str:
        return f"{self.whole.name} at {self.window}"


@lru_cache(maxsize=12)
def _pixels(content: Content) -> np.ndarray:
    """The pixels of an image, which is read once for all its boxes."""
    found = content.read()
    if isinstance(found, np.ndarray):
        return found
    deep = values_of(found)
    return np.asarray(decode(found).image) if deep is None else deep.array


def _check_size(found: tuple[int, int], said: tuple[int, int]) -> None:
    if found != said:
        raise ValueError(
            f"{found[0]} x {found[1]} pixels once it is upright, but its annotations were made on "
            f"{said[0]} x {said[1]}"
        )
