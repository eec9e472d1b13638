"""Labels, outliers and decisions by hand: what is flagged, and what is not for being rare."""

import numpy as np
import pytest

from raresight.pipeline.cleaning.labels import (
    Judged,
    confident_faults,
    label_faults,
    neighbor_votes,
    rare_classes,
    too_many,
)
from raresight.pipeline.cleaning.outliers import by_rule, distances, odd


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_rare_is_the_positive_class_and_what_is_far_below_the_median():
    counts = np.array([100, 100, 29, 100, 31])
    assert rare_classes(counts, None).tolist() == [False, False, True, False, False]
    assert rare_classes(counts, 4).tolist() == [False, False, True, False, True]
    assert rare_classes(np.array([50, 50]), 0).tolist() == [True, False]


def test_votes_count_each_class_alike():
    known = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [5.1]])
    targets = np.array([0, 0, 0, 1, 1, 0])
    votes = neighbor_votes(np.array([[0.0]]), known, targets, 2)
    # All six are asked: 4 of the 4 images of class 0, 2 of the 2 of class 1.
    np.testing.assert_allclose(votes, [[0.5, 0.5]])
    many = np.concatenate((np.zeros((10, 1)), np.full((30, 1), 9.0), [[0.5]]))
    labels = np.array([0] * 40 + [1])
    votes = neighbor_votes(np.array([[0.4]]), many, labels, 2)
    # Nine of 40, and the one there is.
    np.testing.assert_allclose(votes, [[(9 / 40) / (9 / 40 + 1), 1 / (9 / 40 + 1)]])


def test_labels_as_cleanlab_judges_them_though_a_class_is_missing():
    from cleanlab.filter import find_label_issues

    targets = np.repeat([0, 1], 100)
    scores = np.where(targets[:, None] == [0, 1], 0.9, 0.1) + rng().normal(0, 0.02, (200, 2))
    scores[:5] = scores[:5, ::-1]
    scores = scores.clip(0.01) / scores.clip(0.01).sum(1, keepdims=True)
    found = confident_faults(targets, scores)
    assert {*np.flatnonzero(found).tolist()} <= {0, 1, 2, 3, 4}
    assert found.any()
    assert (found == find_label_issues(targets, scores, filter_by="both", n_jobs=1)).all()
    # A third class between them that has no image: the numbers have a gap.
    wider = np.stack((scores[:, 0], np.zeros(200), scores[:, 1]), axis=1)
    assert (confident_faults(targets * 2, wider) == found).all()
    assert not confident_faults(np.zeros(3, int), np.ones((3, 2)) / 2).any()


@pytest.fixture
def judged():
    """990 common and 12 rare labels: two of the rare look common, one common looks rare."""
    targets = np.array([0] * 990 + [1] * 12)
    scores = np.where(targets[:, None] == [0, 1], 0.96, 0.04)
    scores[[990, 991]] = [0.999, 0.001]
    scores[0] = [0.9, 0.1]  # beside a prior of one in 80, ten times as likely as it was
    votes = np.where(targets[:, None] == [0, 1], 0.95, 0.05)
    votes[990] = [0.97, 0.03]  # the neighbors agree about one of the two
    votes[0] = [0.2, 0.8]
    return Judged(targets=targets, scores=scores, votes=votes, rare=np.array([False, True]))


def test_a_rare_label_needs_a_second_opinion_and_hidden_ones_are_found_at_even_shares(judged):
    none = label_faults(judged, second_opinion="none")
    assert np.flatnonzero(none.wrong[990:]).tolist() == [0, 1]
    rare = label_faults(judged, second_opinion="rare")
    assert np.flatnonzero(rare.wrong[990:]).tolist() == [0]
    assert rare.hidden.tolist() == [True] + [False] * 1001
    assert rare.suggested[[0, 990]].tolist() == [1, 0]
    assert rare.score[990] == pytest.approx(0.999)
    assert not label_faults(judged, second_opinion="all").wrong[991]


def test_where_too_much_of_a_class_looks_false_it_is_not_believed():
    targets, wrong = np.array([0, 0, 0, 1, 1]), np.array([1, 0, 0, 1, 1], bool)
    assert too_many(wrong, targets, 0.5).tolist() == [False, False, False, True, True]
    assert not too_many(wrong, targets, 1.0).any()


def test_one_rule_a_kind_and_none_for_what_a_class_is_like():
    draw = rng()
    images = draw.integers(40, 200, (40, 8, 8, 3)).astype(np.uint8)
    images[3] = 128
    images[4, :4] = 255
    targets = np.repeat([0, 1], 20)
    images[20:, :3] = 252  # on white paper, all of them
    found = by_rule(images, targets)
    assert np.flatnonzero(found["blank"]).tolist() == [3]
    assert np.flatnonzero(found["over-exposed"]).tolist() == [4]


def test_a_rare_class_is_not_odd_for_being_rare():
    draw = rng(3)
    known, labels = draw.normal(0, 1, (1012, 6)), np.array([0] * 1000 + [1] * 12)
    known[labels == 1] += 12
    asked, targets = draw.normal(0, 1, (212, 6)), np.array([0] * 200 + [1] * 12)
    asked[targets == 1] += 12
    asked[7] += 25
    together = distances(asked, np.zeros(212, int), known, np.zeros(1012, int))
    assert odd(together, np.zeros(212, int))[200:].all()  # without classes all of them are thrown
    apart = odd(distances(asked, targets, known, labels), targets)
    assert np.flatnonzero(apart).tolist() == [7]
