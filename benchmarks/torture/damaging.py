"""Files that are damaged: with their manifests as they were, and with manifests made to fit."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.torture import child
from benchmarks.torture.run import Run
from raresight.pipeline.commands import verify
from raresight.pipeline.core.files import write_json
from raresight.pipeline.core.provenance import MANIFEST, WITH, sealed, sha256
from raresight.pipeline.runtime.errors import RaresightError
from raresight.pipeline.runtime.live import FOLDER as LIVE


class Other(Exception):
    """What must not be, and what no reader raises."""


def flips(run: Run) -> Iterator[int]:
    """One bit of one file is another, its times kept: `verify` names it."""
    data = run.project.data("new")
    while True:
        _flip(data, run.rng, run.counts)
        yield 1


def _flip(data: Path, rng: random.Random, counts: Counter[str]) -> None:
    path = picked(data, rng)
    good, times = path.read_bytes(), path.stat()
    _write(path, _flipped(good, rng), times)
    try:
        said = [line for lines in verify.run(data).values() for line in lines]
        counts["flipped bits: tried"] += 1
        counts["flipped bits: named by verify"] += bool(said)
        counts[f"WRONG flipped bits: unseen in {path.relative_to(data)}"] += not said
    except RaresightError as error:
        counts["flipped bits: named by verify"] += 1
        counts["flipped bits: tried"] += 1
        counts["flipped bits: as an error"] += bool(str(error))
    except Exception as error:
        counts[f"WRONG flipped bits: {type(error).__name__} for {path.relative_to(data)}"] += 1
    finally:
        _write(path, good, times)


def stages(run: Run) -> Iterator[int]:
    """As `mutations`, read by the whole of the stage that reads the file next."""
    while True:
        _mutate(run)
        yield 1


# The stage that reads an output first, by the folder of the file.
_READERS = {
    "generated": "augment",
    "augmented": "split",
    "splits": "train",
    "cleaning": "train",
    "enlarged": "train",
    "model": "evaluate",
    "training": "report",
    "evaluation": "report",
    "decision": "report",
}


def _mutate(run: Run) -> None:
    project, rng, counts = run.project, run.rng, run.counts
    readers = {name: stage for name, stage in _READERS.items() if stage in project.stages}
    folder = rng.choice([one for one in readers if (project.data("new") / one).is_dir()])
    stage = readers[folder]
    data = project.between(stage)
    path = picked(data / folder, rng, but=(MANIFEST,))
    path.write_bytes(mutated(path.read_bytes(), rng))
    fit(path, data)
    ended = child.run(project.words(stage, "new", data), log=project.root / "log")
    run.peaks.append(ended.peak)
    counts["mutations, by the stage: tried"] += 1
    if ended.code is None:
        run.wrong(f"mutations, by the stage: hangs on {path.name}", stage, ended)
    elif ended.unexpected or ended.code < 0:
        run.wrong(f"mutations, by the stage: {ended.code} for {path.name}", stage, ended)
    elif ended.code == 0:
        counts["mutations, by the stage: could be read"] += 1
    else:
        counts[f"mutations, by the stage: refused ({ended.code})"] += 1


def picked(folder: Path, rng: random.Random, but: tuple[str, ...] = ()) -> Path:
    """A file of an output below ``folder`` that holds anything, and whose name does not begin as
    one of ``but``."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.stat().st_size
        and not path.name.startswith(but)
        and not any(part.startswith((".", LIVE)) for part in path.relative_to(folder).parts)
    ]
    return rng.choice(found)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Some bytes are others, zero, too large, doubled, or gone; of text, perhaps a number."""
    changed, at = bytearray(content), rng.randrange(len(content))
    match rng.randrange(6):
        case 0:
            changed[at] ^= 1 << rng.randrange(8)
        case 1:
            for place in rng.sample(range(len(changed)), min(4, len(changed))):
                changed[place] = rng.randrange(256)
        case 2:
            changed[at : at + 8] = rng.choice([b"\0" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f"])
        case 3:
            del changed[at:]
        case 4:
            changed[at:at] = changed[at : at + 50]
        case 5:
            words = [b"NaN", b"-1e999", b"null", b"[[[[", b'"\\u0000"', b"99999999999999999999"]
            changed[at : at + 3] = rng.choice(words)
    return bytes(changed)


def fit(path: Path, data: Path) -> None:
    """Make the manifest that lists ``path`` list it as it is, or name it so as made with it."""
    folders = [one.parent for one in (*path.parents, data / "x") if one.is_relative_to(data)]
    for manifest in [*(one / MANIFEST for one in path.parents), *path.parent.glob(f"*/{MANIFEST}")]:
        if not manifest.is_file() or not folders:
            continue
        known = _load(manifest)
        name = path.relative_to(manifest.parent).as_posix() if _below(path, manifest) else None
        way = Path(os.path.relpath(path, manifest.parent)).as_posix()
        if name in known["files"]:
            known["files"][name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        elif way in known.get(WITH, {}):
            known[WITH][way] = sha256(path)
        else:
            continue
        write_json(manifest, sealed(known))
        _tie_again(manifest.parent, data)


def _tie_again(folder: Path, data: Path) -> None:
    """What was made from ``folder`` or with it names it as it is now."""
    for manifest in sorted(data.rglob(MANIFEST)):
        known, way = _load(manifest), Path(os.path.relpath(folder, manifest.parent)).as_posix()
        ties = [known[kind] for kind in ("made_from", WITH) if way in known.get(kind, {})]
        for one in ties:
            one[way] = sha256(folder / MANIFEST)
        if ties:
            write_json(manifest, sealed(known))
            _tie_again(manifest.parent, data)


def _load(manifest: Path) -> dict:
    return {
        name: part for name, part in json.loads(manifest.read_text()).items() if name != "sha256"
    }


def _below(path: Path, manifest: Path) -> bool:
    return path.is_relative_to(manifest.parent)


def _write(path: Path, content: bytes, times: os.stat_result) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
