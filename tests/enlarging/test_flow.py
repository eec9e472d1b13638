"""A flow by hand: what its net sees, what it is asked, and which way leads to an image."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import flow_digits
from raresight.pipeline.enlarging.flow.drawing import _way, draw
from raresight.pipeline.enlarging.flow.fitting import TIMES, FlowTrainer
from raresight.pipeline.enlarging.flow.images import Batches, Learned
from raresight.pipeline.enlarging.flow.making import Limits
from raresight.pipeline.enlarging.flow.network import SIZES, Packing, unet
from raresight.pipeline.enlarging.makers import MAKERS
from raresight.pipeline.enlarging.methods import METHODS, Flow
from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.params.batches import BatchAugmentParams

CPU = torch.device("cpu")


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


class Images(np.ndarray):
    """As the images of a dataset are taken."""

    def take(self, rows):
        return np.asarray(self)[rows]


def some(others=0, masked=True):
    """Eight images of the class 1, and ``others`` of the class 0, after them."""
    count = 8 + others
    pixels = rng(1).integers(0, 256, (count, 8, 8, 3)).astype(np.uint8).view(Images)
    masks = [np.eye(8, dtype=np.uint8) if row % 2 else None for row in range(count)]
    data = SimpleNamespace(
        images=pixels,
        masks=masks,
        targets=np.repeat([1, 0], [8, others]),
        classes=("common", "rare"),
        image_shape=(8, 8, 3),
    )
    rows = {"rare": np.arange(8)}
    return Learned(data=data, rows=rows, others=np.arange(8, count), masked=masked)


@pytest.mark.parametrize("shape", [(16, 16, 4), (40, 33, 3), (130, 128, 4)])
def test_images_go_into_the_net_and_come_out_the_same(shape):
    packing = Packing(height=shape[0], width=shape[1], channels=shape[2], levels=3)
    images = torch.from_numpy(rng().integers(0, 256, (2, *shape)).astype(np.uint8))
    packed = packing.pack(images)
    assert packed.shape == (2, *packing.shape)
    assert all(side % 4 == 0 for side in packing.shape[1:])  # it is halved twice
    assert packed.min() >= -1
    assert packed.max() <= 1
    assert (packing.unpack(packed) == images).all()
    assert (packing.unpack(packed * 3) == packing.unpack((packed * 3).clamp(-1, 1))).all()


@pytest.mark.parametrize("name", SIZES)
def test_every_size_is_a_net_that_its_seed_draws(name):
    size = SIZES[name]
    net = unet(size, channels=4, classes=2, seed=3)
    assert sum(one.numel() for one in net.parameters()) > 1e5
    assert all(width % 8 == 0 for width in size.channels)
    if name == "tiny":
        again = unet(size, channels=4, classes=2, seed=3)
        assert all(
            (a == b).all() for a, b in zip(net.parameters(), again.parameters(), strict=True)
        )
        z, t = torch.randn(2, 4, 8, 8), torch.tensor([1.0, 900.0])
        assert net(z, t, class_labels=torch.tensor([0, 2])).sample.shape == z.shape


def test_a_batch_is_a_function_of_its_step_and_half_of_it_is_of_what_is_asked_for():
    moves = BatchAugmentParams(flip="both", brightness=0.5)
    images = some(others=20)
    batches = Batches(images, moves, size=6, seed=1)
    pixels, classes = batches(3, CPU)
    assert classes.tolist() == [1, 1, 1, 0, 0, 0]
    assert (batches(3, CPU)[0] == pixels).all()
    assert (batches(4, CPU)[0] != pixels).any()
    # Moved, and nothing else: with its mask, each is one of them.
    known = images.take(np.arange(28))
    turned = [known, known[:, ::-1], known[:, :, ::-1], known[:, ::-1, ::-1]]
    every = {one.tobytes() for part in turned for one in part}
    assert {one.tobytes() for one in pixels.numpy()} <= every
    alone = Batches(some(), BatchAugmentParams(), size=6, seed=1)(0, CPU)
    assert alone[1].tolist() == [1] * 6
    assert {*np.unique(alone[0][..., 3])} <= {0, 255}
    assert some(masked=False).take(np.arange(2)).shape == (2, 8, 8, 3)


def trainer(net=None, **changes):
    params = Flow(size="tiny", steps=4, batch_size=4, sampling_steps=5, **changes)
    made = FlowTrainer(some(), params, TrainParams(), seed=1, device=CPU)
    made.net = net or made.net
    return made


def answer(found):
    """A net whose answer is known: called as diffusers' are."""

    class Net(torch.nn.Module):
        def forward(self, z, t, class_labels):
            return SimpleNamespace(sample=found(z, t, class_labels))

    return Net()


