"""Room on the disk, asked for before a stage begins: an output is whole beside the old one."""

import shutil
from pathlib import Path

from raresight.pipeline.runtime.errors import OutputError

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def require_room(folder: Path, needed: int) -> None:
    """Raise OutputError, with both figures, where ``needed`` bytes have no room in ``folder``."""
    free = free_bytes(folder)
    if needed > free:
        raise OutputError(
            f"{folder} needs about {in_words(needed)}, and its disk has {in_words(free)} free. "
            "Outputs of earlier runs are as they were. Make room there (`dvc gc --workspace` frees "
            "DVC's cache of what no output needs), or keep the data elsewhere with --data."
        )


def free_bytes(path: Path) -> int:
    """What is free on the disk where ``path`` is, or would be."""
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def in_words(count: float) -> str:
    """Bytes as a person reads them: ``1.2 GB``."""
    unit = 0
    while count >= 999.95 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:.0f} bytes"
