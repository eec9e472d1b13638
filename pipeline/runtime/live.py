"""What a training shows while it runs: its curves in a file, and in the loggers asked for.

None of it is an output: Git and DVC keep nothing of it, and no byte of an output depends on it.
"""

import csv
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from raresight.pipeline.runtime.errors import DeviceError, ParamsError, suggest

FOLDER = "live"  # below the data folder
Row = Mapping[str, float]


class Logger(Protocol):
    """Where the numbers of each epoch go, as they come."""

    def log(self, row: Row) -> None:
        """Take the numbers of an epoch that has ended, its place (from 1) among them: ``epoch``."""

    def close(self) -> None:
        """Write what is not written yet."""


class TensorBoard:
    """Event files in a folder of their own for each training, to be compared in TensorBoard."""

    def __init__(self, folder: Path, replicate: int):
        from torch.utils.tensorboard import SummaryWriter

        run = f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{replicate}"
        self._writer: Any = SummaryWriter(str(folder / "tensorboard" / run))

    def log(self, row: Row) -> None:
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, int(row["epoch"]))
        self._writer.flush()  # what is seen while it trains

    def close(self) -> None:
        self._writer.close()


class DvcLive:
    """DVCLive's files, and DVC Studio where its token is set; it makes no experiment of its own."""

    def __init__(self, folder: Path, replicate: int):
        from dvclive import Live

        place = folder / "dvclive" / str(replicate)
        self._live: Any = Live(str(place), save_dvc_exp=False, dvcyaml=None, report=None)

    def log(self, row: Row) -> None:
        self._live.step = int(row["epoch"])
        for name, value in row.items():
            if name != "epoch":
                self._live.log_metric(name, value)
        self._live.sync()

    def close(self) -> None:
        self._live.end()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A logger that can be asked for, and the module that it needs, which is an extra's name."""

    module: str
    open: Callable[[Path, int], Logger]  # a folder, and which of the trainings this is (from 1)


LOGGERS: Mapping[str, Kind] = {
    "tensorboard": Kind(module="tensorboard", open=TensorBoard),
    "dvclive": Kind(module="dvclive", open=DvcLive),
}


def require_loggers(names: Sequence[str]) -> None:
    """Refuse unknown loggers (ParamsError), and those that are not installed (DeviceError)."""
    for name in names:
        if name not in LOGGERS:
            raise ParamsError(f"--log: no logger '{name}'. {suggest(name, LOGGERS)}")
        module = LOGGERS[name].module
        if find_spec(module) is None:
            raise DeviceError(f"--log {name} needs {module}: pip install 'raresight[{module}]'")


class LiveCurves:
    """The curves of one training, as they grow: ``curves.tsv`` in ``folder``, and its loggers.

    Those of further trainings (``replicate`` > 1) have their number in their file's name.
    """

    def __init__(self, folder: Path, loggers: Sequence[str], *, replicate: int = 1):
        number = f"-{replicate}" if replicate > 1 else ""
        self._file = folder / f"curves{number}.tsv"
        self._loggers = [LOGGERS[name].open(folder, replicate) for name in loggers]
        self._logged = 0

    def update(self, rows: Sequence[Row]) -> None:
        """Show the epochs that have ended; ``rows`` are all of them, those told before first."""
        for row in rows[self._logged :]:
            for logger in self._loggers:
                logger.log(row)
        if len(rows) > self._logged:
            self._logged = len(rows)
            _write(self._file, rows)

    def close(self) -> None:
        """Write what the loggers have not written yet."""
        for logger in self._loggers:
            logger.close()


def _write(path: Path, rows: Sequence[Row]) -> None:
    """A row an epoch as TSV, in one step: whoever reads it while it is written sees a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(new, path)
    finally:  # where the disk refuses it
        new.unlink(missing_ok=True)
