"""Characters of font files as outlines, and which files have them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from raresight.generators.base import BadImages, Unavailable

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

EM = 128  # pixels of an em while curves are cut into lines: within a thousandth of it
_TYPICAL_CAPITAL = 0.72  # of an em
_LONGEST = 0.08  # of an em: longer lines are cut, so that they can bend

# The bundled fonts that have letters and digits where Unicode puts them; the rest are symbols.
_BUNDLED = ("DejaVu", "STIXGeneral", "cmr10", "cmb10", "cmss10", "cmti10", "cmtt10")
_SUFFIXES = {".ttf", ".otf"}

# Debian's handwriting fonts: package -> what it installs below /usr/share/fonts/truetype.
HANDWRITING = {
    "fonts-breip": "breip/*",
    "fonts-dkg-handwriting": "fifthhorseman/dkg*",
    "fonts-ecolier-court": "ecolier-court/*",
    "fonts-femkeklaver": "femkeklaver/*",
    "fonts-humor-sans": "humor-sans/*",
    "fonts-kristi": "kristi/*",
    "fonts-rufscript": "rufscript/*",
}
_SYSTEM = Path("/usr/share/fonts/truetype")


def bundled() -> list[Path]:
    """matplotlib's own fonts with letters: DejaVu, STIX and Computer Modern."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise Unavailable("the bundled fonts are matplotlib's: pip install matplotlib")
    folder = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    return sorted(path for path in folder.glob("*.ttf") if path.name.startswith(_BUNDLED))


def handwriting() -> list[Path]:
    """Handwriting fonts of the Debian packages that are installed here, in a fixed order."""
    found = (path for pattern in HANDWRITING.values() for path in _SYSTEM.glob(pattern))
    return sorted(path for path in found if path.suffix.lower() in _SUFFIXES)


def below(folder: Path) -> list[Path]:
    """Every font file below ``folder``, or itself where it is a file.

    Raises FileNotFoundError where there is no such folder.
    """
    if not folder.exists():
        raise FileNotFoundError(f"font folder '{folder}' does not exist. Correct `fonts`.")
    files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    return [path for path in files if path.suffix.lower() in _SUFFIXES]


def usable(paths: Iterable[Path], characters: str) -> list[Path]:
    """Those of the fonts that can be read and have an outline for each of ``characters``."""
    return [path for path in paths if _has_all(path, characters)]


def require_usable(folder: Path, characters: str) -> None:
    """Raise BadImages where no font below ``folder`` has all of ``characters``, saying why."""
    found = below(folder)
    if usable(found, characters):
        return
    listed = ", ".join(path.name for path in found[:10])
    why = f"none of {listed} has '{characters}'" if found else "no .ttf or .otf file in it"
    raise BadImages(f"font folder '{folder}' has no usable font: {why}.")


@lru_cache(maxsize=1024)
def _has_all(path: Path, characters: str) -> bool:
    try:
        known = _open(path).get_charmap()
        return all(ord(one) in known and len(outline(path, one)) for one in characters)
    except (RuntimeError, ValueError, OSError):  # FreeType cannot read it
        return False


@lru_cache(maxsize=256)
def _open(path: Path) -> "FT2Font":
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(path))
    font.set_size(EM, 72)
    return font


@lru_cache(maxsize=8192)
def outline(path: Path, character: str) -> np.ndarray:
    """The character's outline as lines (n, 4), y down: capitals reach from y = 0 to y = 1, and the
    middle of the outline is at x = 0.5. It is (0, 4) where the font draws nothing.
    """
    font, capital = _open(path), _capital(path)
    loops = list(_loops(*_load(font, character)))
    if not loops:
        return np.empty((0, 4))
    edges = np.vstack([_cut(loop) for loop in loops]) / capital
    edges[:, [1, 3]] = 1.0 - edges[:, [1, 3]]
    edges[:, [0, 2]] += 0.5 - (edges[:, 0].min() + edges[:, 0].max()) / 2
    return edges


@lru_cache(maxsize=256)
def _capital(path: Path) -> float:
    """The height of an H in pixels."""
    font = _open(path)
    vertices = _load(font, "H")[0] if ord("H") in font.get_charmap() else np.empty((0, 2))
    return float(vertices[:, 1].max()) if len(vertices) else _TYPICAL_CAPITAL * EM


def _load(font: "FT2Font", character: str) -> tuple[np.ndarray, np.ndarray]:
    from matplotlib.ft2font import LoadFlags

    font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return font.get_path()


def _loops(vertices: np.ndarray, codes: np.ndarray) -> Iterator[np.ndarray]:
    """Closed polygons (n, 2) without the repeated last point."""
    from matplotlib.path import Path as Curves

    for polygon in Curves(vertices, codes).to_polygons(closed_only=True):
        points = np.asarray(polygon)
        if np.array_equal(points[0], points[-1]):
            points = points[:-1]
        if len(points) > 2:
            yield points


def _cut(points: np.ndarray) -> np.ndarray:
    """The edges of a closed polygon, none longer than _LONGEST ems."""
    pieces = []
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        parts = max(1, int(np.ceil(np.hypot(*(b - a)) / (_LONGEST * EM))))
        stops = a + (b - a) * (np.arange(parts + 1) / parts)[:, None]
        pieces.append(np.hstack((stops[:-1], stops[1:])))
    return np.vstack(pieces)
