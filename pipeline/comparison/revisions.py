"""Files of a Git revision or DVC experiment, read through DVC as if they lay in the workspace.

Git, the cache or a remote may have them; nothing is checked out. The project may be a subfolder of
its repository, a worktree or a submodule, and links may lead to its data.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from raresight.pipeline.runtime.errors import InputMissing, ParamsError

if TYPE_CHECKING:
    from dvc.api import DVCFileSystem

Reader = Callable[[Path], bytes]

_LOCK, _STAGE = "dvc.lock", "evaluate"


def revision_reader(name: str, workspace: str) -> Reader:
    """Reads paths of the workspace as they are in the revision ``name``.

    ``workspace`` is what is said in the place of a revision to mean none. Raises ParamsError where
    there is no such revision, InputMissing where the reader does not find a file, with what to do.
    """
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError, resolve_rev
    from dvc_data.index import DataIndexDirError

    shallow = False
    try:
        root = Path(Repo.find_root())
        with Repo(root) as here:  # a revision may be older than the remote that holds its data
            shallow = _is_shallow(here.scm)
            checked_out = resolve_rev(here.scm, name) == here.scm.get_rev()
            config = {key: here.config[key] for key in ("core", "remote", "cache")}
            inside = _relative(root, Path(here.scm.root_dir))
    except NotDvcRepoError:
        raise InputMissing(
            "there is no DVC project here, so no earlier version can be read. Run this inside one."
        ) from None
    except SCMError as error:
        raise ParamsError(f"{error}. {_which_revision(workspace, shallow=shallow)}") from None

    # A project below the repository's root is one of its subrepos, named from that root.
    again = run_again(None if checked_out else name)
    files = DVCFileSystem(str(root), rev=name, config=config, subrepos=inside != Path())

    def read(path: Path) -> bytes:
        own = _relative(path, root)
        place = (inside / own).as_posix()
        try:
            return files.read_bytes(place)
        except FileNotFoundError:
            why = _missing(files, inside, own, name, again)
        except DataIndexDirError:  # DVC cannot even list the folder
            why = _not_fetched(name, own, again)
        except (DvcException, OSError) as error:
            raise InputMissing(f"{own} of {name} cannot be read: {error}") from None
        raise InputMissing(why) from None

    return read


def commit_of(name: str) -> str:
    """The first seven digits of the commit that a revision or experiment is."""
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    with Repo(Repo.find_root()) as here:
        return str(resolve_rev(here.scm, name))[:7]


def run_again(name: str | None) -> str:
    """The line that makes a version's results; None for the commit that is checked out."""
    if name is None:
        return (
            "Run `dvc repro evaluate` (if there are edits, `git stash` first and `git stash pop` "
            "after), and commit dvc.lock and the metrics."
        )
    return f"Run `git checkout {name} && dvc repro evaluate`, and commit dvc.lock and the results."


def _is_shallow(scm: Any) -> bool:
    return (Path(os.fsdecode(scm.dulwich.repo.commondir())) / "shallow").is_file()


def _which_revision(workspace: str, *, shallow: bool) -> str:
    if shallow:
        return (
            "This clone is shallow, it lacks earlier commits: run `git fetch --unshallow`, and "
            "try again."
        )
    return (
        "Give a Git revision (`git log --oneline`), a DVC experiment (`dvc exp list`) or "
        f"'{workspace}'."
    )


def _relative(path: Path, root: Path) -> Path:
    """``path`` from ``root``, by its name: where a link within leads does not matter."""
    absolute, root = Path(os.path.abspath(path)), root.resolve()
    for parent in (absolute, *absolute.parents):
        if parent.resolve() == root:
            return absolute.relative_to(parent)
    raise ParamsError(f"{path} is outside the project {root}: no revision holds it.")


def _missing(files: "DVCFileSystem", inside: Path, path: Path, name: str, again: str) -> str:
    """Why the revision has no such file, from what its dvc.lock says was made."""
    known = files.exists((inside / path).as_posix())
    if known:  # dvc.lock has its hash
        return _not_fetched(name, path, again)
    try:
        lock = YAML(typ="safe", pure=True).load(
            io.BytesIO(files.read_bytes((inside / _LOCK).as_posix()))
        )
    except FileNotFoundError:
        lock = {}
    stages = (lock or {}).get("stages", {})
    if _STAGE not in stages:
        return (
            f"{name} has no {path}: its {_STAGE} stage was not run, or its dvc.lock not committed. "
            f"{again}"
        )
    if any(path.is_relative_to(out) for out in _outputs(stages)):
        return (
            f"{name} has no {path}, though its dvc.lock says that it was made: it was not "
            f"committed. Run `git add {path}` and commit it where it was made."
        )
    written = ", ".join(sorted(_outputs({_STAGE: stages[_STAGE]})))
    return (
        f"{name} has no {path}: its {_STAGE} stage wrote {written}. Say with --data where its "
        "results are."
    )


def _outputs(stages: dict[str, Any]) -> Iterator[str]:
    for stage in stages.values():
        yield from (out["path"] for out in stage.get("outs", []))


def _not_fetched(name: str, path: Path, again: str) -> str:
    return (
        f"{path} of {name} is in no cache and no remote of this project. Run `dvc push` where it "
        f"was made and `dvc fetch` here, or make it again: {again}"
    )
