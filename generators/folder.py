"""Real images, one subfolder a class.

Every image becomes a square RGB image by one rule: turned upright by its EXIF orientation, laid on
white where it is transparent, shrunk or enlarged (bicubic, antialiased) until its longer side fits,
and centred; what is left free takes the mean colour of the image's border.
"""

import hashlib
import io
import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from PIL import Image, ImageCms, ImageOps
from pydantic import Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample

logger = logging.getLogger(__name__)

_MAX_PIXELS = 80_000_000  # about 300 MB once decoded
_MAX_LISTED = 50
_THREADS = 8


class FolderOptions(Options):
    """Where the images are, and how many files may be unreadable.

    ``path`` holds one subfolder a class. Up to ``max_unreadable`` files that cannot be read are
    skipped with a warning; more stop the run. The default, 0, lets none pass.
    """

    path: Annotated[str, Field(min_length=1)]
    max_unreadable: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """What reading a file showed: the sha256 of its bytes, or why it is no image."""

    path: Path
    digest: str = ""
    problem: str = ""


class Folder(Generator):
    """All images below ``path``: a class is a subfolder, with everything in it at any depth.

    Hidden files and folders are left out, as are files that lie beside the class folders; linked
    files are followed, linked folders inside a class are not. Records come in natural order of
    their file names (``2.png`` before ``10.png``), so that files with later names move no earlier
    one. An id is made from the file's content; a second file of the same content gets ``-2``.
    """

    summary = "real images from a folder, one subfolder a class"
    options = FolderOptions
    origin = "real"
    countable = False
    factors: ClassVar = {"file": ("string", "path of the image below the folder")}
    libraries = ("numpy", "pillow")

    config: FolderOptions

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders; FileNotFoundError or BadImages where there are none."""
        return tuple(_readable(folder.name) for folder in self._class_folders())

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of the files that lie in each class folder."""
        counts = {_readable(f.name): sum(1 for _ in _files(f)) for f in self._class_folders()}
        return {label: count / max(1, sum(counts.values())) for label, count in counts.items()}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every readable image, one stream a class; each file is decoded once to find the others.

        Raises BadImages, naming every file that cannot be read.
        """
        files = {folder: sorted(_files(folder), key=_natural) for folder in self._class_folders()}
        if empty := [_readable(folder.name) for folder, found in files.items() if not found]:
            raise BadImages(f"{self._place} has classes without a file: {', '.join(empty)}.")
        checked = _check([path for found in files.values() for path in found])
        self._refuse([item for item in checked if item.problem])
        good = {item.path: item.digest for item in checked if not item.problem}
        ids = _ids(name, good.values())
        streams: list[Sequence[Record]] = []
        for folder, found in files.items():
            label = _readable(folder.name)
            readable = [path for path in found if path in good]
            if not readable:
                raise BadImages(f"{self._place} has no readable image of class '{label}'.")
            streams.append([Record(id=next(ids), label=label, path=path) for path in readable])
        return streams

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's file; nothing is random."""
        file = _readable(record.file.relative_to(self.config.path).as_posix())
        try:
            image = _decode(record.file.read_bytes())
        except Exception as error:
            raise BadImages(f"{_readable(str(record.path))}: {_reason(error)}.") from None
        pixels = np.asarray(_squared(image, self.image_size))
        return Sample(image=pixels, label=record.label, factors={"file": file})

    @property
    def _place(self) -> str:
        return f"folder '{_readable(self.config.path)}'"

    def _class_folders(self) -> list[Path]:
        root = Path(self.config.path)
        advice = "Put the images there, one subfolder a class, or correct `path`."
        if not root.exists():
            raise FileNotFoundError(f"{self._place} does not exist. {advice}")
        if not root.is_dir():
            raise BadImages(f"'{_readable(self.config.path)}' is a file, not a folder. {advice}")
        folders = [item for item in root.iterdir() if item.is_dir() and not _hidden(item.name)]
        if len(folders) < 2:
            found = f"only the class '{_readable(folders[0].name)}'" if folders else "no class"
            raise BadImages(
                f"{self._place} holds {found}. It needs two subfolders or more, one a class, "
                "each with its images."
            )
        return sorted(folders)

    def _refuse(self, bad: list[_Checked]) -> None:
        """Stop when more files are unreadable than allowed; else warn which are skipped."""
        if not bad:
            return
        lines = [f"  {_readable(str(item.path))}: {item.problem}" for item in bad[:_MAX_LISTED]]
        if len(bad) > _MAX_LISTED:
            lines.append(f"  ... and {len(bad) - _MAX_LISTED} more")
        listed = "\n".join(lines)
        if len(bad) <= self.config.max_unreadable:
            logger.warning("%s: skipped %d unreadable files:\n%s", self._place, len(bad), listed)
            return
        raise BadImages(
            f"{self._place} has {len(bad)} unreadable files; "
            f"`max_unreadable` allows {self.config.max_unreadable}:\n{listed}\n"
            "Repair or remove them, or raise `max_unreadable` to skip that many."
        )


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _readable(name: str) -> str:
    """A file name as valid Unicode: bytes that are not UTF-8 become ``\\xff`` and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(parent, name) for name in names if not _hidden(name))


def _natural(path: Path) -> tuple[list[str | int], Path]:
    """Sorts numbers in names by their value."""
    parts = re.split("([0-9]+)", str(path))
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], path


def _ids(name: str, digests: Iterable[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for digest in digests:
        short = digest[:16]
        seen[short] = seen.get(short, 0) + 1
        yield f"{name}-{short}" + (f"-{seen[short]}" if seen[short] > 1 else "")


def _check(paths: Sequence[Path]) -> list[_Checked]:
    """Read and decode every file, in threads: Pillow's decoders release the interpreter lock."""
    pool = ThreadPoolExecutor(_THREADS)
    with warnings.catch_warnings():
        # Pillow only warns of an image just above its limit; _decode refuses it by its own.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return list(pool.map(_check_one, paths))
        finally:
            pool.shutdown(cancel_futures=True)


def _check_one(path: Path) -> _Checked:
    try:
        if not path.is_file():  # a pipe or a socket would be waited for
            return _Checked(path=path, problem="not a file (or a broken link)")
        content = path.read_bytes()
        _decode(content)
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        return _Checked(path=path, problem=_reason(error))
    return _Checked(path=path, digest=hashlib.sha256(content).hexdigest())


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image that Pillow knows"
    return (str(error) or type(error).__name__).rstrip(".")


def _decode(content: bytes) -> Image.Image:
    """An upright RGB image, fully loaded; of several frames the first."""
    if not content:
        raise ValueError("the file is empty")
    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > _MAX_PIXELS:
            size = f"{image.width} x {image.height}"
            raise ValueError(f"{size} pixels, more than {_MAX_PIXELS // 10**6} million")
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _grey(image, 65535)
    if image.mode == "F":
        return _grey(image, 1)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return image if converted is None else converted  # None: converted in place
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _grey(image: Image.Image, white: int) -> Image.Image:
    """Numbers from 0 to ``white`` as 8-bit grey; with others, no scale would surely be right."""
    values = np.asarray(image, dtype=np.float64)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= white):
        raise ValueError(f"{image.mode} pixels from {low:g} to {high:g}; 0 to {white} can be read")
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8)).convert("RGB")


def _squared(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), _border_mean(np.asarray(image)))
    square.paste(image, ((side - width) // 2, (side - height) // 2))
    return square


def _border_mean(pixels: np.ndarray) -> tuple[int, ...]:
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return tuple(np.rint(border.mean(axis=0)).astype(int).tolist())
