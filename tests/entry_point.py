"""A package of somebody else's, as if pip had installed it: a module and its entry points."""

from pathlib import Path


def install(site: Path, package: str, **points: dict[str, str]) -> None:
    """Let ``package`` offer ``points`` (by group, name and value) from the folder ``site``."""
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = []
    for group, found in points.items():
        lines += [f"[raresight.{group}]", *(f"{name} = {value}" for name, value in found.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
