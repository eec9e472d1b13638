"""Progress on stderr, and only where somebody watches."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from raresight.pipeline.runtime.visible import visible

Item = TypeVar("Item")

_HOUR = 3600.0


def _is_hidden() -> bool:
    return (
        os.environ.get("RARESIGHT_VERBOSITY", "0") == "-1" or not Console(stderr=True).is_terminal
    )


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} images/s", style="progress.data.speed")


def say(text: str) -> None:
    """Tell the person on stderr, unless --quiet."""
    if os.environ.get("RARESIGHT_VERBOSITY", "0") != "-1":
        print(visible(text), file=sys.stderr, flush=True)


def rate_column() -> ProgressColumn:
    """Images a second, for a bar that counts images."""
    return _Rate()


def bar(*columns: ProgressColumn, period: float = 30.0) -> Progress:
    """A progress bar with an ETA and any further columns; invisible when stderr is no terminal.

    Speed and ETA are those of the last ``period`` seconds.
    """
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=period,
        disable=_is_hidden(),
    )


def track(
    items: Iterable[Item], *, total: int, description: str, images: Callable[[Item], int]
) -> Iterator[Item]:
    """Yield the items while a bar counts the ``images`` in each; there are ``total`` in all."""
    with bar(rate_column(), period=_HOUR) as progress:  # items may be minutes apart
        task = progress.add_task(description, total=total)
        for item in items:
            progress.advance(task, images(item))
            yield item
