"""``make million``: a disease in 0.01 % of a million images, and a shorter road to the answer.

``python -m benchmarks.million [--images N] [--enriched N] [--folder FOLDER] [--json FILE]``
runs every stage of ``params/million.yaml`` as its own command, and of ``params/pathology.yaml``,
where the disease is drawn two hundred times as often and judged at the same prevalence. Prints what
each stage took (docs/million.md says how it is measured), and what either road can say. A million
images need 13 GB of disk, in a temporary folder unless ``--folder`` says where.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import ROOT
from benchmarks.memory import Row, print_rows, scaled, stages
from raresight.pipeline.stages.table import STAGES

ROADS = {"million": "params/million.yaml", "enriched": "params/pathology.yaml"}
_FIGURES = ("recall", "precision", "average_precision", "accuracy", "f1")


@dataclass(frozen=True, kw_only=True)
class Road:
    """One way to the answer: what its stages took, how many test images of each kind it had, and
    its figures at the prevalence of use, each as :func:`told` tells it.

    ``always_negative`` is the accuracy there of the answer that finds nobody.
    """

    name: str
    rows: Sequence[Row]
    positives: int
    negatives: int
    prevalence: float
    figures: Mapping[str, str]
    always_negative: float


def walk(name: str, params: Mapping[str, Any], folder: Path) -> Road:
    """Run the whole chain in ``folder``, an empty one, and read what it found."""
    rows = []
    for row in stages(folder, params, list(STAGES)):
        print(f"{name}: {row.stage} took {row.seconds:.0f} s", file=sys.stderr)
        rows.append(row)
    found = json.loads((folder / "data/evaluation/results.json").read_text())
    deployed, counts = found["deployment"], dict(found["counts"]["test"])
    positives = counts.pop(found["positive"])
    return Road(
        name=name,
        rows=rows,
        positives=positives,
        negatives=sum(counts.values()),
        prevalence=deployed["prevalence"],
        figures={figure: told(deployed["model"], figure) for figure in _FIGURES},
        always_negative=deployed["always_negative"]["accuracy"],
    )


def told(row: Mapping[str, Any], figure: str) -> str:
    """``0.53 (0.3-0.75)``: a value of a row of results.json with its interval, or why not."""
    low, high = (row.get(f"{figure}_{end}") for end in ("low", "high"))
    digits = 6 if figure == "accuracy" else 3  # that of always no is 0.9999
    ends = "" if low is None or high is None else f" ({low:.{digits}g}-{high:.{digits}g})"
    if row[figure] is None:
        return f"undefined{ends}: {row['undefined'][figure]}"
    return f"{row[figure]:.{digits}g}{ends}"


def print_answers(roads: Sequence[Road]) -> None:
    """A column a road."""
    table = Table(title="what either road can say")
    table.add_column("")
    for road in roads:
        table.add_column(road.name)
    table.add_row("originals drawn", *(f"{road.rows[0].images:,}" for road in roads))
    table.add_row("seconds", *(f"{sum(r.seconds for r in road.rows):,.0f}" for road in roads))
    table.add_row("bytes", *(f"{sum(r.written for r in road.rows):,}" for road in roads))
    table.add_row("test positives", *(f"{road.positives:,}" for road in roads))
    table.add_row("test negatives", *(f"{road.negatives:,}" for road in roads))
    for figure in _FIGURES:
        at = f"{figure} at {roads[0].prevalence:g}"
        table.add_row(at, *(road.figures[figure] for road in roads))
    table.add_row("accuracy of always no", *(f"{road.always_negative:.6g}" for road in roads))
    Console(width=max(110, Console().width)).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Walk both roads and print what was found."""
    parser = argparse.ArgumentParser("python -m benchmarks.million")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--enriched", type=int, default=40_000)
    parser.add_argument("--folder", type=Path, help="an empty folder that keeps what is made")
    parser.add_argument("--json", type=Path, help="write what was found there, too")
    asked = parser.parse_args(arguments)
    roads = []
    for name, images in (("enriched", asked.enriched), ("million", asked.images)):
        params = scaled(YAML(typ="safe").load(ROOT / ROADS[name]), images)
        if asked.folder is None:
            with tempfile.TemporaryDirectory(prefix="raresight-million-") as folder:
                roads.append(walk(name, params, Path(folder)))
        else:
            (asked.folder / name).mkdir(parents=True)
            roads.append(walk(name, params, asked.folder / name))
        if asked.json is not None:  # after each, as the second takes long
            asked.json.write_text(json.dumps([asdict(road) for road in roads], indent=2))
    for road in roads:
        print_rows(road.rows, f"{road.name}: {ROADS[road.name]}")
    print_answers(roads)


if __name__ == "__main__":
    main()