def test_the_loss_is_how_far_the_way_to_noise_is_missed():
    images = torch.full((64, 8, 8, 4), 255, dtype=torch.uint8)  # 1 in the net
    classes = torch.ones(64, dtype=torch.int64)
    nothing = trainer(answer(lambda z, t, of: torch.zeros_like(z)))
    torch.manual_seed(0)
    # e - x has the mean -1 and the variance 1.
    assert float(nothing.loss_of(images, classes)) == pytest.approx(2, abs=0.1)
    # From x_t = (1 - t) x + t e with x = 1: e - x = (x_t - x) / t.
    exact = trainer(answer(lambda z, t, of: (z - 1) / (t / TIMES)[:, None, None, None]))
    assert float(exact.loss_of(images, classes)) == pytest.approx(0, abs=1e-6)
    seen = []
    guided = trainer(
        answer(lambda z, t, of: seen.extend(of.tolist()) or torch.zeros_like(z)), guidance=2.0
    )
    guided.loss_of(images, classes)
    assert {*seen} == {1, 2}  # 2: of any class


def test_the_net_leads_from_noise_to_its_images():
    goal = torch.linspace(-1, 1, 4 * 64).reshape(1, 4, 8, 8)
    there = answer(lambda z, t, of: (z - goal) / (t / TIMES)[:, None, None, None])
    made = trainer(there)
    (found,) = draw(made, there, 1, ["a", "b"], seed=1)
    wanted = made.packing.unpack(goal)[0].numpy()
    assert (found == wanted).all()
    # Towards the class, and away from any: v of any 0, and twice that of the class.
    steps = []

    def velocity(z, t, of):
        steps.append(of.tolist()[0])
        return torch.zeros_like(z) + (of == 1)[:, None, None, None] * -0.5

    guided = trainer(answer(velocity), guidance=2.0)
    start = torch.stack([torch.zeros(4, 8, 8)])
    end = _way(guided, guided.net, 1, start)
    assert float(end.mean()) == pytest.approx(1.0, abs=0.01)  # 0 + 1 * 2 * 0.5
    assert {*steps} == {1, 2}
    lost = answer(lambda z, t, of: z * float("nan"))
    with pytest.raises(DivergedError, match="no numbers"):
        list(draw(made, lost, 1, ["a"], seed=1))


def test_a_mask_that_is_too_small_large_or_faint_shows_no_label():
    limits = Limits(contrast=20, area=(4, 30))
    image = np.full((16, 16, 3), 150, np.uint8)

    def holds(side, level):
        made, mask = image.copy(), np.zeros((16, 16), bool)
        mask[4 : 4 + side, 4 : 4 + side] = True
        made[mask] = level
        return limits.hold(made, mask)

    assert holds(4, 100)
    assert not holds(1, 100)
    assert not holds(6, 100)
    assert not holds(4, 140)


def test_every_method_has_what_makes_its_images():
    assert MAKERS.keys() == METHODS.keys()
    assert {name: kind().name for name, kind in METHODS.items()} == {n: n for n in METHODS}


def test_the_benchmark_draws_digits(monkeypatch):
    monkeypatch.setattr(flow_digits, "STEPS", 2)
    made = flow_digits.flow(rng().random((3, 64)), 2, rng())
    assert made.shape == (2, 64)
    assert made.min() >= 0
    assert made.max() <= 1
