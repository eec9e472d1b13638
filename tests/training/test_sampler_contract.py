"""Every entry of the registry of samplers keeps what an epoch relies on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_training import train_params, trainer

from raresight.pipeline.training.data.samplers import SAMPLERS

COUNTS = st.lists(st.integers(0, 5000), min_size=2, max_size=6).filter(any)
EPOCHS = 11


@pytest.mark.parametrize("name", SAMPLERS)
@given(counts=COUNTS, cap=st.none() | st.integers(1, 500))
@settings(max_examples=60)
def test_every_epoch_shows_as_many_images_and_none_of_a_class_that_has_none(name, counts, cap):
    sampler = SAMPLERS[name](max_per_class=cap)
    bounded = np.minimum(counts, cap) if cap else np.array(counts)
    for epoch in range(EPOCHS):
        found = sampler.class_counts(np.array(counts), epoch=epoch, epochs=EPOCHS)
        assert found.dtype == np.int64
        assert found.sum() == bounded.sum()
        assert (found >= 0).all()
        assert not found[bounded == 0].any()


@pytest.mark.parametrize("name", SAMPLERS)
@given(counts=COUNTS.map(sorted))
@settings(max_examples=60)
def test_a_larger_class_is_shown_no_less_often_than_a_smaller_one(name, counts):
    """By one image at most: whole numbers have to add up."""
    sampler = SAMPLERS[name]()
    for epoch in (0, 5, 10):
        found = sampler.class_counts(np.array(counts), epoch=epoch, epochs=EPOCHS)
        assert (np.diff(found) >= -1).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_it_says_whether_it_evens_out(name):
    """The share of the rare class at the end of the training, and whether a doubt is raised."""
    sampler = SAMPLERS[name]()
    counts = np.array([900, 90, 10])
    last = sampler.class_counts(counts, epoch=EPOCHS - 1, epochs=EPOCHS)
    assert sampler.evens_out == (last[2] > 10)
    assert sampler.evens_out == (last[0] < 900)


@pytest.mark.parametrize("name", SAMPLERS)
def test_it_comes_from_params_goes_back_and_trains(name):
    params = train_params(sampler={"name": name, "max_per_class": 100}).sampler
    assert type(params) is SAMPLERS[name]
    assert train_params(sampler=params.model_dump(mode="json")).sampler == params
    run = trainer(sampler={"name": name, "max_per_class": 100}, epochs=2)
    assert np.isfinite([epoch.train_loss for epoch in run.fit().epochs]).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_training_of_one_epoch_is_sampled_too(name):
    found = SAMPLERS[name]().class_counts(np.array([6, 2]), epoch=0, epochs=1)
    assert found.sum() == 8
