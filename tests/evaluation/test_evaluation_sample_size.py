import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, nbinom

from raresight.pipeline.evaluation.prevalence import at_prevalence
from raresight.pipeline.evaluation.uncertainty.sample_size import (
    images_needed,
    least,
    negatives_needed,
    positives_needed,
    tolerable_false_positive_rate,
)


@pytest.mark.parametrize(
    ("width", "wilson", "exact"), [(0.2, 38, 42), (0.1, 141, 159), (0.05, 558, 592)]
)
def test_the_positives_that_a_recall_of_09_needs(width, wilson, exact):
    for method, expected in (("wilson", wilson), ("clopper_pearson", exact)):
        assert positives_needed(0.9, width=width, confidence=0.95, method=method) == expected


@given(st.floats(0.05, 0.98), st.floats(0.03, 0.5))
def test_every_larger_number_is_enough_too(recall, width):
    needed = positives_needed(recall, width=width, confidence=0.95)
    for more in (0, 1, 2, 7, 40):
        found = math.floor(recall * (needed + more) + 0.5)
        interval = binomtest(found, needed + more).proportion_ci(0.95, method="wilson")
        assert interval.high - interval.low <= width + 1e-9


@given(st.floats(0.05, 0.95), st.floats(0.1, 1), st.floats(1e-6, 0.1))
def test_at_the_tolerable_rate_of_alarms_the_precision_is_the_one_asked_for(
    precision, recall, prevalence
):
    rate = tolerable_false_positive_rate(precision=precision, recall=recall, prevalence=prevalence)
    figures = at_prevalence(recall=recall, specificity=1 - rate, prevalence=prevalence)
    if rate < 1:
        assert figures["precision"] == pytest.approx(precision)
    else:
        assert figures["precision"] >= precision - 1e-9


@pytest.mark.parametrize(
    ("negatives", "precision"), [(1e2, 0.003), (1e3, 0.029), (1e4, 0.23), (1e5, 0.75), (1e6, 0.968)]
)
def test_no_false_alarm_among_so_many_negatives_shows_that_precision(negatives, precision):
    rate = tolerable_false_positive_rate(precision=precision, recall=0.9, prevalence=1e-4)
    needed = negatives_needed(rate, false_positives=0, confidence=0.95)
    assert needed == math.ceil(math.log(0.05) / math.log1p(-rate))
    assert needed == pytest.approx(negatives, rel=0.05)


@pytest.mark.parametrize("alarms", [0, 1, 5])
def test_so_few_alarms_would_be_rare_if_the_rate_were_higher(alarms):
    rate = 0.003
    needed = negatives_needed(rate, false_positives=alarms, confidence=0.95)
    assert binom.cdf(alarms, needed, rate) <= 0.05 < binom.cdf(alarms, needed - 1, rate)


def test_a_hundred_positives_are_a_million_images_at_one_in_ten_thousand():
    average, certain = images_needed(100, prevalence=1e-4, confidence=0.95)
    assert average == 1_000_000
    assert binom.sf(99, certain, 1e-4) >= 0.95 > binom.sf(99, certain - 1, 1e-4)
    assert certain - 100 == nbinom.ppf(0.95, 100, 1e-4)


@given(st.integers(1, 10**9))
def test_the_least_is_the_first_that_is_enough(first):
    assert least(lambda number: number >= first) == first


def test_what_no_number_reaches_is_refused():
    with pytest.raises(ValueError, match="no number"):
        least(lambda number: False)
