"""The imbalance table: every remedy can be run, and the verdicts follow from the intervals."""

import pytest

from benchmarks.imbalance import COUNTS, REMEDIES, draw, section, table
from raresight.pipeline.training.params import TrainParams


@pytest.mark.parametrize("changes", REMEDIES.values(), ids=REMEDIES)
def test_every_remedy_is_a_valid_section(changes):
    assert isinstance(section(1, changes), TrainParams)


def test_the_task_is_drawn_anew_for_every_seed():
    counts = dict.fromkeys(COUNTS, 2)
    (one, targets), (two, _), (again, _) = draw(counts, 1), draw(counts, 2), draw(counts, 1)
    assert targets.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert (one == again).all()
    assert (one != two).any((1, 2, 3)).all()


def test_the_verdict_is_what_the_interval_of_paired_seeds_says():
    """Gains 0.1, 0.2 and 0.3 have mean 0.2 and deviation 0.1: 0.2 +- 4.303 * 0.1 / sqrt(3)."""

    def rows(*accuracies):
        return [{"accuracy": a, "rarest": 0.0, "average_precision": 0.5} for a in accuracies]

    found = table(
        {
            "plain": rows(0.5, 0.5, 0.5),
            "wide": rows(0.6, 0.7, 0.8),
            "better": rows(0.60, 0.61, 0.62),
            "worse": rows(0.40, 0.39, 0.38),
        }
    ).splitlines()
    assert found[2].startswith("| plain | 0.500 ± 0.000 |")
    assert "+0.200 (-0.048 to +0.448): inconclusive" in found[3]
    assert found[4].endswith("better |")
    assert found[5].endswith("worse |")
