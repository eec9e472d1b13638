"""Large images: as many at once as memory is for, and the whole chain at 224 pixels."""

import json

import numpy as np
import pytest
from full_params import full_params
from ruamel.yaml import YAML

from raresight.pipeline.dataset import Dataset
from raresight.pipeline.dataset import pixels as held
from raresight.pipeline.dataset.pixels import at_once
from raresight.pipeline.models import classifier
from raresight.pipeline.models.classifier import in_batches
from raresight.pipeline.stages import augment, evaluate, generate, report, split, train
from raresight.pipeline.training.inputs import _pixel_statistics


@pytest.mark.parametrize(
    ("side", "size"),
    [(16, 512), (64, 512), (96, 227), (224, 41), (512, 8), (4096, 1)],  # 2,097,152 pixels
)
def test_as_many_images_are_scored_together_as_their_pixels_allow(side, size):
    rows = np.arange(1000) * 3
    batches = in_batches(rows, (side, side, 3))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert np.concatenate(batches).tolist() == rows.tolist()


def test_no_more_is_held_than_256_mebibytes():
    assert at_once(2048, (64, 64, 3)) == 2048
    assert at_once(2048, (512, 512, 3)) == 341  # of 768 KiB
    assert at_once(2048, (20_000, 20_000, 3)) == 1


SMALL = {
    "sources": [{
        "generator": "pathology", "count": 28, "prevalence": {"mitotic": 0.5},
        "options": {"radius": [20, 28], "nuclei": [4, 8]},
    }],
    "image_size": 224,
}  # fmt: skip


def test_the_whole_chain_runs_at_224_pixels(tmp_path, monkeypatch):
    """In parts as small as those of a hundred times as many images."""
    monkeypatch.setattr(classifier, "_PIXELS", 3 * 224 * 224)
    monkeypatch.setattr(held, "_HELD_AT_ONCE", 7 * 224 * 224 * 3)
    document = full_params()
    document["generate"].update(SMALL)
    document["augment"]["copies"] = {"mitotic": 1}
    model = {"name": "mobilenet_v3_small", "stem": "original"}
    schedule = {"name": "constant", "warmup": None}
    document["train"].update(model=model, epochs=1, batch_size=8, schedule=schedule, threads=1)
    document["evaluate"].update(num_bootstrap=100, threads=1)
    params, data = tmp_path / "params.yaml", tmp_path / "data"
    YAML(typ="safe").dump(document, params)
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    train.run(params, data, device="cpu")
    evaluate.run(params, data, device="cpu")
    report.run(params, data)
    made = Dataset(data / "generated")
    assert made.image_shape == (224, 224, 3)
    rows = np.arange(len(made))
    mean, std = _pixel_statistics(made, rows)
    every = np.asarray(made.images).reshape(-1, 3).astype(float)
    np.testing.assert_allclose(mean, every.mean(0))
    np.testing.assert_allclose(std, every.std(0))
    results = json.loads((data / "evaluation/results.json").read_text())
    assert np.isfinite(results["test"]["accuracy"])
    page = (data / "report/index.html").stat().st_size
    assert page < 4_000_000  # what an email carries
