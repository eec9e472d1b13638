"""What each stage takes: seconds, memory and bytes on disk, by the number of images.

``python -m benchmarks.memory [--images 10000 100000] [--params FILE] [--stages NAME...] [--json]``
draws so many patches, and runs each stage as its own command; with ``--photographs`` it reads so
many JPEGs in and predicts them. Peaks are those of the command and
all its children together, as the kernel counts them: *anonymous* memory is a program's own, and
has to fit; *mapped* pages are of files, counted once a process that reads them, and taken by
whoever wants memory. Linux only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import ROOT
from raresight.pipeline.stages.table import STAGES

_EVERY = 0.05  # seconds between two looks at a stage
_KINDS = {"RssAnon": "anonymous", "RssShmem": "anonymous", "RssFile": "mapped"}
_MIB, _KIB = 1 << 20, 1 << 10


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one command took: wall-clock seconds, and bytes at the most at one time."""

    seconds: float
    anonymous: int
    mapped: int


@dataclass(frozen=True, kw_only=True)
class Row(Taken):
    """The same of a stage over so many originals, with the bytes that it left on disk."""

    stage: str
    images: int
    written: int


def watch(command: Sequence[str], folder: Path) -> Taken:
    """Run a command in ``folder``; CalledProcessError with what it said where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        peaks, done = {"anonymous": 0, "mapped": 0}, threading.Event()
        looking = threading.Thread(target=_look, args=(program.pid, peaks, done))
        looking.start()
        try:
            said, _ = program.communicate()
        finally:
            done.set()
            looking.join()
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command, output=said)
    return Taken(seconds=time.perf_counter() - started, **peaks)


def _look(pid: int, peaks: dict[str, int], done: threading.Event) -> None:
    while not done.wait(_EVERY):
        now = dict.fromkeys(peaks, 0)
        for process in _family(pid):
            for kind, size in resident(process).items():
                now[kind] += size
        for kind, size in now.items():
            peaks[kind] = max(peaks[kind], size)


def resident(pid: int) -> dict[str, int]:
    """Bytes of a process by kind; nothing where it is gone."""
    found: dict[str, int] = {}
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        name, _, value = line.partition(":")
        if name in _KINDS:
            found[_KINDS[name]] = found.get(_KINDS[name], 0) + int(value.split()[0]) * _KIB
    return found


def _family(pid: int) -> Iterator[int]:
    """A process and everyone that it, or one of those, has started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except OSError:  # that thread has ended
            continue
        for child in pids:
            yield from _family(int(child))


def scaled(params: Mapping[str, Any], images: int) -> dict[str, Any]:
    """Params that draw ``images`` in all, each source, which has a ``count``, its share."""
    document = json.loads(json.dumps(params))
    sources = document["generate"]["sources"]
    total = sum(source["count"] for source in sources)
    for source in sources:
        source["count"] = round(source["count"] * images / total)
    return dict(document)


def stages(folder: Path, params: Mapping[str, Any], names: Sequence[str]) -> Iterator[Row]:
    """Run each stage in ``folder``, an empty one at first."""
    yaml = YAML(typ="safe")
    yaml.dump(params, folder / "params.yaml")
    images = sum(source["count"] for source in params["generate"]["sources"])
    before = _bytes_below(folder)
    for name in names:
        taken = watch((sys.executable, "-m", "raresight", "--quiet", name), folder)
        after = _bytes_below(folder)
        yield Row(stage=name, images=images, written=after - before, **asdict(taken))
        before = after


def photographs(folder: Path, images: int) -> Iterator[Row]:
    """Read so many JPEGs of 512 pixels in at 224, and predict them by the default network."""
    from benchmarks.predict import write_model
    from benchmarks.read import as_they_lie, write_photographs
    from raresight.pipeline.dataset import Dataset

    write_photographs(folder / "photos", images)
    yaml = YAML(typ="safe")
    yaml.dump({"generate": as_they_lie(folder / "photos", 224)}, folder / "params.yaml")
    command = (sys.executable, "-m", "raresight", "--quiet")
    before = _bytes_below(folder)
    taken = watch((*command, "generate", "--workers", "2"), folder)
    written = _bytes_below(folder) - before
    yield Row(stage="generate --workers 2", images=images, written=written, **asdict(taken))
    write_model(folder, Dataset(folder / "data" / "generated"))
    for workers in ("1", "2"):
        table = ("--model", "data/model", "--out", "table.csv", "--workers", workers)
        taken = watch((*command, "predict", "photos", *table), folder)
        told = {"stage": f"predict --workers {workers}", "images": images}
        yield Row(**told, written=(folder / "table.csv").stat().st_size, **asdict(taken))


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def print_rows(rows: Sequence[Row], title: str) -> None:
    """A line a stage and number of images."""
    table = Table(title=title)
    for name in ("stage", "images", "seconds", "anonymous, MiB", "mapped, MiB", "written, MiB"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in rows:
        sizes = (f"{size / _MIB:,.0f}" for size in (row.anonymous, row.mapped, row.written))
        table.add_row(row.stage, f"{row.images:,}", f"{row.seconds:.1f}", *sizes)
    Console(width=max(100, Console().width)).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser("python -m benchmarks.memory")
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument(
        "--photographs", action="store_true", help="read JPEGs in, and predict them, instead"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args(arguments)
    params = YAML(typ="safe").load(asked.params)
    rows: list[Row] = []
    for images in asked.images:
        with tempfile.TemporaryDirectory(prefix="raresight-memory-") as folder:
            drawn = stages(Path(folder), scaled(params, images), asked.stages)
            for row in photographs(Path(folder), images) if asked.photographs else drawn:
                print(row, file=sys.stderr)
                rows.append(row)
    if asked.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print_rows(rows, f"{asked.params.name}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
