"""What every command has: an example, the global options, and the project that it works on."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

PARAMS, DATA, PIPELINE = "params.yaml", "data", "dvc.yaml"
_GIVEN = "raresight.given"  # the place of the global options that were given, in a context's meta


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The global options, and where the project is."""

    params: Path
    data: Path
    json: bool
    verbosity: int


def _note(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """Keep what was given, before the command or after it: the later one counts."""
    name = option.name or ""
    if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
        ctx.meta.setdefault(_GIVEN, {})[name] = value
    return value


def global_options(*, of_command: bool) -> list[click.Option]:
    """The options that every command takes; ``of_command``: as they may stand after it, too."""

    def option(*names: str, **attributes: Any) -> click.Option:
        if of_command:  # said once, by the group; and the environment is asked once
            attributes |= {"hidden": True, "allow_from_autoenv": False}
            attributes.pop("envvar", None)
        return click.Option(names, callback=_note, expose_value=False, **attributes)

    found, made = click.Path(path_type=Path), click.Path(path_type=Path, file_okay=False)
    return [
        option(
            "--params",
            type=found,
            help="The params file, one section a stage; the project's params.yaml if not given.",
        ),
        option(
            "--data",
            type=made,
            help="Folder that the stages read and write; the project's data if not given.",
        ),
        option(
            "--json",
            "as_json",
            is_flag=True,
            envvar="RARESIGHT_JSON",
            help="Print JSON on stdout, for programs.",
        ),
        option("-v", "--verbose", is_flag=True, help="Say more on stderr: each file written."),
        option("-q", "--quiet", is_flag=True, help="No progress on stderr, errors only."),
        option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]


def given(ctx: click.Context, name: str) -> Any:
    """The value of a global option that was given; None where it was not."""
    return ctx.meta.get(_GIVEN, {}).get(name)


def project_root(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds a project; ``start`` if there is none.

    A project is a params.yaml beside a dvc.yaml; where a params.yaml lies, it is always meant.
    """
    if (start / PARAMS).is_file():
        return start
    for folder in start.parents:
        if (folder / PARAMS).is_file() and (folder / PIPELINE).is_file():
            return folder
    return start


def find_settings(ctx: click.Context) -> Settings:
    """The settings that a command gets, all paths as they are seen from here."""
    if given(ctx, "verbose") and given(ctx, "quiet"):
        raise click.UsageError("-v and -q exclude each other.", ctx)
    params: Path | None = given(ctx, "params")
    root = Path(os.path.relpath(project_root(Path.cwd()))) if params is None else Path()
    return Settings(
        params=params or root / PARAMS,
        data=given(ctx, "data") or root / DATA,
        json=bool(given(ctx, "as_json")),
        verbosity=bool(given(ctx, "verbose")) - bool(given(ctx, "quiet")),
    )


class Command(click.Command):
    """A command with an ``example`` of its use (what follows ``raresight`` on the line).

    It runs ``at_root``, in the folder of the project's params.yaml, whose relative paths are meant
    from there; the paths that were given stay those seen from where it was called. A command that
    reads no params runs where it was called.
    """

    def __init__(self, *args: Any, example: str, at_root: bool = True, **attributes: Any):
        super().__init__(*args, **attributes)
        self.example, self.at_root = example, at_root
        self.params += global_options(of_command=True)

    def invoke(self, ctx: click.Context) -> Any:
        settings = find_settings(ctx)
        os.environ["RARESIGHT_VERBOSITY"] = str(settings.verbosity)
        level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}[settings.verbosity]
        logging.basicConfig(level=level, format="%(levelname)s: %(message)s")
        with self._place(ctx, settings) as ctx.obj:
            return super().invoke(ctx)

    @contextlib.contextmanager
    def _place(self, ctx: click.Context, settings: Settings) -> Iterator[Settings]:
        """Go where the command runs; its settings, and its paths, as they are seen from there."""
        root = settings.params.parent
        elsewhere = given(ctx, "params") is None and root != Path()
        if not (self.at_root and elsewhere):
            yield settings
            return

        def moved(path: Path) -> Path:
            return path if str(path) == "-" else Path(os.path.relpath(path, root))

        for option in self.params:
            name = option.name or ""
            if isinstance(option.type, click.Path) and ctx.params.get(name) is not None:
                ctx.params[name] = _each(ctx.params[name], moved)
        if settings.verbosity >= 0:
            click.echo(f"in the project {root.resolve()}", err=True)
        with contextlib.chdir(root):
            yield Settings(
                params=Path(PARAMS),
                data=moved(settings.data),
                json=settings.json,
                verbosity=settings.verbosity,
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example"):
            formatter.write_text(f"raresight {self.example}")
        formatter.write_paragraph()
        formatter.write_text(
            "The global options (--params, --data, --json, -v, -q, --debug) may stand here, too: "
            "see raresight --help."
        )


def _each(value: Any, change: Callable[[Path], Path]) -> Any:
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


class Commands(click.Group):
    """Commands of commands, such as `export`."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any):
        super().__init__(*args, **attributes)
        self.params += global_options(of_command=True)


def command(name: str | None = None, **attributes: Any) -> Callable[[Any], Command]:
    """As ``click.command``, for a :class:`Command`: it takes its ``example``."""
    return click.command(name, cls=Command, **attributes)
