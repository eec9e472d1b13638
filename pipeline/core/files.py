"""Outputs that appear whole or not at all, and prove what they hold.

A stage writes beside its output, flushes to disk, and swaps the folder in with one rename. Every
output folder holds a ``manifest.json`` with the size and sha256 of each file; the next stage checks
it before it reads. A lock outside the folder keeps a second writer away.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from raresight.pipeline.core.locks import lock
from raresight.pipeline.core.provenance import FROM, WITH, digest, seal_holds, sealed, ties
from raresight.pipeline.core.provenance import MANIFEST as MANIFEST
from raresight.pipeline.core.provenance import sha256 as sha256
from raresight.pipeline.core.space import require_room
from raresight.pipeline.core.verified import Verified
from raresight.pipeline.runtime.errors import (
    DataError,
    InputMissing,
    OutputError,
    listing,
)
from raresight.pipeline.runtime.system import c_function, flush

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def content_digest(values: Any) -> str:
    """A name (32 hexadecimal digits) for the bytes of an array, such as an image's pixels."""
    # memoryview takes any array; a copy is made only where its bytes lie apart.
    view = memoryview(values)
    return hashlib.blake2b(
        view if view.c_contiguous else view.tobytes(), digest_size=16
    ).hexdigest()


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Where to write what ``path`` is to be: it is put in place in one step when the block
    succeeds. When it fails, ``path`` is as it was, and what was written is gone."""
    new = path.with_name(f".{path.name}.new")
    try:
        yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON; NaN and infinity are refused (they are not JSON)."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Read JSON, with the file's name in the message when it is missing or broken."""
    try:
        return parse_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist. Run the stage that makes it first.") from None


def parse_json(content: bytes, where: str) -> Any:
    """What JSON holds; DataError, which says ``where``, when it is none."""
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not valid JSON ({error}). Run its stage again.") from None


