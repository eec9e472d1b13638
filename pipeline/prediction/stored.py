"""Datasets in a store: fetched into a folder here, verified as they come, and written there."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from raresight.pipeline.core.files import replaced, sha256
from raresight.pipeline.core.locks import lock
from raresight.pipeline.core.verified import Verified
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import DESCRIPTION, Description, Shard
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.errors import DataError, UnsafeError

_AT_ONCE = 8  # shards on their way; each waits for the network


def open_at(place: str | Path) -> Dataset:
    """The dataset of a folder, or of a URL: from the cache, what is missing there fetched first."""
    if not stores.is_url(place):
        return Dataset(place)
    found = Dataset(fetched(str(place)))
    found.name = str(place)
    return found


@contextmanager
def folder_to_write(out: str | Path) -> Iterator[Path]:
    """A folder to be written: ``out``, or of a URL one whose files go there if the block succeeds.

    UnsafeError where there is something in the store already: it would be mixed with what is new.
    """
    if not stores.is_url(out):
        yield Path(out)
        return
    url = str(out)
    if stores.kind(url) is not None:
        raise UnsafeError(f"{url} is there already. Remove it, or name another.")
    with TemporaryDirectory(prefix="raresight-out-") as scratch:
        folder = Path(scratch, "out")
        yield folder
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            stores.put(file, stores.joined(url, file.relative_to(folder).as_posix()))


def cache() -> Path:
    """Where datasets from stores are kept: ``RARESIGHT_CACHE``, or below the user's caches."""
    if chosen := os.environ.get("RARESIGHT_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raresight"


def fetched(url: str) -> Path:
    """A folder with the dataset at ``url``, in which every shard is what dataset.json says.

    A dataset has one folder in the cache by the content of its dataset.json, which names each
    shard's sha256: shards that are there already are not fetched again. Raises InputMissing where
    there is no dataset, DataError where a shard is damaged, or a name leaves the folder.
    """
    described = stores.read_bytes(stores.joined(url, DESCRIPTION))
    folder = cache() / "datasets" / hashlib.sha256(described).hexdigest()[:24]
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder.with_name(f".{folder.name}.lock")):
        (folder / DESCRIPTION).write_bytes(described)
        shards = Description.read(folder).shards
        _fetch(url, folder, shards)
    return folder


def _fetch(url: str, folder: Path, shards: Sequence[Shard]) -> None:
    seen = Verified(folder)
    missing = [shard for shard in shards if not _there(folder / shard.file, shard, seen)]
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for shard in pool.map(lambda shard: _one(url, folder, shard), missing):
                seen.add(shard.file, (folder / shard.file).stat(), shard.sha256)
    finally:
        seen.save()


def _there(path: Path, shard: Shard, seen: Verified) -> bool:
    if not path.is_file():
        return False
    if seen.holds(shard.file, path, shard.sha256):
        return True
    before = path.stat()
    if sha256(path) != shard.sha256:
        return False
    seen.add(shard.file, before, shard.sha256)
    return True


def _one(url: str, folder: Path, shard: Shard) -> Shard:
    there = stores.joined(url, shard.file)
    with replaced(folder / shard.file) as new:
        stores.fetch(there, new)
        if (found := sha256(new)) != shard.sha256:
            raise DataError(
                f"{there} has sha256 {found[:12]}..., but dataset.json beside it says "
                f"{shard.sha256[:12]}...: it was damaged or replaced. Copy the dataset there "
                "again, from a folder that `raresight verify` finds whole."
            )
    return shard
