"""What a killed run leaves in the data folder."""

import os
import shutil
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.core.locks import is_held, owner, owner_note
from raresight.pipeline.core.provenance import MANIFEST
from raresight.pipeline.core.space import in_words
from raresight.pipeline.doctor.finding import ASIDE, Finding, Project, set_aside
from raresight.pipeline.generation.kept import FOLDER

_RESUME = ".resume"


def half_made(project: Project) -> Iterator[Finding]:
    """Outputs on their way (``.NAME.new``), and old ones out of the way (``.NAME.new.old``)."""
    running = 0
    for path in sorted(_hidden(project.data, ".new", ".new.old")):
        name = path.name.removeprefix(".").removesuffix(".old").removesuffix(".new")
        target = path.with_name(name)
        if is_held(target.with_name(f".{name}.lock")):
            running += 1
            continue
        if path.suffix == ".old" and not target.exists():
            yield Finding(
                said=f"{target} was out of the way when its run was killed; it is {path.name}",
                state="wrong",
                repair=partial(_put_back, path, target),
            )
        else:
            yield Finding(
                said=f"{path} is half an output of a run that was killed",
                state="wrong",
                repair=partial(_remove, path),
            )
    yield Finding(said=f"{running} outputs are on their way" if running else "no half-made output")


def locks(project: Project) -> Iterator[Finding]:
    """Who writes at this moment; a note of who wrote when it was killed."""
    found = False
    for path in sorted(_hidden(project.data, ".lock")):
        if is_held(path):
            found = True
            yield Finding(said=f"{path} is held by {owner(path) or 'a run'}", state="note")
        elif (who := owner(path)) is not None:
            note = owner_note(path)
            yield Finding(
                said=f"{note} names {who}, which holds nothing any more",
                state="note",
                repair=partial(_remove, note),
            )
    if not found:
        yield Finding(said="nobody writes an output")


def kept_training(project: Project) -> Iterator[Finding]:
    """The state of a training that was stopped, which the next one goes on from."""
    found = (path.parent for path in (project.data / _RESUME).glob(f"*/{MANIFEST}"))
    folders = sorted(folder for folder in found if ASIDE not in folder.name)
    for folder in folders:
        if problems := manifest_problems(folder):
            yield Finding(
                said=f"{folder} is not the checkpoint that was written ({problems[0]}): "
                "every training would refuse it",
                state="wrong",
                repair=partial(_start_anew, folder),
            )
        else:
            yield Finding(said=f"{folder}: a training that `raresight train` goes on with")
    if not folders:
        yield Finding(said="no training was stopped")


def kept_shards(project: Project) -> Iterator[Finding]:
    """The shards of a generation that was stopped."""
    shards = [*(project.data / FOLDER).glob("*.arrow")]
    if not shards:
        yield Finding(said="no generation was stopped")
        return
    size = in_words(sum(path.stat().st_size for path in shards))
    said = f"{len(shards)} shards ({size}) of a generation that `raresight generate` goes on with"
    yield Finding(said=f"{said}; `rm -r {project.data / FOLDER}` begins anew", state="note")


def modes(project: Project) -> Iterator[Finding]:
    """Files that only their owner may read, though the umask lets others."""
    mask = os.umask(0)
    os.umask(mask)
    wanted = 0o444 & ~mask
    closed = [
        path
        for path in sorted(project.data.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.stat().st_uid == os.getuid()
        and stat.S_IMODE(path.stat().st_mode) & wanted != wanted
    ]
    if not closed:
        yield Finding(said="every output may be read by whom the umask lets")
        return
    some = f"{closed[0]}{f' and {len(closed) - 1} more' if len(closed) > 1 else ''}"
    yield Finding(
        said=f"only you may read {some}: colleagues cannot use this folder",
        state="wrong",
        repair=partial(_open_up, closed, wanted),
    )


def _hidden(data: Path, *ends: str) -> Iterator[Path]:
    for place, folders, files in os.walk(data):
        yield from (Path(place, one) for one in (*folders, *files) if _is_ours(one, ends))
        folders[:] = [one for one in folders if not one.startswith(".")]


def _is_ours(name: str, ends: tuple[str, ...]) -> bool:
    return name.startswith(".") and name.endswith(ends)


def _put_back(old: Path, target: Path) -> str:
    old.rename(target)
    return f"{target} was put back"


def _start_anew(folder: Path) -> str:
    return f"{set_aside(folder)}: training starts anew"


def _remove(path: Path) -> str:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return f"{path} was removed: a run that was killed had left it, and nothing reads it"


def _open_up(paths: list[Path], wanted: int) -> str:
    for path in paths:
        path.chmod(stat.S_IMODE(path.stat().st_mode) | wanted)
    return f"{len(paths)} files may be read by whom the umask lets"