def write_manifest(
    folder: Path,
    hashed: Mapping[Path, str],
    tied: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """List every file below ``folder`` with its size and sha256, taken from ``hashed`` if there,
    and what it was made from and with (``tied``)."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashed.get(path) or sha256(path),
        }
        for path in files
    }
    write_json(folder / MANIFEST, sealed({"files": entries, **tied}))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; DataError where it is not what was written."""
    found = read_json(folder / MANIFEST)
    try:
        # Its shape first: what is sealed may still come from somebody else.
        for entry in found["files"].values():
            entry["bytes"], entry["sha256"]
        [found.get(kind, {}).values() for kind in (FROM, WITH)]
    except (AttributeError, KeyError, TypeError):
        raise DataError(
            f"{folder / MANIFEST} lists no files with the bytes and the sha256 of each"
        ) from None
    if not seal_holds(found):
        raise DataError(f"{folder / MANIFEST} was changed since it was written")
    return dict(found)


def manifest_problems(
    folder: Path,
    *,
    free: Callable[[Path], bool] = lambda path: False,
    seen: Verified | None = None,
) -> list[str]:
    """What differs between a folder and its manifest, a sentence a file; empty if nothing does.

    Files that are ``free``, asked by their path below the folder, may differ, be missing, or be too
    many. Files that were ``seen`` and not written to since are not read again.
    """
    try:
        listed = read_manifest(folder)["files"]
    except DataError as error:
        return [str(error)]
    files = {name: (entry["bytes"], entry["sha256"]) for name, entry in listed.items()}
    if outside := [name for name in files if ".." in Path(name).parts or Path(name).is_absolute()]:
        return [f"{folder / MANIFEST} lists {outside[0]}, which lies elsewhere"]
    checked = [name for name in files if not free(Path(name))]
    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        found = pool.map(lambda name: _problem(folder, name, *files[name], seen), checked)
        problems = [problem for problem in found if problem]
    known = {folder / name for name in files} | {folder / MANIFEST}
    there = sorted(path for path in folder.rglob("*") if path.is_file() and path not in known)
    extra = [path for path in there if not free(path.relative_to(folder))]
    return problems + [f"{path} is not in the manifest" for path in extra]


def _problem(folder: Path, name: str, size: int, digest: str, seen: Verified | None) -> str | None:
    path = folder / name
    if not path.is_file():
        return f"{path} is missing"
    before = path.stat()
    if before.st_size != size:
        return f"{path} has {before.st_size} bytes, not {size}"
    if seen and seen.holds(name, path, digest):
        return None
    if sha256(path) != digest:
        return f"{path} has another sha256 than its manifest"
    if seen:
        seen.add(name, before, digest)
    return None


def require_verified(folder: Path, stage: str) -> None:
    """Check an input folder before reading it: what was written to since it was last checked.

    Raises InputMissing when ``stage`` has not written it, DataError when its bytes changed since.
    """
    if not (folder / MANIFEST).is_file():
        raise InputMissing(
            f"{folder} is not there (or has no {MANIFEST}). Run `raresight {stage}` or `dvc repro`."
        )
    seen = Verified(folder)
    problems = manifest_problems(folder, seen=seen)
    seen.save()
    if problems:
        raise DataError(
            f"{folder} is not what the {stage} stage wrote:\n{listing(problems)}\n"
            f"Restore it with `dvc checkout {folder}` or run `raresight {stage}` again."
        )


@contextmanager
def stage_outputs(
    *targets: Path,
    inputs: Sequence[Path] = (),
    needed: int = 0,
    hashed: Mapping[Path, str] = MappingProxyType({}),
    folders: bool = False,
) -> Iterator[tuple[Path, ...]]:
    """Give a scratch path for each target; put them in place together when the block succeeds.

    A target with a suffix is a file, one without, or each with ``folders``, is a folder. That gets
    a manifest, which names the ``inputs``, verified before, and the targets from the last folder
    before it on. When the block fails, the targets are untouched and the scratch paths are gone.
    The block may put into ``hashed`` the sha256 of scratch files that it has computed already, as
    workers do in parallel. OutputError before it begins, where the ``needed`` bytes have no room.
    """
    require_room(targets[0], needed)
    with ExitStack() as stack:
        for target in targets:
            stack.enter_context(lock(target.parent / f".{target.name}.lock"))
        scratch = tuple(target.parent / f".{target.name}.new" for target in targets)
        # As they are before the block reads them: what is exchanged meanwhile is another input.
        found = {path: digest(path) for path in inputs}
        try:
            for target, new in zip(targets, scratch, strict=True):
                _remove(new)  # left by a killed run; the lock says that nobody writes it now
                if folders or not target.suffix:
                    new.mkdir(parents=True)
            yield scratch
            before: dict[Path, str] = {}
            for target, new in zip(targets, scratch, strict=True):
                if folders or not target.suffix:
                    tied = {FROM: ties(target, found), WITH: ties(target, before)}
                    write_manifest(new, hashed, {kind: one for kind, one in tied.items() if one})
                    before = {}  # this folder's manifest names them
                before[target] = digest(new)
                _sync(new)
            _swap_all(list(zip(scratch, targets, strict=True)))
        finally:
            _remove_all(scratch)


def _remove_all(paths: Sequence[Path]) -> None:
    try:
        for path in paths:
            _remove(path)
    except BaseException:  # a signal, which must not leave the half of a folder
        for path in paths:
            _remove(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    for entry in [path, *path.rglob("*")]:
        flush(entry)


def _swap_all(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Swap in every (new, target) or, where one of them cannot be, none: outputs of two runs are
    never beside each other, but after a kill between two renames."""
    done: list[tuple[Path, Path]] = []
    try:
        for new, target in pairs:
            _swap_in(new, target)
            done.append((new, target))
    except BaseException:
        for new, target in reversed(done):
            _swap_in(target, new)
        raise
    for folder in dict.fromkeys(target.parent for _, target in pairs):
        try:
            flush(folder)
        except OSError as error:
            raise OutputError(
                f"{folder}: the new output is whole and in place, but the disk does not confirm it "
                f"({error.strerror}), so that a power cut may lose it."
            ) from None


def _swap_in(new: Path, target: Path) -> None:
    """Make ``new`` the target in one step; what the target was, if anything, is then at ``new``."""
    if not target.exists():
        os.replace(new, target)
    elif not _exchange(new, target):
        # Without an exchanging rename (not Linux, some network drives) there is a moment in which
        # only the old copy exists, under another name.
        old = new.with_name(new.name + ".old")
        os.replace(target, old)
        try:
            os.replace(new, target)
        except BaseException:
            os.replace(old, target)
            raise
        try:
            os.replace(old, new)
        except BaseException:
            os.replace(target, new)
            os.replace(old, target)
            raise


def _exchange(first: Path, second: Path) -> bool:
    renameat2 = c_function("renameat2")
    if renameat2 is None:
        return False
    arguments = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    return bool(renameat2(*arguments) == 0)
