"""How much faster two machines are than one: ``python -m benchmarks.cluster [--seconds 300]``.

Ray clusters of one and of two machines with a core each, all on this machine (so that two idle
cores are needed), in turn, for as many rounds as end within so many seconds, and one at least.
Timed are `generate`, `augment` and the scoring of `evaluate` as `--executor ray` runs them, after
each machine has loaded their code.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.inputs import pathology, write_params
from benchmarks.measure import clock
from benchmarks.predict import write_model
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.scoring import LoadedInputs, Trained, model_scores
from raresight.pipeline.models.checkpoint import load_model
from raresight.pipeline.runtime.cluster import map_on_ray
from raresight.pipeline.stages import augment, generate

MACHINES = (1, 2)


@contextmanager
def cluster_of(machines: int) -> Iterator[None]:
    """A Ray cluster of so many machines with one core each, for as long as the block lasts."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        for _ in range(machines - 1):
            cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        for _ in map_on_ray(_load, range(2 * machines), workers=machines):
            pass
        yield
    finally:
        ray.shutdown()
        cluster.shutdown()


def _load(number: int) -> None:
    """Import what the stages import, long enough for every machine to get one."""
    import_module("raresight.pipeline.evaluation.scoring")
    for name in ("torch", "albumentations", "numba"):
        import_module(name)
    time.sleep(3)


def seconds(folder: Path, images: int) -> dict[str, float]:
    """What a stage takes on the cluster that is connected: as many copies as images."""
    amount = pathology(64, count=images, prevalence={"mitotic": 0.25})
    copies = {"copies": {"mitotic": 4}}
    params = write_params(folder / "params.yaml", {"generate": amount, "augment": copies})
    data = folder / "data"
    found = {
        stage.__name__.rpartition(".")[2]: clock(partial(stage.run, params, data, executor="ray"))()
        for stage in (generate, augment)
    }
    dataset = Dataset(data / "generated")
    write_model(folder, dataset)
    section, rows = load_section(params, "evaluate", EvaluateParams), np.arange(len(dataset))
    model = Trained(
        scorer=load_model(data / "model", "cpu"), folder=data / "model", seed=1, assumed=None
    )
    inputs = LoadedInputs(
        dataset=dataset,
        rows={"val": rows[:0], "test": rows},
        models=(model,),
        drawn=rows[:0],
        groups=dataset.ids,
    )
    score = clock(lambda: model_scores(inputs, section, device="cpu", executor="ray"))
    return found | {"evaluate's scoring": score()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the ratio of every round."""
    parser = argparse.ArgumentParser("python -m benchmarks.cluster")
    parser.add_argument("--images", type=int, default=24_576, help="eight shards")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args(arguments)
    rounds: list[dict[int, dict[str, float]]] = []
    lasted = 0.0
    started = time.monotonic()
    while not rounds or time.monotonic() - started + lasted < asked.seconds:
        began, found = time.monotonic(), {}
        for machines in MACHINES:
            temporary = tempfile.TemporaryDirectory(prefix="raresight-ray-")
            with temporary as folder, cluster_of(machines):
                found[machines] = seconds(Path(folder), asked.images)
            print(json.dumps({machines: found[machines]}), file=sys.stderr, flush=True)
        rounds.append(found)
        lasted = time.monotonic() - began
    if asked.json:
        print(json.dumps(rounds))
        return
    table = Table(title=f"{asked.images:,} images of 64 pixels, {len(rounds)} rounds")
    for heading in ("what", "one machine, s", "two, s", "ratio"):
        table.add_column(heading)
    for what in rounds[0][MACHINES[0]]:
        ones, twos = ([found[n][what] for found in rounds] for n in MACHINES)
        ratios = [a / b for a, b in zip(ones, twos, strict=True)]
        spread = f"{np.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        table.add_row(what, f"{np.median(ones):.1f}", f"{np.median(twos):.1f}", spread)
    Console().print(table)


if __name__ == "__main__":
    main()
