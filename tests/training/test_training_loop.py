"""The loop on toy images: it learns, repeats to the bit, keeps the best epoch, refuses to
diverge.
"""

import numpy as np
import pytest
import torch
from toy_training import DEVICES, trainer

from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import DeviceError, DivergedError
from raresight.pipeline.training.optim.early_stopping import epochs_without_gain


@pytest.mark.parametrize("device", DEVICES)
def test_it_learns_to_find_the_square(device):
    result = trainer(device).fit()
    assert result.best.val_average_precision > 0.95
    assert result.epochs[-1].train_loss < 0.5 * result.epochs[0].train_loss


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_weights(device):
    one, two = (trainer(device, epochs=2).fit() for _ in range(2))
    for name, weight in one.weights.items():
        assert torch.equal(weight, two.weights[name]), name


def test_another_seed_gives_other_weights():
    one, two = trainer(epochs=2).fit(), trainer(epochs=2, seed=2).fit()
    assert any(not torch.equal(one.weights[n], two.weights[n]) for n in one.weights)


def test_training_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    trainer(epochs=2).fit()
    assert torch.equal(before, torch.random.get_rng_state())


def test_gains_are_measured_from_the_last_that_counted():
    steady = [0.3 + 0.005 * epoch for epoch in range(20)]
    # Every second epoch is 0.01 above the last that counted.
    assert max(epochs_without_gain(steady[:k], 0.008) for k in range(1, 21)) == 1
    assert epochs_without_gain([0.5, 0.505, 0.507], 0.008) == 2
    assert epochs_without_gain([0.5, 0.4, 0.6, 0.6], 0.0) == 1


def test_the_best_epoch_is_kept_and_stopping_is_early():
    result = trainer(epochs=30, early_stopping={"patience": 2, "min_delta": 0.0}).fit()
    quality = [epoch.val_average_precision for epoch in result.epochs]
    assert len(quality) < 30
    assert result.best.epoch == 1 + int(np.argmax(quality))
    assert len(quality) == result.best.epoch + 2


def test_the_last_epoch_is_kept_where_asked_for():
    result = trainer(epochs=5, checkpoint="last").fit()
    assert result.best.epoch == 5


def test_a_rate_far_too_high_ends_with_advice():
    wild = {"name": "sgd", "learning_rate": 10.0, "momentum": 0.9}
    calm = {"name": "constant", "interval": "step", "warmup": None}
    run = trainer(optimizer=wild, schedule=calm, gradient_clip=None, epochs=20)
    with torch.no_grad():
        run.model.network.head.weight.mul_(1e6)
    with pytest.raises(DivergedError, match=r"Lower train\.optimizer\.learning_rate"):
        run.fit()


def test_validation_loss_is_weighted_to_the_classes_training_shows():
    run = trainer()
    loss, targets = np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])
    run.validation.targets = targets
    found = run.validation.as_in_training(loss, np.array([30, 10]))
    assert found == pytest.approx(0.75 * 2.0 + 0.25 * 10.0)


def test_a_last_batch_of_one_image_is_no_trouble_for_batch_norm():
    """400 images in batches of 57 leave one; where its maps are of one pixel it has no variance."""
    network = {"name": "shufflenet_v2_x0_5", "stem": "original", "dropout": 0.0}
    calm = {"name": "constant", "interval": "step", "warmup": None}
    run = trainer(model=network, schedule=calm, batch_size=57, epochs=1)
    sizes = []
    history = run.fit(lambda images, epoch: sizes.append(images))
    assert sizes == [57] * 6 + [58]
    assert len(sizes) == run.steps_per_epoch
    assert np.isfinite(history.epochs[0].train_loss)


def test_the_loss_of_a_constant_prediction_is_searched_for_once(monkeypatch):
    searches = []
    search = torch.optim.LBFGS.step
    monkeypatch.setattr(
        torch.optim.LBFGS, "step", lambda *given: searches.append(1) or search(*given)
    )
    run = trainer(epochs=2)
    run.fit()
    assert run.chance_loss() == run.chance_loss()
    assert len(searches) == 1


def test_unknown_devices_are_refused():
    with pytest.raises(DeviceError, match="choose auto, cpu, cuda"):
        devices.resolve("gpu7")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="0 CUDA devices"):
            devices.resolve("cuda")
