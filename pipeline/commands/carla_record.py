"""Records a CARLA stream below data/raw, for the generator `carla` to read.

python -m raresight.pipeline.commands.carla_record data/raw/carla --staged       without a server
python -m raresight.pipeline.commands.carla_record data/raw/carla --server HOST:PORT
"""

import argparse
import shutil
import sys
from pathlib import Path

from raresight.generators.base import CannotDraw, Unavailable
from raresight.generators.carla import open_stream, record
from raresight.pipeline.runtime.errors import DeviceError, OutputError, RaresightError


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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m raresight.pipeline.commands.carla_record")
    parser.add_argument("folder", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--staged", action="store_true", help="the game engine's street stands in")
    source.add_argument("--server", metavar="HOST:PORT", help="a CARLA server that runs")
    parser.add_argument("--ticks", type=int, default=2000, help="snapshots (default 2000)")
    parser.add_argument("--size", type=int, default=64, help="pixels a side (default 64)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crossing", type=float, default=0.15, help="staged: share meant to cross")
    return parser.parse_args()


def main() -> None:
    given = vars(_arguments())
    given.pop("staged")
    try:
        folder = run(**given)
    except RaresightError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    print(f"{given['ticks']} ticks below {folder}")


if __name__ == "__main__":
    main()
