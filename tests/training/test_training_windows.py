"""``train.shuffle_window``: an epoch goes through blocks of neighbors, a few at a time."""

import numpy as np
import pytest
from reference_random import Pcg64
from toy_training import trainer

from raresight.pipeline.training.data import windows
from raresight.pipeline.training.data.order import epoch_order, shares_of
from raresight.pipeline.training.data.windows import Windows

BLOCKS, EACH = 40, 50
COMMON, RARE = 1900, 100
RNG = np.random.Generator(np.random.PCG64(5))
SHUFFLED = RNG.permutation(np.repeat([0, 1], [COMMON, RARE]))
SORTED = np.sort(SHUFFLED)
OF_IMAGES = np.arange(BLOCKS * EACH) // EACH


def order_of(targets, counts=(COMMON, RARE), *, window=4, seed=1, epoch=0, **more):
    found = None if window is None else Windows(blocks=OF_IMAGES, size=window)
    return epoch_order(targets, np.array(counts), seed=seed, epoch=epoch, windows=found, **more)


def windows_in(order):
    """The blocks of every stretch in which no block is new once another one has been left."""
    blocks, found = OF_IMAGES[order].tolist(), []
    last = {block: place for place, block in enumerate(blocks)}
    here, until = set(), 0
    for place, block in enumerate(blocks):
        if here and place > until:
            found.append(here)
            here = set()
        here, until = here | {block}, max(until, last[block])
    return [*found, here]


@pytest.mark.parametrize("targets", [SHUFFLED, SORTED], ids=["shuffled", "sorted"])
@pytest.mark.parametrize("counts", [(COMMON, RARE), (1000, 1000), (700, 30)])
def test_it_is_another_order_of_the_same_images(targets, counts):
    found = order_of(targets, counts)
    whole = order_of(targets, counts, window=None)
    assert sorted(found.tolist()) == sorted(whole.tolist())
    assert found.tolist() == order_of(targets, counts).tolist()
    for other in (order_of(targets, counts, epoch=1), order_of(targets, counts, seed=2), whole):
        assert found.tolist() != other.tolist()


@pytest.mark.parametrize("targets", [SHUFFLED, SORTED], ids=["shuffled", "sorted"])
def test_each_class_reads_one_window_after_another(targets):
    epochs = [order_of(targets, epoch=epoch) for epoch in (0, 1)]
    for order in epochs:
        common = windows_in(order[targets[order] == 0])
        assert len(common) == BLOCKS // 4
        assert max(len(window) for window in common) == 4
    if targets is SORTED:  # 38 blocks of one class, 2 of the other
        assert len(set.union(*windows_in(epochs[0][targets[epochs[0]] == 1]))) == 2
    first, second = (windows_in(order[targets[order] == 0])[0] for order in epochs)
    assert first != second


def test_a_sorted_set_shows_its_classes_as_a_shuffled_one():
    """The number of rare images in a tenth of an epoch is that of drawing without replacement:
    5 %, 10 of 200, its variance 200 * 0.05 * 0.95 * 1800 / 1999 = 8.6.
    """
    found = []
    for epoch in range(60):
        order = order_of(SORTED, epoch=epoch)
        found += [int(part.sum()) for part in SORTED[order].reshape(10, -1)]
    assert np.mean(found) == pytest.approx(RARE / 10)
    assert np.var(found) == pytest.approx(8.6, rel=0.25)  # of 600: within 0.06 * 4
    assert min(found) > 0


def test_what_is_shown_again_waits_until_its_class_was_shown():
    """Were repeats in one window, an image would be in a batch ten times and then not for long."""
    order = order_of(SHUFFLED, (1000, 1000))
    rare = order[SHUFFLED[order] == 1].reshape(10, RARE)
    assert all(len(set(once.tolist())) == RARE for once in rare)


def test_a_class_in_few_blocks_is_shuffled_as_a_whole():
    """A window of four blocks of any class would hold at most one of the three of the rare class,
    and their images one after the other."""
    targets = np.isin(OF_IMAGES, (3, 17, 29)).astype(int)
    order = order_of(targets, (1850, 150))
    rare = OF_IMAGES[order[targets[order] == 1]].reshape(5, 30)
    assert all((part == block).sum() >= 3 for part in rare for block in (3, 17, 29))  # 10 +- 2.3


def test_sources_have_their_shares_in_windows_too():
    sources = shares_of(np.repeat(["drawn", "real"], [1800, 200]), {"real": 0.5})
    order = order_of(SHUFFLED, sources=sources)
    assert (order >= 1800).sum() == 1000
    halves = (order >= 1800).reshape(10, -1).sum(1)
    assert (abs(halves - 100) < 35).all()  # 100 +- 6.7


def test_an_order_in_windows_is_that_of_the_rule_written_a_second_time():
    """Blocks shuffled and taken two at a time; each class through them, shuffled within two; and
    the places of the classes shuffled. Class 1 is shown once in whole and in part."""
    targets = np.array([0, 1, 0, 2, 0, 1, 1, 0, 0])
    blocks = [0, 0, 1, 1, 2, 2, 3, 3, 4]
    reference = Pcg64.of(7, "order", 3)
    few = reference.shuffled([0, 2, 4, 7, 8])[:3]
    more = reference.shuffled([1, 5, 6])[:1]
    turn = reference.shuffled(list(range(5)))

    def through(images):
        own = sorted({turn[blocks[image]] for image in images})
        window = {image: own.index(turn[blocks[image]]) // 2 for image in images}
        return sorted(reference.shuffled(images), key=window.get)

    kinds = [iter(through(few)), iter(through([1, 5, 6]) + through(more)), iter([3, 3])]
    expected = [next(kinds[kind]) for kind in reference.shuffled([0] * 3 + [1] * 4 + [2] * 2)]
    found = epoch_order(
        targets,
        np.array([3, 4, 2]),
        seed=7,
        epoch=3,
        windows=Windows(blocks=np.array(blocks), size=2),
    )
    assert found.tolist() == expected


def test_a_block_is_so_many_bytes_of_one_shard(monkeypatch):
    """Shards of 5, 2 and 3 images of 300 bytes, of which 1,000 have room for three."""
    assert windows.windows_of(np.zeros(1, int), np.zeros(1, int), 300, 512).size == 128  # of 4 MiB
    monkeypatch.setattr(windows, "BLOCK", 1000)
    shards = np.repeat([0, 1, 2], [5, 2, 3])
    places = np.array([0, 1, 2, 3, 4, 0, 1, 0, 1, 2])

    def blocks(image_bytes):
        return windows.windows_of(shards, places, image_bytes, 4).blocks.tolist()

    assert blocks(300) == [0, 0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert blocks(2000) == list(range(10))  # an image is whole


def test_a_trainer_goes_by_it(monkeypatch):
    """8 shards of 50 images of 768 bytes, in halves; two of the 16 blocks at a time."""
    monkeypatch.setattr(windows, "BLOCK", 25 * 768)
    run = trainer(shuffle_window=4)
    found = run.train_feed.windows(4)
    assert found.blocks.tolist() == np.repeat(np.arange(16), 25).tolist()
    two = Windows(blocks=found.blocks, size=2)
    monkeypatch.setattr(run.train_feed, "windows", {4: two}.get)
    blocks = [np.unique(batch[run.targets[batch] == 0] // 25) for batch in run._batches()]
    assert max(map(len, blocks)) <= 4  # at a border, two windows
    whole = [np.unique(batch // 25) for batch in trainer()._batches()]
    assert min(map(len, whole)) > 8
