"""The command line: it parses, calls one stage and prints; the only room that knows click.

What a command needs is imported inside it, so that `raresight --help` stays instant.
"""

import os

from raresight.pipeline.cli import judging, looking, project, raw, stages, training, using
from raresight.pipeline.cli.group import cli
from raresight.pipeline.runtime import processes

for _room in (project, stages, training, judging, using, looking, raw):  # as --help lists them
    for _command in _room.COMMANDS:
        cli.add_command(_command)


def main() -> int:
    """Entry point of `raresight` and `python -m raresight`."""
    processes.end_cleanly_when_told()
    if "DVC_STAGE" in os.environ:
        processes.end_with_dvc()
    return cli(prog_name="raresight")
