"""Shards of a generation that was stopped: the next one goes on from them.

They lie in a hidden folder beside the output, outside what DVC clears before a stage runs. A shard
is taken up again if it was finished, which a note beside it says with its sha256, and drawn anew
otherwise. All of them belong to one key: other params, libraries or code start from nothing.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raresight import generators, pipeline
from raresight.generators.base import Generator
from raresight.pipeline.core.files import replaced, write_json
from raresight.pipeline.core.provenance import digests, sha256
from raresight.pipeline.dataset.schema import Description, Shard
from raresight.pipeline.generation.shards import ShardRecords

FOLDER = ".generating"
_KEY = "key.txt"
# What decides the pixels of a shipped generator, besides the libraries that a description names.
_CODE = ("core", "dataset", "generation", "stages/generate.py")


class KeptShards:
    """The folder of one generation: of one ``description``, cut into shards by one ``plan``.

    Only one process at a time may use it: the stage holds the lock of its output.
    """

    def __init__(self, folder: Path, description: Description, plan: Sequence[ShardRecords]):
        self.folder = folder
        self._key = _key(description, plan)

    def begin(self) -> None:
        """Keep what is of the same key, and nothing else."""
        place = self.folder / _KEY
        if not place.is_file() or place.read_text(encoding="utf-8") != self._key:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            place.write_text(self._key, encoding="utf-8")

    def finished(self) -> int:
        """How many shards were drawn to their end."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def bytes(self) -> int:
        """How much of the output is there already."""
        return sum(path.stat().st_size for path in self.folder.glob("*.arrow"))

    def take(self, output: Path) -> None:
        """Move every shard into ``output``; the folder is gone then."""
        for path in self.folder.glob("*.arrow"):
            os.replace(path, output / path.name)
        shutil.rmtree(self.folder)


def keeps(generator: Generator) -> bool:
    """Whether its shards can be taken up again: what is read in may have been changed meanwhile,
    and of others' code nobody here knows the version."""
    return generator.origin != "real" and type(generator).__module__.startswith(generators.__name__)


def note(path: Path, drawn: Mapping[str, Any]) -> None:
    """Say that the shard ``path`` was drawn to its end; ``drawn`` is what else is known of it."""
    with replaced(path.with_suffix(".json")) as new:
        write_json(new, drawn)


def noted(path: Path) -> tuple[Shard, dict[str, int]] | None:
    """The shard that was finished and is whole, and its images by class; None of any other."""
    try:
        found = json.loads(path.with_suffix(".json").read_bytes())
        shard = Shard(**found["shard"])
        read = {str(label): int(count) for label, count in found["read"].items()}
        if shard.file != path.name or sha256(path) != shard.sha256:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        path.with_suffix(".json").unlink(missing_ok=True)
        return None
    return shard, read


def _key(description: Description, plan: Sequence[ShardRecords]) -> str:
    roots = Path(generators.__file__).parent, Path(pipeline.__file__).parent
    code = {
        "generators": digests(roots[0], roots[0]),
        "pipeline": digests(roots[1], *(roots[1] / name for name in _CODE)),
    }
    parts = [(one.source.id_prefix, one.start, one.stop) for one in plan]
    facts = json.dumps([asdict(description), parts, code], sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()
