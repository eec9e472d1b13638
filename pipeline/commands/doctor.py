"""doctor: what a crash left and what is missing; with ``fix``, what can safely be repaired is."""

from dataclasses import replace
from pathlib import Path

from raresight.pipeline.doctor.checks import CHECKS
from raresight.pipeline.doctor.finding import Finding, Project


def run(root: Path, data: Path, *, fix: bool = False) -> list[Finding]:
    """All findings about the project in ``root`` with its ``data``, in the order of the checks.

    Those that ``fix`` repaired say what was done.
    """
    project = Project(root=root, data=data)
    found = [
        replace(finding, check=name) for name, check in CHECKS.items() for finding in check(project)
    ]
    return [finding.repaired() for finding in found] if fix else found
