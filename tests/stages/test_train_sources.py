"""train.source_weights: which source an epoch's images are of."""

import numpy as np
import pytest
import torch
from program import change, write_params

from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.training.data.order import epoch_order
from raresight.pipeline.training.inputs import open_images, open_inputs
from raresight.pipeline.training.params import TrainParams


def source(name, count):
    options = {"classes": ["circle", "square"]}
    counts = {"circle": count, "square": count}
    return {"name": name, "generator": "shapes", "options": options, "counts": counts}


def test_copies_count_for_the_source_of_their_original_and_names_are_checked(tmp_path):
    params, data = tmp_path / "params.yaml", tmp_path / "data"
    write_params(params, sources=[source("few", 10), source("many", 50)])
    change(params, source_weights={"few": 0.5})
    for stage in (generate, augment):
        stage.run(params, data, workers=1)
    split.run(params, data)
    section = load_section(params, "train", TrainParams)
    feed = open_inputs(params, section, data, torch.device("cpu")).train
    images = open_images(params, section, data)
    names = np.concatenate((images.originals.source_ids, images.copies.source_ids))[feed.rows]
    few = np.array([name.startswith("few") for name in names])
    assert np.isin(feed.sources.of_images[few], 0).all()
    assert (feed.sources.of_images[~few] == 1).all()
    targets = feed.targets.numpy()
    counts = np.bincount(targets)
    order = epoch_order(targets, counts, seed=1, epoch=0, sources=feed.sources)
    for label, count in enumerate(counts):
        assert few[order][targets[order] == label].sum() == pytest.approx(count / 2, abs=1)
    change(params, source_weights={"fwe": 0.5})
    with pytest.raises(ParamsError, match=r"no source 'fwe'\. Did you mean 'few'"):
        open_images(params, load_section(params, "train", TrainParams), data)
    change(params, source_weights={"few": 0.7, "many": 0.4})
    with pytest.raises(ParamsError, match=r"sum to 1\.1: 1 is the most"):
        load_section(params, "train", TrainParams)
