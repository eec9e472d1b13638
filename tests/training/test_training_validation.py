"""train.validation: each epoch may be judged on a part of a large class."""

import numpy as np
import pytest
import torch
from program import change, write_params

from raresight.pipeline.core.params import load_section
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.training.inputs import open_images, open_inputs
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.scores import ranking


def test_an_image_that_stands_for_three_counts_as_three():
    rng = np.random.default_rng(0)
    targets = np.array([0] * 30 + [1] * 6)
    scores = np.round(rng.uniform(size=36) + 0.4 * targets, 1)  # with ties
    pairs, weights = np.stack((1 - scores, scores), axis=1), np.where(targets == 0, 3.0, 1.0)
    times = weights.astype(int)
    for positive in (1, None):
        weighted = ranking(pairs, targets, positive, weights)
        repeated = ranking(np.repeat(pairs, times, axis=0), np.repeat(targets, times), positive)
        assert weighted == pytest.approx(repeated)


def test_at_most_so_many_of_a_class_are_judged_and_they_stand_for_all(tmp_path):
    params, data = tmp_path / "params.yaml", tmp_path / "data"
    counts = {"circle": 100, "square": 20}
    options = {"classes": list(counts)}
    write_params(params, sources=[{"generator": "shapes", "options": options, "counts": counts}])
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    split.run(params, data)
    everything = load_section(params, "train", TrainParams)
    images = open_images(params, everything, data)
    whole = images.rows("val")
    rows, weights = images.judged(everything)
    assert (rows == whole).all()
    assert (weights == 1).all()
    targets = images.originals.targets[whole]
    found = np.bincount(targets)
    assert found[0] > 2 * found[1]  # so that the bound below cuts one class alone
    change(params, validation={"max_per_class": int(found[1]) + 1})
    bounded = load_section(params, "train", TrainParams)
    rows, weights = images.judged(bounded)
    assert np.isin(rows, whole).all()
    assert (np.diff(rows) > 0).all()
    assert np.bincount(images.originals.targets[rows]).tolist() == [found[1] + 1, found[1]]
    assert np.bincount(images.originals.targets[rows], weights) == pytest.approx(found)
    again, _ = images.judged(bounded)
    other, _ = images.judged(bounded.model_copy(update={"seed": 2}))
    assert (rows == again).all()
    assert rows.tolist() != other.tolist()
    feed = open_inputs(params, bounded, data, torch.device("cpu")).val
    assert (feed.rows == rows).all()
    assert (feed.weights == weights).all()
