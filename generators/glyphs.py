"""Characters of fonts, or drawn by hand, one an image: the character is the class.

Nothing but the character tells the classes apart, unless a factor is made to depend on ``label``.
A scanner of few pixels may come last, as that which made the real digits that a model trained on
drawn ones is to read.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from colorsys import hls_to_rgb
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import AfterValidator, Field, model_validator

from raresight.generators.base import BadImages, Generator, Options, Record, Sample
from raresight.generators.drawing import fonts, hand, pen
from raresight.generators.drawing.canvas import lay_ground, mark, tint
from raresight.generators.drawing.noise import BANK, WINDOW, GroundSet, Material, sensor, take
from raresight.generators.drawing.outline import place
from raresight.generators.drawing.stain import blur, develop
from raresight.generators.factors import Factor, Noise, Numbers, Positive, Whole, within
from raresight.generators.options import FactorOptions

_Values = Mapping[str, Any]
HAND: tuple[Path, ...] = (Path("hand"),)  # stands for the forms of a hand among the fonts
_NAMED: Mapping[str, Callable[[], Sequence[Path]]] = {
    "bundled": fonts.bundled,
    "hand": lambda: HAND,
    "handwriting": fonts.handwriting,
}


def _characters(classes: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(one) != 1 or not one.isprintable() or one.isspace() for one in classes):
        raise ValueError("each must be one visible character")
    if len(set(classes)) < len(classes):
        raise ValueError("must name each only once")
    return classes


class Scanner(Options):
    """A picture of few pixels, enlarged to the image's size as a real one is when read in.

    ``pixels`` is its side. Each pixel is the share of black in a square of ``bitmap`` x ``bitmap``
    points, as the 8 x 8 digits were made from bitmaps of 32 x 32; 1 means a grey scanner.
    """

    pixels: Annotated[int, Field(ge=4, le=1024)]
    bitmap: Annotated[int, Field(ge=1, le=16)] = 1


class GlyphsOptions(FactorOptions):
    """What may be drawn; lengths are shares of the image's side.

    - ``classes``: two or more characters.
    - ``fonts``: where characters come from, each source as often as the others: ``bundled``
      (matplotlib's fonts), ``hand`` (digits drawn with a pen), ``handwriting`` (Debian's
      handwriting fonts, as far as they are installed), or a folder of .ttf and .otf files.
    - ``height``: of a capital, or of the character itself where it is ``normalized``.
    - ``width``: of a normalized character; null keeps its proportions, times ``aspect``.
    - ``x``, ``y``: of the middle, from the image's. ``rotation``: degrees, clockwise. ``slant``: to
      the right for each unit up. ``bend``: how far points move, of the character's height.
    - ``pen``: width of a hand's strokes. ``bold``: how much further out a font's edges lie.
    - ``paper``, ``ink``: lightness (0 to 1); ``tint``: saturation of both; ``mottle``: the paper's.
    - ``clutter``: stray strokes, of a pen and an ink of their own.
    - ``blur``: standard deviation in pixels (of the scanner, if there
      is one). ``noise``: in grey levels.
    """

    classes: Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(_characters)] = tuple(
        "0123456789"
    )
    fonts: Annotated[tuple[str, ...], Field(min_length=1)] = ("bundled",)
    normalized: bool = False
    scanner: Scanner | None = None
    height: Annotated[Numbers, within(0.05, 1)] = (0.5, 0.8)
    width: Annotated[Numbers, within(0.05, 1)] | None = None
    aspect: Annotated[Positive, within(0.25, 4)] = (0.85, 1.15)
    x: Annotated[Numbers, within(-0.5, 0.5)] = (-0.08, 0.08)
    y: Annotated[Numbers, within(-0.5, 0.5)] = (-0.08, 0.08)
    rotation: Annotated[Numbers, within(-180, 180)] = (-10, 10)
    slant: Annotated[Numbers, within(-1, 1)] = (-0.1, 0.25)
    bend: Annotated[Numbers, within(0, 0.5)] = (0.0, 0.08)
    pen: Annotated[Numbers, within(0.01, 0.5)] = (0.06, 0.12)
    bold: Annotated[Numbers, within(-0.1, 0.1)] = (-0.005, 0.02)
    paper: Annotated[Numbers, within(0, 1)] = (0.75, 1.0)
    ink: Annotated[Numbers, within(0, 1)] = (0.0, 0.35)
    tint: Annotated[Numbers, within(0, 1)] = (0.0, 0.4)
    mottle: Annotated[Numbers, within(0, 0.2)] = (0.0, 0.04)
    clutter: Annotated[Numbers, within(0, 20), Whole] = (0, 2)
    blur: Annotated[Numbers, within(0, 10)] = (0.0, 0.7)
    noise: Noise = (0.0, 8.0)
    ground_set: GroundSet = 0

    drawn: ClassVar = (
        "height", "width", "aspect", "x", "y", "rotation", "slant", "bend", "pen", "bold",
        "paper", "ink", "tint", "mottle", "clutter", "blur", "noise",
    )  # fmt: skip
    counted: ClassVar = ("clutter",)

    def labels(self) -> tuple[str, ...]:
        return self.classes

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(name for name in self.fonts if name not in _NAMED)

    @model_validator(mode="after")
    def _possible(self) -> "GlyphsOptions":
        if "hand" in self.fonts and (strange := set(self.classes) - set(hand.FORMS)):
            raise ValueError(f"fonts: hand draws digits alone, not {', '.join(sorted(strange))}")
        return self


_PAPER = Material("paper", ((24, 24), (64, 64), (128, 128)))
# Stray strokes: their width in shares of the side, and how far towards the paper's lightness.
_NIB, _PALER = (0.015, 0.06), 0.6


class Glyphs(Generator):
    """See the module. The mask marks the pixels of which the character covers half or more."""

    summary = "characters of fonts or of a hand, with pose, stroke width, bending, ink and paper"
    options = GlyphsOptions
    columns = ("mask", "boxes")
    stream = 3
    libraries = ("numpy", "numba", "pillow", "matplotlib")
    factors: ClassVar = {
        "font": ("string", "file of the font, or which form of a hand"),
        "height": ("float", "of a capital, or of the normalized character; share of the side"),
        "width": ("float", "of the normalized character; share of the side"),
        "aspect": ("float", "width over that in the font"),
        "x": ("float", "middle of the character from the image's, to the right; share of the side"),
        "y": ("float", "middle of the character from the image's, down; share of the side"),
        "rotation": ("float", "degrees, clockwise"),
        "slant": ("float", "to the right for each unit up"),
        "bend": ("float", "how far points may move, of the character's height"),
        "pen": ("float", "width of a hand's strokes; share of the side"),
        "bold": ("float", "how much further out a font's edges lie; share of the side"),
        "paper": ("float", "lightness of the paper"),
        "ink": ("float", "lightness of the ink"),
        "tint": ("float", "saturation of paper and ink"),
        "mottle": ("float", "standard deviation of the paper's lightness"),
        "clutter": ("float", "stray strokes, of another pen and ink"),
        "blur": ("float", "standard deviation of the blur in pixels"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
    }

    config: GlyphsOptions

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(self.config.classes))

    def distributions(self) -> dict[str, Factor]:
        return self.config.laws()

    def require(self) -> None:
        """Raise BadImages for a font folder without a usable font, by its name."""
        for source in self.config.fonts:
            if source not in _NAMED:
                fonts.require_usable(Path(source), self._characters)
        if not self._sources:
            raise BadImages(
                "`fonts`: none of Debian's handwriting fonts is installed here: "
                f"apt-get install {' '.join(fonts.HANDWRITING)}"
            )

    def environment(self) -> Mapping[str, str]:
        """The handwriting fonts that are installed here, where they are asked for."""
        if "handwriting" not in self.config.fonts:
            return {}
        found = fonts.usable(fonts.handwriting(), self._characters)
        return {"handwriting fonts": ", ".join(path.name for path in found)}

    @property
    def _characters(self) -> str:
        return "".join(self.classes)

    @cached_property
    def _sources(self) -> list[Sequence[Path]]:
        """The fonts of each source that has any; of a hand, none are needed."""
        found = [_NAMED.get(name, partial(fonts.below, Path(name)))() for name in self.config.fonts]
        usable = [
            HAND if paths is HAND else fonts.usable(paths, self._characters) for paths in found
        ]
        return [paths for paths in usable if paths]

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one image; the class decides on the character, and on what depends on it."""
        values = self.config.draw(record.label, rng)
        name, lines, by_hand = self._choose(record.label, rng)
        reach = values["pen"] / 2 if by_hand else values["bold"]
        lines = self._placed(lines, values, reach, rng)
        covered = pen.drawn(lines, reach, by_hand, self.image_size)
        mask = np.empty(covered.shape, np.uint8)
        count, box = mark(covered, mask)
        fine = math.prod(self._raster)
        ink = covered if fine == len(covered) else pen.drawn(lines, reach, by_hand, fine)
        return Sample(
            image=self._picture(ink, values, rng),
            label=record.label,
            mask=mask,
            boxes=(box,) if count else (),
            factors={"font": name, **values},
        )

    def _choose(self, label: str, rng: np.random.Generator) -> tuple[str, np.ndarray, bool]:
        """The name of a font or of a form, its lines, and whether a pen draws along them."""
        u, v = rng.random(2).tolist()
        source = self._sources[int(u * len(self._sources))]
        if source is HAND:
            forms = hand.strokes(label)
            which = int(v * len(forms))
            return f"hand {which + 1}", forms[which], True
        path = source[int(v * len(source))]
        return path.name, fonts.outline(path, label), False

    def _placed(
        self, lines: np.ndarray, values: _Values, reach: float, rng: np.random.Generator
    ) -> np.ndarray:
        """The lines bent, turned and moved to their place, in shares of the image's side."""
        lattice = rng.uniform(-1, 1, (2, pen.LATTICE, pen.LATTICE))
        lines = pen.turn(
            pen.bend(lines, lattice, values["bend"]) - 0.5,
            values["slant"],
            math.radians(values["rotation"]),
        )
        x, y, height = 0.5 + values["x"], 0.5 + values["y"], values["height"]
        if not self.config.normalized:
            return place(lines, x, y, 0.0, height * values["aspect"], height)
        width = values["width"] or 0.0
        least = 0.02  # what the pen alone is wide
        if width:
            width = max(width - 2 * reach, least)
        return pen.fit(lines, x, y, width, max(height - 2 * reach, least), values["aspect"])

    @cached_property
    def _raster(self) -> tuple[int, int]:
        """Pixels of the scanner along a side, and points along that of a pixel."""
        scanner = self.config.scanner
        return (self.image_size, 1) if scanner is None else (scanner.pixels, scanner.bitmap)

    def _picture(self, ink: np.ndarray, values: _Values, rng: np.random.Generator) -> np.ndarray:
        """The share of each point that ink covers (fine, fine) as a picture of the image's size."""
        pixels, bitmap = self._raster
        litter = rng.random((values["clutter"], 4))
        hues, other, nib = rng.random(3), rng.random(), rng.random()
        corners, window = (rng.random((3, 2)) * BANK).astype(np.int64), rng.random(WINDOW)
        # Another pen than the character's, of its own hue and lightness: it strikes nothing out.
        lightness = values["ink"] + _PALER * other * (values["paper"] - values["ink"])
        inks = [
            (
                pen.strokes(litter, _NIB[0] + nib * (_NIB[1] - _NIB[0]), len(ink)),
                lightness,
                hues[2],
            ),
            (ink, values["ink"], hues[1]),
        ]
        paper = _rgb(hues[0], values["paper"], values["tint"])
        mottle = np.empty((pixels, pixels), np.float32)
        take(_PAPER.bank(window[0], self.config.ground_set), window, mottle)
        planes = np.empty((3, pixels, pixels), np.float32)
        lay_ground(paper, (0.0, 0.0), mottle, values["mottle"], planes)
        for covered, lightness, hue in inks:
            covered = pen.scan(covered, pixels) if bitmap > 1 else covered
            tint(covered.astype(np.float32), _rgb(hue, lightness, values["tint"]), planes)
        if values["blur"] > 0:
            blur(planes, values["blur"])
        image = np.empty((pixels, pixels, 3), np.uint8)
        develop(planes, sensor(pixels), corners, values["noise"], image)
        return _enlarged(image, self.image_size)


def _rgb(hue: float, lightness: float, saturation: float) -> tuple[float, float, float]:
    return hls_to_rgb(hue, lightness, saturation)


def _enlarged(image: np.ndarray, side: int) -> np.ndarray:
    """The picture at the image's size, by the rule that real images follow."""
    if len(image) == side:
        return image
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
