"""carla-record: a CARLA stream below data/raw, for the generator `carla` to read."""

import shutil
from pathlib import Path

from raresight.generators.base import CannotDraw, Unavailable
from raresight.generators.carla import open_stream, record
from raresight.pipeline.runtime.errors import DeviceError, OutputError


def run(
    folder: Path, *, server: str | None, ticks: int, size: int, seed: int, crossing: float
) -> Path:
    """Write the record ``folder``, whole or not at all, and return its path.

    ``server`` is ``host:port``; None stages the stream with the game engine's street.
    """
    if folder.exists():
        raise OutputError(f"{folder} exists: remove it first, or record to another folder.")
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        with open_stream(server, size=size, seed=seed, crossing=crossing) as stream:
            record.write(stream, new, ticks)
        new.rename(folder)
    except (Unavailable, CannotDraw) as error:
        raise DeviceError(str(error)) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder
