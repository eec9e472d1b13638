"""A name for what a page was made from: the same inputs have the same one, others another."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

from raresight.pipeline.core.files import MANIFEST, read_json, sha256

_DIGITS = 12


def identity(data: Path, names: Iterable[str], sections: Mapping[str, BaseModel]) -> str:
    """12 hexadecimal digits, of the ``sections`` of params and of what lies below ``data``.

    ``names`` are files, and folders with a manifest, whose hashes it lists already.
    """
    asked = {name: section.model_dump(mode="json") for name, section in sections.items()}
    found = {name: _hashes(data / name) for name in sorted(names)}
    text = json.dumps({"params": asked, "files": found}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _hashes(path: Path) -> dict[str, str] | str:
    if path.is_file():
        return sha256(path)
    files = read_json(path / MANIFEST)["files"]
    return {name: entry["sha256"] for name, entry in files.items()}
