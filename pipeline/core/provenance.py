"""What an output was made from, and what was made with it: how its manifest ties it to others.

Every manifest names the inputs of its stage (``made_from``) and the outputs that were put in place
with it (``made_with``), by their paths from the folder and the sha256 of each: of a file its own,
of a folder that of its manifest, which holds those of its files. ``sha256`` is of the manifest's
own contents: a flipped bit in a name or a hash is the manifest's fault, and no other file's.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
FROM, WITH, _SEAL = "made_from", "made_with", "sha256"


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(root: Path, *paths: Path) -> dict[str, str]:
    """The sha256 of each Python file at or below ``paths``, by its name below ``root``."""
    files = (file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path]))
    return {file.relative_to(root).as_posix(): sha256(file) for file in sorted(files)}


def digest(path: Path) -> str:
    """What stands for an output: the sha256 of a file, or that of a folder's manifest."""
    return sha256(path if path.is_file() else path / MANIFEST)


def ties(folder: Path, found: Mapping[Path, str]) -> dict[str, str]:
    """The digest of each path by the way from ``folder`` to it: the same wherever the data lie."""
    return {
        Path(os.path.relpath(path, folder)).as_posix(): digest for path, digest in found.items()
    }


def sealed(contents: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's contents with their own sha256."""
    return {**contents, _SEAL: _seal(contents)}


def seal_holds(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest says what it said when it was written; older ones have no seal."""
    rest = {name: part for name, part in manifest.items() if name != _SEAL}
    return manifest[_SEAL] == _seal(rest) if _SEAL in manifest else set(rest) == {"files"}


def strangers(
    folder: Path, manifest: Mapping[str, Any], among: Callable[[Path], bool] = lambda path: True
) -> Iterator[tuple[str, Path]]:
    """What lies there now and is not what ``folder`` was made from, or with: FROM or WITH, and its
    path. Only paths ``among`` those asked for; what is not there contradicts nothing."""
    for kind in (FROM, WITH):
        for way, known in manifest.get(kind, {}).items():
            path = Path(os.path.normpath(folder / way))
            if among(path) and _there(path) and digest(path) != known:
                yield kind, path


def made_from_another(folder: Path, strange: Iterable[tuple[str, Path]], remedy: str) -> list[str]:
    """A sentence for each of :func:`strangers`."""
    return [
        f"{folder} was made from another {path} than the one that is there: {remedy}"
        if kind == FROM
        else f"{path} is not the one that was written with {folder}: {remedy}"
        for kind, path in strange
    ]


def _seal(contents: Mapping[str, Any]) -> str:
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _there(path: Path) -> bool:
    return path.is_file() or (path / MANIFEST).is_file()
