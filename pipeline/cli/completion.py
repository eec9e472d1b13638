"""What a shell completes after a command: names that only the project knows.

Nothing here may fail or print: where there is no project, there is nothing to complete.
"""

import subprocess
from collections.abc import Callable, Iterable

import click

from raresight.pipeline.cli.command import find_settings
from raresight.pipeline.runtime.errors import RaresightError

_NOTHING_THERE = (RaresightError, OSError, ValueError, KeyError, subprocess.SubprocessError)
Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(names: Callable[[click.Context], Iterable[str]]) -> Completion:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        try:
            return [name for name in names(ctx) if name.startswith(incomplete)]
        except (*_NOTHING_THERE, click.UsageError):
            return []

    return complete


def _scenarios(ctx: click.Context) -> Iterable[str]:
    from raresight.pipeline.commands.scenarios import run

    return [scenario.name for scenario in run(find_settings(ctx).params)]


def _shipped(ctx: click.Context) -> Iterable[str]:
    from raresight.pipeline.commands.scenarios import shipped_scenarios

    return shipped_scenarios()


def _revisions(ctx: click.Context) -> Iterable[str]:
    folder = find_settings(ctx).params.parent
    asked = ("git", "-C", str(folder), "for-each-ref", "--format=%(refname)")
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    # refs/heads/main, refs/tags/v1, refs/remotes/origin/main, refs/exps/ab/cdef.../snowy-yurt
    parts = [ref.split("/", 2) for ref in done.stdout.split()]
    names = [
        name.rpartition("/")[2] if kind == "exps" else name
        for _, kind, name in (part for part in parts if len(part) == 3)
        if kind in ("heads", "tags", "remotes", "exps") and not name.startswith("exec/")
    ]
    return ["workspace", "HEAD", "HEAD~1", *dict.fromkeys(names)]


def _metrics(ctx: click.Context) -> Iterable[str]:
    from raresight.pipeline.commands.compare import compared_metrics

    return compared_metrics()


def _classes(ctx: click.Context) -> Iterable[str]:
    from raresight.pipeline.core.files import read_json

    found: list[str] = read_json(find_settings(ctx).data / "generated/dataset.json")["classes"]
    return found


scenarios = _completing(_scenarios)
shipped_scenarios = _completing(_shipped)
revisions = _completing(_revisions)
metrics = _completing(_metrics)
classes = _completing(_classes)
