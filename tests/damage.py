"""Reads a file again and again, each time damaged otherwise; to be run as a process of its own,
since what is not checked ends the process.

    python damage.py KIND PATH TIMES        KIND: dataset, splits or table; PATH: its file
"""

import random
import sys
from pathlib import Path

from raresight.generators.real.tables import BadTable, read_table
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.predictions_table import parse
from raresight.pipeline.runtime.errors import RaresightError
from raresight.pipeline.splitting.table import read_splits


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Some bytes are others, or zero, or gone."""
    changed, at = bytearray(content), rng.randrange(len(content))
    match rng.randrange(4):
        case 0:
            changed[at] ^= 1 << rng.randrange(8)
        case 1:
            for place in rng.sample(range(len(changed)), 4):
                changed[place] = rng.randrange(256)
        case 2:
            changed[at : at + 8] = rng.choice([b"\0" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f"])
        case 3:
            del changed[at:]
    return bytes(changed)


def read_dataset(path: Path) -> None:
    data = Dataset(path.parent)
    data.frame()
    data.images[range(len(data))]
    for name in ("masks", "boxes"):
        if (column := getattr(data, name)) is not None:
            [column[row] for row in range(len(data))]


def read_scores(path: Path) -> None:
    parse(read_table(path), str(path))


READ = {
    "dataset": read_dataset,
    "splits": lambda path: read_splits(path.parent).table.to_pylist(),
    "table": read_scores,
}


def main(kind: str, place: str, times: str) -> None:
    path, counts, others = Path(place), {"refused": 0, "read": 0}, []
    content, rng = path.read_bytes(), random.Random(kind)
    READ[kind](path)  # as it is, it can be read
    for _ in range(int(times)):
        path.write_bytes(damaged(content, rng))
        try:
            READ[kind](path)
            counts["read"] += 1
        except (RaresightError, BadTable):
            counts["refused"] += 1
        except Exception as error:
            others.append(f"{type(error).__name__}: {error}")
    path.write_bytes(content)
    print(counts["refused"], counts["read"], *sorted(set(others)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
