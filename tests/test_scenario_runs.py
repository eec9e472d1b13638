"""Every scenario that is shipped runs from the first stage to the last, with few images."""

import json
import shutil

import numpy as np
import pytest
from full_params import full_params
from imports import ROOT
from ruamel.yaml import YAML

from raresight.generators.registry import find
from raresight.pipeline.commands import carla_record, digits
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.core.params import parse
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages import (
    augment,
    clean,
    enlarge,
    evaluate,
    generate,
    report,
    split,
    train,
)

SCENARIOS = sorted(path.stem for path in (ROOT / "params").glob("*.yaml"))
ENGINES = {"carla": "street", "conveyor": "conveyor", "street": "street"}
EACH_CLASS = 24


def small(document, folder):
    """The same scenario with a few dozen images of each class, two epochs and few resamples."""
    for source in document["generate"]["sources"]:
        options = source.setdefault("options", {})
        if "path" in options:
            options["path"] = str(prepare(source["generator"], folder))
        if source.get("counts") is not None:
            source["counts"] = dict.fromkeys(source["counts"], EACH_CLASS)
        elif source.get("count") is not None:
            generator = find(source["generator"])
            classes = generator(parse(generator.options, options), 64).classes
            source["count"] = EACH_CLASS * len(classes)
            source["prevalence"] = dict.fromkeys(classes, 1 / len(classes))
    document["train"].update(epochs=2, batch_size=32, threads=1)
    document["evaluate"].update(num_bootstrap=100)
    return document


def prepare(generator, folder):
    """The raw images that a scenario reads."""
    raw = folder / "raw"
    if generator == "carla":
        options = {"server": None, "ticks": 60, "size": 32, "seed": 1, "crossing": 0.6}
        return carla_record.run(raw, **options)
    digits.write_digits(raw)
    for label in raw.iterdir():
        for path in sorted(label.iterdir())[EACH_CLASS:]:
            path.unlink()
    return raw


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.engine(ENGINES[name]) if name in ENGINES else ())
        for name in SCENARIOS
    ],
)
def test_a_scenario_runs_end_to_end(name, tmp_path):
    yaml, params, data = YAML(), tmp_path / "params.yaml", tmp_path / "data"
    yaml.dump(small(full_params(ROOT / f"params/{name}.yaml"), tmp_path), params)
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    clean.run(params, data, device="cpu")
    enlarge.run(params, data)
    train.run(params, data, device="cpu")
    evaluate.run(params, data, device="cpu")
    report.run(params, data)
    made = Dataset(data / "generated")
    assert set(made.labels) == set(made.classes)
    assert manifest_problems(data / "generated") == []
    metrics = json.loads((data / "evaluation/results.json").read_text())
    assert np.isfinite(metrics["test"]["accuracy"])
    assert metrics["positive"] in (None, *made.classes)
    assert ("transfer" in metrics) == (name == "digits-sim2real")  # drawn teach, real ones test
    assert (data / "report/index.html").stat().st_size > 50_000
    shutil.rmtree(data)
