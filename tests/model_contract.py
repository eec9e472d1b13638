"""What every model keeps, whether it is built in or of another package: checks by its params."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from toy_training import train_params, trainer

from raresight.pipeline.models import checkpoint
from raresight.pipeline.models.classifier import Classifier, build, head_of

Keys = dict[str, Any]


def model(keys: Keys, *, side: int = 32, classes: int = 3, seed: int = 1) -> Classifier:
    params = train_params(model=keys).model
    return build(
        params, classes=classes, mean=[90] * 3, std=[50] * 3, seed=seed, shape=(side, side)
    )


def images(n: int = 4, side: int = 32) -> torch.Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.randint(256, (n, side, side, 3), generator=rng, dtype=torch.uint8)


def it_comes_from_params_and_goes_back(keys: Keys) -> None:
    params = train_params(model=keys).model
    assert params.name == keys["name"]
    assert train_params(model=params.model_dump(mode="json")).model == params


def images_become_a_finite_logit_a_class(keys: Keys) -> None:
    for side, classes in ((32, 2), (48, 5)):
        logits = model(keys, side=side, classes=classes).eval()(images(side=side))
        assert logits.shape == (4, classes)
        assert torch.isfinite(logits).all()


def what_is_trained_gets_a_finite_gradient(keys: Keys) -> None:
    built = model(keys).train()
    built(images(8)).square().sum().backward()
    trained = [weight for weight in built.parameters() if weight.requires_grad]
    assert trained
    assert all(w.grad is not None and torch.isfinite(w.grad).all() for w in trained)


def the_last_layer_is_found_and_is_all_there_is_to_train_or_not(keys: Keys) -> None:
    built = model(keys)
    head = head_of(built.network, 3)
    own = {id(weight) for weight in head.parameters()}
    others = [w for w in built.parameters() if w.requires_grad and id(w) not in own]
    assert head.weight.requires_grad
    assert bool(others) == train_params(model=keys).model.trains_features


def weights_are_drawn_from_the_seed_alone(keys: Keys) -> None:
    before = torch.random.get_rng_state()
    one, two, other = model(keys), model(keys), model(keys, seed=2)
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def in_a_test_an_image_does_not_depend_on_its_batch(keys: Keys) -> None:
    built, pixels = model(keys).eval(), images(6)
    with torch.inference_mode():
        together = built(pixels)
        alone = torch.cat([built(pixels[k : k + 1]) for k in range(6)])
    assert torch.allclose(together, alone, rtol=1e-3, atol=1e-4)


def it_is_saved_and_comes_back_to_the_bit(keys: Keys) -> None:
    built = model(keys).eval()
    card = checkpoint.ModelCard(
        model=train_params(model=keys).model.model_dump(),
        classes=("a", "b", "c"),
        positive=None,
        image_shape=(32, 32, 3),
        mean=(90.0,) * 3,
        std=(50.0,) * 3,
        class_shares={},
        score_prior=None,
        loss="cross_entropy",
        cosine_scale=None,
        seed=1,
        epoch=1,
        val_average_precision=0.5,
    )
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        checkpoint.save(Path(folder), built.state_dict(), card)
        loaded, _ = checkpoint.load(Path(folder))
        assert torch.equal(loaded.eval()(images()), built(images()))


def a_training_lowers_its_loss(keys: Keys) -> None:
    calm = {"name": "constant", "warmup": None}
    run = trainer(
        model=keys,
        epochs=3,
        schedule=calm,
        optimizer={"learning_rate": 1e-3},
        batch_augment={"brightness": 0.0, "contrast": 0.0},  # the toy images differ by that alone
    )
    epochs = run.fit().epochs
    assert epochs[-1].train_loss < epochs[0].train_loss


CHECKS = (
    it_comes_from_params_and_goes_back,
    images_become_a_finite_logit_a_class,
    what_is_trained_gets_a_finite_gradient,
    the_last_layer_is_found_and_is_all_there_is_to_train_or_not,
    weights_are_drawn_from_the_seed_alone,
    in_a_test_an_image_does_not_depend_on_its_batch,
    it_is_saved_and_comes_back_to_the_bit,
    a_training_lowers_its_loss,
)
