"""Which images an epoch shows: how many of each class, and in which order."""

import numpy as np
import pytest
from reference_random import Pcg64

from raresight.pipeline.training.data.order import batches_of, epoch_order, shares_of, steps_of
from raresight.pipeline.training.data.samplers import SAMPLERS

COUNTS = np.array([900, 90, 10])


def shows(name, *, counts=COUNTS, cap=None, epoch=0, epochs=11):
    return SAMPLERS[name](max_per_class=cap).class_counts(counts, epoch=epoch, epochs=epochs)


def test_shuffled_shows_what_there_is_up_to_the_cap():
    assert shows("shuffled").tolist() == [900, 90, 10]
    assert shows("shuffled", cap=50).tolist() == [50, 50, 10]


def test_balanced_shows_every_class_alike_and_no_more_images_in_all():
    assert shows("balanced").tolist() == [334, 333, 333]
    assert shows("balanced", cap=50).tolist() == [37, 37, 36]


def test_square_root_shows_classes_by_the_root_of_their_size():
    """30, 9.4868 and 3.1623 of 42.6491 in a thousand: 703.41, 222.44 and 74.15."""
    assert shows("square_root").tolist() == [703, 223, 74]


def test_progressive_goes_from_what_there_is_to_balanced_in_even_steps():
    assert shows("progressive", epoch=0).tolist() == [900, 90, 10]
    half_way = [450 + 1000 / 6, 45 + 1000 / 6, 5 + 1000 / 6]
    assert shows("progressive", epoch=5) == pytest.approx(half_way, abs=1)
    assert shows("progressive", epoch=10).tolist() == [334, 333, 333]
    assert {shows("progressive", epoch=k).sum() for k in range(11)} == {1000}


@pytest.mark.parametrize("name", ["balanced", "square_root", "progressive"])
def test_a_class_without_images_is_never_shown(name):
    counts = np.array([10, 0, 6])
    assert shows(name, counts=counts, epoch=10)[1] == 0


TARGETS = np.repeat([0, 1, 2], COUNTS)


def test_an_epoch_shows_every_sample_once():
    order = epoch_order(TARGETS, COUNTS, seed=1, epoch=0)
    assert sorted(order.tolist()) == list(range(1000))


def test_a_class_shown_more_often_than_it_is_there_repeats_evenly():
    order = epoch_order(TARGETS, np.array([334, 333, 333]), seed=1, epoch=0)
    assert np.bincount(TARGETS[order]).tolist() == [334, 333, 333]
    times = np.bincount(order, minlength=1000)
    assert set(times[:900]) == {0, 1}
    assert set(times[900:990]) == {3, 4}
    assert set(times[990:]) == {33, 34}


def test_a_class_shown_in_part_changes_its_part_every_epoch():
    first, second = (epoch_order(TARGETS, np.array([20, 5, 5]), seed=1, epoch=e) for e in (0, 1))
    assert set(first.tolist()) != set(second.tolist())


def test_the_classes_are_mixed():
    """Were the common class shown first, the early batches would hold it alone."""
    order = epoch_order(np.repeat([0, 1], 500), np.array([500, 500]), seed=1, epoch=0)
    in_first_half = int((order[:500] >= 500).sum())
    assert 200 < in_first_half < 300  # hypergeometric: 250 +- 16 (standard deviations)


def test_the_order_is_a_pure_function():
    one, two = (epoch_order(TARGETS, COUNTS, seed=4, epoch=2) for _ in range(2))
    assert one.tolist() == two.tolist()
    assert one.tolist() != epoch_order(TARGETS, COUNTS, seed=4, epoch=3).tolist()


@pytest.mark.parametrize(
    ("images", "sizes"),
    [
        (10, [4, 4, 2]),
        (9, [4, 5]),  # a batch of one has no variance: it joins the one before
        (8, [4, 4]),
        (5, [5]),
        (3, [3]),
        (1, [1]),
    ],
)
def test_a_last_batch_of_one_joins_the_one_before(images, sizes):
    order = np.arange(images)[::-1]
    found = batches_of(order, 4)
    assert [len(batch) for batch in found] == sizes
    assert np.concatenate(found).tolist() == order.tolist()
    assert steps_of(images, 4) == len(sizes)


@pytest.mark.parametrize("epoch", [0, 3])
def test_an_order_is_that_of_the_rule_written_a_second_time(epoch):
    """Class 0 is shown in part, class 1 once in whole and in part, class 2 twice in whole; each
    part is the beginning of a shuffle, and then all are shuffled."""
    targets = np.array([0, 1, 0, 2, 0, 1, 1, 0, 0])
    members = {0: [0, 2, 4, 7, 8], 1: [1, 5, 6], 2: [3]}
    reference = Pcg64.of(7, "order", epoch)
    few = reference.shuffled(members[0])[:3]
    more = members[1] + reference.shuffled(members[1])[:1]
    expected = reference.shuffled(few + more + members[2] * 2)
    found = epoch_order(targets, np.array([3, 4, 2]), seed=7, epoch=epoch)
    assert found.tolist() == expected


def test_source_weights_are_shares_of_each_class():
    """Of 30 real and 300 drawn images: half of an epoch real, as many of each class as before."""
    names = np.repeat(["drawn", "other", "real"], [200, 100, 30])
    targets = np.arange(330) % 3
    sources = shares_of(names, {"real": 0.5})
    np.testing.assert_allclose(sources.shares, [1 / 3, 1 / 6, 0.5])
    counts = np.array([120, 60, 30])
    first, second = (
        epoch_order(targets, counts, seed=3, epoch=epoch, sources=sources) for epoch in (0, 1)
    )
    for order in (first, second):
        assert np.bincount(targets[order]).tolist() == counts.tolist()
        for label, count in enumerate(counts):
            shown = names[order][targets[order] == label]
            assert (shown == "real").sum() == count / 2
            assert abs((shown == "drawn").sum() - count / 3) <= 1
    seen = np.bincount(first, minlength=330)[300:][targets[300:] == 0]
    assert set(seen) == {6}  # 10 real images of the first class fill 60 places
    assert first.tolist() != second.tolist()


def test_a_class_that_a_source_lacks_comes_from_the_others():
    names, targets = np.array(["a"] * 4 + ["b"] * 4), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    order = epoch_order(
        targets, np.array([8, 4]), seed=1, epoch=0, sources=shares_of(names, {"a": 0.75})
    )
    assert np.bincount(order[targets[order] == 1], minlength=8).tolist() == [0] * 6 + [2, 2]
    assert (names[order[targets[order] == 0]] == "a").sum() == 6
    left_out = shares_of(names, {"b": 0.0})
    order = epoch_order(targets, np.array([8, 4]), seed=1, epoch=0, sources=left_out)
    assert set(names[order[targets[order] == 0]]) == {"a"}
    assert set(names[order[targets[order] == 1]]) == {"b"}  # a class is not left out
