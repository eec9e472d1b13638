"""The command line: it parses, calls one stage and prints; the only room that knows click.

What a command needs is imported inside it, so that `raresight --help` stays instant.
"""

import os
import sys

from raresight.pipeline.cli import judging, looking, project, raw, stages, training, using
from raresight.pipeline.cli.group import cli, explain
from raresight.pipeline.runtime import processes

# As --help lists them.
_SECTIONS = {
    "Begin": project.COMMANDS,
    "Stages, in the order in which `dvc repro` runs them": stages.COMMANDS,
    "Before and after a training": training.COMMANDS,
    "Compare and plan": judging.COMMANDS,
    "Use the model": using.COMMANDS,
    "Params and data": looking.COMMANDS,
    "Bring images": raw.COMMANDS,
}
for _title, _commands in _SECTIONS.items():
    cli.add_section(_title, _commands)
cli.add_command(explain)


def main() -> int:
    """Entry point of `raresight` and `python -m raresight`."""
    processes.end_cleanly_when_told()
    if "DVC_STAGE" in os.environ:
        processes.end_with_dvc()
    try:
        return cli(prog_name="raresight")
    except SystemExit as ending:
        # Before a command has begun, and after its end, click itself takes Ctrl-C, and says 1.
        if ending.code == 1 and processes.interrupted():
            sys.exit(130)
        raise
