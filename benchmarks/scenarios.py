"""What each scenario's network reaches beside the baselines that need none.

``python -m benchmarks.scenarios [NAME...] [--seeds N]``: every stage to the evaluation, in a
temporary folder, at the size that is shipped. Prints the average precision (the accuracy, where no
class is the positive one) of the network, of the shortcut and of the texture baseline, and the mean
and standard deviation over the trainings. Ends with 1 where the network is not above both baselines
by MARGIN. ``--write`` keeps what was found in ``scenarios.json``, beside the drawing and the recipe
that it was found with: a test holds every scenario to it, so neither changes without a new measure.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.inputs import ROOT
from raresight.generators import registry
from raresight.pipeline.commands import carla_record, digits
from raresight.pipeline.stages import augment, evaluate, generate, split, train

# The scenarios for which it is asked: real digits are trivial for any model, and say nothing.
NAMES = ("pathology", "inspection", "shapes", "digits-sim2real", "conveyor", "street", "carla")
# Sections of stages that came later: left empty, they ask for nothing.
_LATER = ("clean", "enlarge")
MARGIN = 0.1
RECORD = ROOT / "benchmarks/scenarios.json"
_TICKS = {"ticks": 2000, "size": 64, "seed": 1, "crossing": 0.15}  # of carla's staged record


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One scenario: a quality of the network with its interval, and of the two baselines."""

    quality: str
    network: float
    interval: tuple[float, float]
    baselines: Mapping[str, float]
    by_seed: tuple[float, ...]
    seconds: float = 0.0

    @property
    def margin(self) -> float:
        """How far the network is above the better baseline."""
        return self.network - max(self.baselines.values())


def sections(name: str) -> dict[str, Any]:
    """The sections of the scenario's file that ask for something."""
    written: dict[str, Any] = YAML(typ="safe").load(ROOT / f"params/{name}.yaml")
    return {key: value for key, value in written.items() if value or key not in _LATER}


def document(name: str, folder: Path, *, seeds: int) -> dict[str, Any]:
    """The scenario's params, with the raw images that it reads made in ``folder``."""
    params = sections(name)
    for source in params["generate"]["sources"]:
        if source["generator"] == "folder":
            digits.write_digits(folder / "raw")
            source["options"]["path"] = str(folder / "raw")
        elif source["generator"] == "carla":
            carla_record.run(folder / "raw", server=None, **_TICKS)
            source["options"]["path"] = str(folder / "raw")
    params["train"] |= {"num_seeds": seeds}
    return params


def reach(params: Mapping[str, Any], folder: Path) -> Reached:
    """Run every stage up to the evaluation in ``folder`` and read what it found."""
    file, data, begun = folder / "params.yaml", folder / "data", time.perf_counter()
    YAML(typ="safe").dump(params, file)
    generate.run(file, data)
    augment.run(file, data)
    split.run(file, data)
    train.run(file, data)
    evaluate.run(file, data)
    return read(data, seconds=time.perf_counter() - begun)


def read(data: Path, *, seconds: float = 0.0) -> Reached:
    """What ``data/evaluation/results.json`` says."""
    results = json.loads((data / "evaluation" / "results.json").read_text())
    quality = "accuracy" if results["positive"] is None else "average_precision"
    row = results["test"]
    several = results.get("by_seed", {}).get("test", {}).get(quality, {}).get("values", {})
    return Reached(
        quality=quality,
        network=row[quality],
        interval=(row[f"{quality}_low"], row[f"{quality}_high"]),
        baselines={name: results[f"{name}_baseline"][quality] for name in ("shortcut", "texture")},
        by_seed=tuple(several.values()) or (row[quality],),
        seconds=seconds,
    )


def made_with(name: str) -> str:
    """The sha256 of what a scenario's figures rest on: its params and its generators' streams.

    Comments are no part of it, nor are keys that are left to their defaults.
    """
    params = sections(name)
    drawn = sorted({source["generator"] for source in params["generate"]["sources"]})
    streams = {name: registry.find(name).stream for name in drawn}
    text = json.dumps([params, streams], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(found: Mapping[str, Reached]) -> None:
    """Put ``found`` into the record, in the place of what was there of these scenarios."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for name, one in found.items():
        kept = {key: value for key, value in asdict(one).items() if key != "seconds"}
        record[name] = {"made_with": made_with(name), **kept}
    RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=2) + "\n")


def shown(found: Mapping[str, Reached]) -> Table:
    """A row for each scenario."""
    table = Table("scenario", "quality", "network", "shortcut", "texture", "trainings", "seconds")
    for name, one in found.items():
        low, high = one.interval
        several = len(one.by_seed) > 1
        spread = f" ± {statistics.stdev(one.by_seed):.3f}" if several else ""
        table.add_row(
            name,
            one.quality.replace("_", " "),
            f"{one.network:.3f} [{low:.3f} to {high:.3f}]",
            *(f"{one.baselines[which]:.3f}" for which in ("shortcut", "texture")),
            f"{statistics.fmean(one.by_seed):.3f}{spread}",
            f"{one.seconds:.0f}",
        )
    return table


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.scenarios")
    parser.add_argument("names", nargs="*", metavar="NAME", default=NAMES)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each (default: 3)")
    parser.add_argument("--write", action="store_true", help="keep it in scenarios.json")
    asked = parser.parse_args()
    found = {}
    for name in asked.names:
        with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
            params = document(name, Path(folder), seeds=asked.seeds)
            found[name] = reach(params, Path(folder))
        if asked.write:
            write({name: found[name]})
        Console().print(shown(found))
    return 1 if any(one.margin < MARGIN for one in found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
