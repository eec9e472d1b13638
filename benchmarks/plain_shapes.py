"""The shapes scenario as one would write it in an afternoon: Pillow at four times the size, or
pycairo with its own antialiasing; a PNG an image, and a folder a class."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.scenes import Colour, Scene, at_random
from raresight.generators.drawing.outline import SHAPES

_SUPERSAMPLING = 4


def draw_folder(
    folder: Path,
    count: int,
    side: int,
    *,
    rng: np.random.Generator,
    render: Callable[[Scene], np.ndarray],
) -> None:
    """Draw ``count`` shapes with noise, class by class in turn, into one subfolder a class."""
    names = sorted(SHAPES)
    for number in range(count):
        label = names[number % len(names)]
        (folder / label).mkdir(parents=True, exist_ok=True)
        picture = render(at_random(label, side, rng))
        noise = rng.uniform(0, 8) * rng.standard_normal((side, side, 3))
        noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / label / f"{number:07d}.png")


def with_pillow(scene: Scene) -> np.ndarray:
    """The scene at four times its size, made smaller: uint8 (side, side, 3)."""
    size = (scene.side * _SUPERSAMPLING,) * 2
    canvas = Image.new("RGB", size, _levels(scene.ground))
    pen = ImageDraw.Draw(canvas)
    for piece in scene.pieces:
        outer, *holes = [(o * _SUPERSAMPLING).ravel().tolist() for o in piece.outlines]
        if not holes:
            pen.polygon(outer, fill=_levels(piece.colour))
            continue
        stencil = Image.new("1", size)
        for outline, inside in ((outer, 1), *((hole, 0) for hole in holes)):
            ImageDraw.Draw(stencil).polygon(outline, fill=inside)
        canvas.paste(_levels(piece.colour), mask=stencil)
    return np.asarray(canvas.resize((scene.side, scene.side), Image.Resampling.BOX))


def with_cairo(scene: Scene) -> np.ndarray:
    """The scene with cairo's default antialiasing: uint8 (side, side, 3)."""
    import cairo

    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, scene.side, scene.side)
    pen = cairo.Context(surface)
    pen.set_fill_rule(cairo.FILL_RULE_EVEN_ODD)
    pen.set_source_rgb(*scene.ground)
    pen.paint()
    for piece in scene.pieces:
        for outline in piece.outlines:
            for x, y in outline.tolist():
                pen.line_to(x, y)
            pen.close_path()
        pen.set_source_rgb(*piece.colour)
        pen.fill()
    surface.flush()
    pixels = np.ndarray((scene.side, scene.side, 4), np.uint8, surface.get_data())
    return pixels[..., 2::-1].copy()  # stored as blue, green, red, unused


def _levels(colour: Colour) -> tuple[int, ...]:
    return tuple(round(255 * value) for value in colour)
