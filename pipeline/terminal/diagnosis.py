"""A training's diagnosis, for a terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from raresight.pipeline.commands.diagnose import Finding
from raresight.pipeline.terminal.tables import facts
from raresight.pipeline.wording.diagnosis import describe


def render(findings: Sequence[Finding]) -> RenderableType:
    """The cause, its inputs and the advice, for each replicate."""
    table = facts()
    for finding in findings:
        if len(findings) > 1:
            table.add_row("replicate", f"{finding.replicate}")
        said = describe(finding.cause, finding.numbers)
        table.add_row("diagnosis", Text(said.title, style="bold"))
        table.add_row("because", said.evidence)
        table.add_row("to do", said.advice)
    return table


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Code, numbers and sentences of each finding."""
    return [
        {**asdict(finding), **asdict(describe(finding.cause, finding.numbers))}
        for finding in findings
    ]
