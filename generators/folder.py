"""Real images, one subfolder a class; :mod:`raresight.generators.image_file` reads each."""

import hashlib
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample
from raresight.generators.image_file import (
    decode,
    files_below,
    hidden,
    natural,
    readable_name,
    reason,
    squared,
)

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
        return tuple(readable_name(folder.name) for folder in self._class_folders())

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of the files that lie in each class folder."""
        counts = {
            readable_name(f.name): sum(1 for _ in files_below(f)) for f in self._class_folders()
        }
        return {label: count / max(1, sum(counts.values())) for label, count in counts.items()}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every readable image, one stream a class; each file is decoded once to find the others.

        Raises BadImages, naming every file that cannot be read.
        """
        files = {
            folder: sorted(files_below(folder), key=natural) for folder in self._class_folders()
        }
        if empty := [readable_name(folder.name) for folder, found in files.items() if not found]:
            raise BadImages(f"{self._place} has classes without a file: {', '.join(empty)}.")
        checked = _check([path for found in files.values() for path in found])
        self._refuse([item for item in checked if item.problem])
        good = {item.path: item.digest for item in checked if not item.problem}
        ids = _ids(name, good.values())
        streams: list[Sequence[Record]] = []
        for folder, found in files.items():
            label = readable_name(folder.name)
            readable = [path for path in found if path in good]
            if not readable:
                raise BadImages(f"{self._place} has no readable image of class '{label}'.")
            streams.append([Record(id=next(ids), label=label, path=path) for path in readable])
        return streams

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's file; nothing is random."""
        file = readable_name(record.file.relative_to(self.config.path).as_posix())
        try:
            image = decode(record.file.read_bytes())
        except Exception as error:
            raise BadImages(f"{readable_name(str(record.path))}: {reason(error)}.") from None
        pixels = np.asarray(squared(image, self.image_size))
        return Sample(image=pixels, label=record.label, factors={"file": file})

    @property
    def _place(self) -> str:
        return f"folder '{readable_name(self.config.path)}'"

    def _class_folders(self) -> list[Path]:
        root = Path(self.config.path)
        advice = "Put the images there, one subfolder a class, or correct `path`."
        if not root.exists():
            raise FileNotFoundError(f"{self._place} does not exist. {advice}")
        if not root.is_dir():
            raise BadImages(
                f"'{readable_name(self.config.path)}' is a file, not a folder. {advice}"
            )
        folders = [item for item in root.iterdir() if item.is_dir() and not hidden(item.name)]
        if len(folders) < 2:
            found = f"only the class '{readable_name(folders[0].name)}'" if folders else "no class"
            raise BadImages(
                f"{self._place} holds {found}. It needs two subfolders or more, one a class, "
                "each with its images."
            )
        return sorted(folders)

    def _refuse(self, bad: list[_Checked]) -> None:
        """Stop when more files are unreadable than allowed; else warn which are skipped."""
        if not bad:
            return
        lines = [f"  {readable_name(str(item.path))}: {item.problem}" for item in bad[:_MAX_LISTED]]
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
        # Pillow only warns of an image just above its limit; decode refuses it by its own.
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
        decode(content)
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        return _Checked(path=path, problem=reason(error))
    return _Checked(path=path, digest=hashlib.sha256(content).hexdigest())
