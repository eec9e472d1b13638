"""Does anything but the object tell the class, and what does a trivial model make of it?

    python -m benchmarks leaks [NAME...] [--images N] [--net] [--json]

For each generator and pair of classes: AUC of probes that cannot see the object (the rest of the
image with the object cut out; the square farthest from it), of the factors that no class decides
on, and of those that came out with it. `banks` asks what another set of textures does to a small
network's false positives. Runs where the generator runs; the others are said to be missing.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score

from benchmarks import probes
from raresight.generators import GENERATORS
from raresight.generators.base import Generator, Record, Sample, Unavailable
from raresight.pipeline.core import seeds

SIDE = 64
IMAGES = 400  # of each class
_QUICK_IMAGES = 60
_LEARNED, _ASKED = 4000, 4000  # images of the banks' network, half of them positive; of its tests
_ALARMS = 0.01  # the share of false positives that the threshold allows on its own banks
OTHER_SETS = (1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A generator with options, a class and the class (or classes) that it is told from."""

    generator: str
    positive: str
    negatives: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    hole: probes.Hole = probes.of_mask

    def build(self, **more: Any) -> Generator:
        kind = GENERATORS[self.generator]
        options = json.dumps({**self.options, **more})
        return kind(kind.options.model_validate_json(options), SIDE)

    def __str__(self) -> str:
        return f"{self.generator}, {self.positive} / {', '.join(self.negatives)}"


CASES: Mapping[str, Case] = {
    "pathology": Case(generator="pathology", positive="mitotic", negatives=("normal",)),
    "textures": Case(generator="textures", positive="defective", negatives=("sound",)),
    "shapes": Case(
        generator="shapes",
        positive="circle",
        negatives=("square", "triangle"),
        options={"classes": ["circle", "square", "triangle"], "size": [0.15, 0.45]},
        hole=probes.of_disc,
    ),
    "glyphs": Case(
        generator="glyphs", positive="1", negatives=("0", "4"), options={"height": [0.2, 0.35]}
    ),
    "street": Case(generator="street", positive="crossing", negatives=("clear",)),
    "toppled": Case(generator="conveyor", positive="toppled", negatives=("ok",)),
    "no_cap": Case(generator="conveyor", positive="no_cap", negatives=("ok",)),
    "stacked": Case(generator="conveyor", positive="stacked", negatives=("ok",)),
}
GROUNDED = ("pathology", "textures")


def draw(case: Case, generator: Generator, count: int) -> list[tuple[Sample, Sample]]:
    """``count`` pairs of a positive and a negative, each of a stream of its own."""

    def one(label: str, k: int) -> Sample:
        record = Record(id=f"{label}-{k}", label=label)
        return generator.sample(record, seeds.rng(1, "leaks", record.id))

    return [
        (one(case.positive, k), one(case.negatives[k % len(case.negatives)], k))
        for k in range(count)
    ]


def shortcuts(case: Case, *, images: int, net: bool) -> dict[str, Any]:
    """The AUC of every probe; None where it has nothing to look at."""
    generator = case.build()
    pairs = draw(case, generator, images)
    samples = [one for pair in pairs for one in pair]
    free = [
        name
        for name in generator.factors
        if name not in (*generator.label_factors, *generator.outcomes)
    ]
    patches = probes.far_patches(pairs, case.hole)
    looks = {
        "cut": probes.cut_features(pairs, case.hole),
        "far patch": probes.patch_features(patches),
        "factors": probes.factor_features(samples, free),
        "outcomes": probes.factor_features(samples, generator.outcomes),
    }
    found: dict[str, Any] = {"images": images, "far patches": len(patches) // 2}
    for name, features in looks.items():
        enough = len(features) >= 4 * probes.FOLDS and features.size
        found[f"{name}: boosting"] = probes.ask(features, probes.boosting) if enough else None
        found[f"{name}: logistic"] = probes.ask(features, probes.logistic) if enough else None
    if net:
        found["far patch: net"] = probes.ask_net(patches)
    return found


def banks(case: Case, *, learned: int, asked: int) -> dict[str, Any]:
    """A small network's ranking and false positives, on its own set of texture banks and others."""
    own = case.build()
    images = _stacked(draw(case, own, learned // 2))
    score = probes.net(images, np.arange(len(images)) % 2 == 0, epochs=8)
    found: dict[str, Any] = {}
    threshold = np.inf
    for chosen in (0, *OTHER_SETS):
        shown = _asked(case, case.build(ground_set=chosen), asked)
        scores, targets = score(shown), np.arange(len(shown)) % 2 == 0
        negatives = scores[~targets]
        if chosen == 0:
            threshold = float(np.quantile(negatives, 1 - _ALARMS))
        alarms = float((negatives > threshold).mean())
        ap = float(average_precision_score(targets, scores))
        found[f"set {chosen}"] = {"average precision": ap, "false positives": alarms}
    error = float(np.sqrt(2 * _ALARMS * (1 - _ALARMS) / (asked // 2)))
    return found | {"standard error of a difference in false positives": error}


def _asked(case: Case, generator: Generator, count: int) -> np.ndarray:
    """The same test records, whatever the banks; other ones than the network has learned from."""
    images = []
    for k in range(count // 2):
        for label in (case.positive, case.negatives[k % len(case.negatives)]):
            rng = seeds.rng(2, "leaks", f"{label}-{k}")
            images.append(generator.sample(Record(id=f"test-{k}", label=label), rng).image)
    return np.stack(images)


def _stacked(pairs: Sequence[tuple[Sample, Sample]]) -> np.ndarray:
    return np.stack([one.image for pair in pairs for one in pair])


def measure(
    names: Sequence[str], *, images: int, net: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The table, row by row: a case and what was found, or why it could not be run."""
    for name in names:
        case = CASES[name.removeprefix("banks of ")]
        try:
            case.build().require()
        except Unavailable as error:
            yield str(case), {"missing": str(error)}
            continue
        if name.startswith("banks of "):
            share = images / IMAGES
            yield name, banks(case, learned=int(_LEARNED * share), asked=int(_ASKED * share))
        else:
            yield str(case), shortcuts(case, images=images, net=net)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks leaks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(_all())} (default: all)")
    parser.add_argument("--images", type=int, default=IMAGES, help="of each class")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_IMAGES} images a class")
    parser.add_argument("--net", action="store_true", help="a small network on the far patch, too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args(arguments)
    names = [one for name in asked.names for one in _all() if one in (name, f"banks of {name}")]
    if asked.names and len({name.split()[-1] for name in names}) < len(set(asked.names)):
        parser.error(f"there are {', '.join(CASES)}")
    images = _QUICK_IMAGES if asked.quick else asked.images
    rows = []
    for row in measure(names or _all(), images=images, net=asked.net):
        print(f"{row[0]} ...", file=sys.stderr)
        rows.append(row)
    if asked.json:
        print(json.dumps(dict(rows), default=vars, indent=2))
    else:
        _print(rows)


def _all() -> list[str]:
    return [*CASES, *(f"banks of {name}" for name in GROUNDED)]


def _print(rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    table = Table(title="AUC ± standard error over five folds; 0.5 is nothing", show_lines=True)
    for heading in ("what", "found"):
        table.add_column(heading, overflow="fold")
    for what, found in rows:
        lines = [f"{key}: {_cell(value)}" for key, value in found.items() if value is not None]
        table.add_row(what, "\n".join(lines))
    Console(width=110).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part:.3f}" for key, part in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
