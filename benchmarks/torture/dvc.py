"""A small project under DVC: `dvc repro` killed, alone or with its stage, and six at once."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.torture.project import leftovers, outputs, state
from benchmarks.torture.run import Run

_REPRO = ("-m", "dvc", "repro", "--quiet")
_CROWD = 6


@dataclass(kw_only=True)
class Lab:
    """Copies of a project that is whole, as it was before each stage of its next version.

    ``seconds`` are those that each of the ``stages`` took, ``new`` is the data folder in the end.
    """

    root: Path
    stages: Sequence[str]
    seconds: list[float] = field(default_factory=list)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def new(self) -> Path:
        return self.root / "new" / "data"

    def before(self, number: int) -> None:
        """The work folder as it was before the stage of that number."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.root / str(number), self.work, symlinks=True)

    def start(self, *words: str, folder: Path | None = None, log: str = "log") -> subprocess.Popen:
        """Python with ``words`` in the work folder; what it says goes to the file ``log``."""
        place = folder or self.work
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: one for name, one in os.environ.items() if not name.startswith("DVC_")}
        own = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(place / ".dvc" / "site")}
        with (self.root / log).open("wb") as file:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=place,
                env={**kept, **own, "PATH": path, "OMP_NUM_THREADS": "1"},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def said(self, log: str = "log") -> str:
        return (self.root / log).read_text(errors="replace").strip()

    def call(self, *words: str, folder: Path | None = None) -> int:
        return self.start(*words, folder=folder).wait()

    @property
    def golden(self) -> bool:
        """Whether every output is that of the new version."""
        paths = [path for stage in self.stages for path in outputs(stage)]
        return all(state(self.work / "data", path) == state(self.new, path) for path in paths)


_LABS: dict[Path, Lab] = {}  # by the folder of the run: parts share one


def lab_of(run: Run) -> Lab:
    """The project in its first version, then stage by stage in the second."""
    root = run.project.root / "dvc"
    if root not in _LABS:
        _LABS[root] = _make(run, Lab(root=root, stages=run.project.stages))
    return _LABS[root]


def _make(run: Run, lab: Lab) -> Lab:
    live = lab.root / "new"
    lab.root.mkdir()
    _must(lab, "-m", "raresight", "init", str(live), folder=lab.root)
    shutil.copy(run.project.params("old"), live / "params.yaml")
    _must(lab, *_REPRO, folder=live)
    _commit(live)
    shutil.copy(run.project.params("new"), live / "params.yaml")
    for number, stage in enumerate(lab.stages):
        shutil.copytree(live, lab.root / str(number), symlinks=True)
        start = time.monotonic()
        _must(lab, *_REPRO, stage, folder=live)
        lab.seconds.append(time.monotonic() - start)
    return lab


def _must(lab: Lab, *words: str, folder: Path) -> None:
    if code := lab.call(*words, folder=folder):
        raise RuntimeError(f"{' '.join(words)}: {code}\n{lab.said()}")


def _commit(folder: Path) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for words in (("add", "-A"), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=folder, check=True)


def kills(run: Run) -> Iterator[int]:
    """SIGKILL to `dvc` alone and to its process group in turn, while one stage is loaded, run or
    saved; then `raresight doctor --fix` and one `dvc repro`."""
    lab = lab_of(run)
    while True:
        for alone in (True, False):
            yield _kill(run, lab, alone=alone)


def _kill(run: Run, lab: Lab, *, alone: bool) -> int:
    number, counts = run.rng.randrange(len(lab.stages)), run.counts
    name = "SIGKILL to dvc alone" if alone else "SIGKILL to the group of dvc"
    lab.before(number)
    process = lab.start(*_REPRO)
    end = time.monotonic() + run.rng.uniform(0, 1.2 * lab.seconds[number])
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.005)
    if process.poll() is not None:
        return 0
    (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
    process.wait()
    counts[f"{name}: tried"] += 1
    doctor = lab.call("-m", "raresight", "doctor", "--fix")
    told = lab.said()
    counts[f"{name}: doctor has something to say"] += bool(doctor)
    code = lab.call(*_REPRO)
    _check(run, lab, name, f"{code}, doctor {doctor}: {told[-200:]}" if code else "")
    return 1


def _check(run: Run, lab: Lab, name: str, failed: str) -> None:
    """What the last `dvc repro` left: the new version, nothing half made, nobody at work."""
    wrong = {
        f"does not run again ({failed})": bool(failed),
        "not golden": not lab.golden,
        "leaves half an output": bool(leftovers(lab.work / "data")),
        "damaged objects in the cache": bool(_damaged(lab.work)),
        "somebody is still at work": bool(_alive(lab.work)),
    }
    run.counts[f"{name}: golden after one rerun"] += not any(wrong.values())
    for what in (one for one, found in wrong.items() if found):
        run.counts[f"WRONG {name}: {what} {lab.said()[-300:]!r}"] += 1


def together(run: Run) -> Iterator[int]:
    """Six `dvc repro` at once: one works, the others wait or say in a sentence that it does."""
    lab = lab_of(run)
    while True:
        _crowd(run, lab)
        yield 1


def _crowd(run: Run, lab: Lab) -> None:
    lab.before(run.rng.randrange(len(lab.stages)))
    logs = [f"log-{number}" for number in range(_CROWD)]
    crowd = [lab.start("-m", "dvc", "repro", log=log) for log in logs]  # quiet, it says nothing
    codes = [process.wait() for process in crowd]
    counts, name = run.counts, "six dvc repro at once"
    counts[f"{name}: tried"] += 1
    counts[f"{name}: of the six, worked"] += codes.count(0)
    if 0 not in codes:
        counts[f"WRONG {name}: nobody works {lab.said(logs[0])[-300:]!r}"] += 1
    for code, log in zip(codes, logs, strict=True):
        if not code:
            continue
        said = lab.said(log)
        sentence = "Traceback" not in said and "unexpected" not in said and "lock" in said
        counts[f"{name}: of the six, said that another works"] += sentence
        if not sentence:
            counts[f"WRONG {name}: {code} {said[-300:]!r}"] += 1
    _check(run, lab, name, "" if lab.golden else "the one that worked did not end")


def _damaged(project: Path) -> list[Path]:
    """Objects of DVC's cache that do not hold the bytes they are named by."""
    found = project.glob(".dvc/cache/files/md5/??/*")
    return [path for path in found if _md5(path) != (path.parent.name + path.name)[:32]]


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def _alive(folder: Path) -> list[int]:
    """The processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
