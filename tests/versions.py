"""A repository with versions to compare: simulated answers in the place of a whole pipeline."""

import sys
from pathlib import Path

from clone import Clone
from imports import ROOT

PARAMS = """\
evaluate:
  seed: 1
  threshold: {{name: max_f1}}
  confidence_level: 0.95
  num_bootstrap: 200
train: {{skill: {skill}, luck: 0.3, seed: 1, num_seeds: 1}}
generate: {{positives: 40, brightness: 1}}
"""

# The stage in the place of a whole pipeline: simulated answers about simulated images.
STAGE = """\
from pathlib import Path
import numpy as np, pyarrow as pa
from ruamel.yaml import YAML
from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.summary import summary

params = YAML(typ="safe").load(Path("params.yaml"))
drawn, trained = params["generate"], params["train"]
targets = np.repeat([0, 1], [400, drawn["positives"]])
folder = Path("data/evaluation")
with stage_outputs(folder / "results.json", folder / "predictions") as (metrics, predictions):
    for number in range(1, trained["num_seeds"] + 1):
        below = predictions / f"replicate-{number}" if number > 1 else predictions
        below.mkdir(exist_ok=True)
        seed = [trained["seed"], number]
        skill = trained["skill"] + trained["luck"] * np.random.default_rng(seed).normal()
        for place, name in enumerate(("val", "test")):
            image = np.random.default_rng(place).normal(size=440)[: len(targets)]
            own = np.random.default_rng([place, *seed]).normal(size=440)[: len(targets)]
            rare = 1 / (1 + np.exp(-(skill * targets + image + own / 2 - 2)))
            ids = [f"{name}-{k}" for k in range(len(targets))]
            columns = {"id": ids, "label": np.array(["common", "rare"])[targets]}
            if number == 1:
                columns["source_id"] = ids
                columns["pixels"] = [f"{drawn['brightness']} {k}" for k in ids]
            columns |= {"score.common": 1 - rare, "score.rare": rare}
            batch = pa.record_batch({k: pa.array(v) for k, v in columns.items()})
            with pa.ipc.new_file(str(below / f"{name}.arrow"), batch.schema) as writer:
                writer.write_batch(batch)
    told = {"positive": "rare", "threshold": {"model": 0.6}}
    if trained["num_seeds"] > 1:
        thresholds = summary([{"threshold": 0.6}] * trained["num_seeds"])
        told["by_seed"] = {"num_seeds": trained["num_seeds"], **thresholds}
    write_json(metrics, told)
"""

DVC = f"""\
stages:
  evaluate:
    cmd: {sys.executable} stage.py
    params: [evaluate, train, generate]
    outs:
      - data/evaluation/predictions
      - data/evaluation/results.json: {{cache: false}}
"""


def begin(folder: Path, *, inside: str = "") -> Clone:
    """A repository in ``folder`` whose project, without versions yet, is ``inside`` it."""
    whole, clone = Clone(folder), Clone(folder / inside)
    clone.environment["PYTHONPATH"] = whole.environment["PYTHONPATH"] = str(ROOT)
    whole.folder.mkdir(exist_ok=True)
    whole.run("git", "init", "-q", "-b", "main")
    clone.folder.mkdir(exist_ok=True)
    clone.dvc("init", "-q", *(["--subdir"] if inside else []))
    for name, text in (("stage.py", STAGE), ("dvc.yaml", DVC)):
        (clone.folder / name).write_text(text)
    (clone.folder / ".gitignore").write_text("/data/evaluation/predictions\n")
    return clone


def make_repository(folder: Path, *, inside: str = "") -> Clone:
    """One with the versions `empty`, which never ran, `weak` and `strong`, the workspace's."""
    clone = begin(folder, inside=inside)
    make(clone, "empty", 1.5, run=False)
    make(clone, "weak", 1.5)
    make(clone, "strong", 3.5)
    return clone


def make(clone, tag, skill, *, run=True):
    (clone.folder / "params.yaml").write_text(PARAMS.format(skill=skill))
    if run:
        clone.dvc("repro", "-q")
    clone.commit()
    clone.run("git", "tag", tag)
