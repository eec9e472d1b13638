import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from raresight.pipeline.evaluation.decisions.costs import row_costs
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.thresholds import (
    choose,
    choose_again,
)
from raresight.pipeline.evaluation.params import (
    LowestCost,
    MaxF1,
    PrecisionTarget,
    RecallTarget,
    ThresholdRule,
)
from raresight.pipeline.evaluation.prevalence import at_prevalence
from raresight.pipeline.evaluation.uncertainty.resampling import row_weights
from raresight.pipeline.evaluation.uncertainty.sample_size import (
    positives_to_promise,
    recall_confidence,
)
from raresight.pipeline.runtime.errors import DataError

MAX_F1 = MaxF1(smooth_below=0)
rows = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=40).filter(
    lambda rows: any(positive for _, positive in rows)
)


def split(rows):
    scores, positive = zip(*rows, strict=True)
    return np.array(scores) / 10, np.array(positive)


def f1(positive: np.ndarray, called: np.ndarray) -> float:
    return 2 * (positive & called).sum() / (positive.sum() + called.sum())


def recall_rule(target: float) -> ThresholdRule:
    return RecallTarget(target=target)


@given(rows)
def test_no_threshold_has_a_higher_f1(rows):
    scores, positive = split(rows)
    chosen = choose(MAX_F1, scores, positive).value
    best = max(f1(positive, scores >= value) for value in np.unique(scores))
    assert f1(positive, scores >= chosen) == pytest.approx(best)


@given(rows, st.floats(0.05, 1))
def test_a_recall_target_is_reached_with_the_fewest_alarms(rows, target):
    scores, positive = split(rows)
    called = scores >= choose(recall_rule(target), scores, positive).value
    assert called[positive].mean() >= target - 1e-9
    stricter = scores > scores[called].min()
    assert stricter[positive].mean() < target


@given(rows)
def test_equal_scores_are_never_parted_and_the_threshold_is_no_score(rows):
    scores, positive = split(rows)
    value = choose(MAX_F1, scores, positive).value
    assert value not in scores or value == scores.min() == 0


def test_the_threshold_is_half_way_between_the_scores_it_parts():
    scores, positive = np.array([0.1, 0.4, 0.8, 0.9]), np.array([False, False, True, True])
    assert choose(MAX_F1, scores, positive).value == pytest.approx(0.6)


def test_of_equally_good_thresholds_the_highest_is_taken():
    # Best first + - - +: calling one (1 found, 0 alarms) or all (2 found, 2 alarms) gives F1 = 2/3.
    scores, positive = np.array([0.8, 0.6, 0.4, 0.2]), np.array([True, False, False, True])
    assert choose(MAX_F1, scores, positive).value == pytest.approx(0.7)
    # The recall of 1 is reached from the first positive on, however low the threshold.
    scores, positive = np.array([0.9, 0.5, 0.1]), np.array([True, False, False])
    assert choose(recall_rule(1.0), scores, positive).value == pytest.approx(0.7)


@pytest.mark.parametrize("low", [0.3, np.nextafter(0.3, 1)])
def test_neighbouring_floats_are_parted_whichever_way_their_middle_rounds(low):
    high = np.nextafter(low, 1)
    scores, positive = np.array([low, high]), np.array([False, True])
    called = scores >= choose(MAX_F1, scores, positive).value
    assert called.tolist() == [False, True]


def test_scores_that_are_all_equal_call_everything_positive():
    scores, positive = np.full(5, 0.2), np.array([True, False, False, False, False])
    assert (scores >= choose(MAX_F1, scores, positive).value).all()


def test_without_positives_the_message_says_what_to_do():
    with pytest.raises(DataError, match=r"no image of the positive class.*split\.ratios\.val"):
        choose(MAX_F1, np.array([0.1, 0.2]), np.array([False, False]))


@given(st.integers(1, 200), st.data(), st.floats(0.05, 0.99))
def test_the_confidence_in_a_recall_is_a_binomial_tail(positives, data, target):
    found = data.draw(st.integers(1, positives))
    expected = binom.cdf(found - 1, positives, target)
    confidence = recall_confidence(target, found=found, positives=positives)
    assert confidence == pytest.approx(expected, abs=1e-9)


def test_a_tolerance_bound_at_nine_tenths_takes_29_positives():
    assert recall_confidence(0.9, found=28, positives=28) < 0.95
    assert recall_confidence(0.9, found=29, positives=29) >= 0.95


def test_nobody_can_promise_to_find_everything():
    assert recall_confidence(1.0, found=50, positives=50) == 0


def test_only_a_recall_target_comes_with_a_confidence():
    scores, positive = np.array([0.1, 0.9]), np.array([False, True])
    assert choose(MAX_F1, scores, positive).confidence is None
    assert choose(recall_rule(0.9), scores, positive).confidence == pytest.approx(0.1)


@given(st.floats(0.05, 0.99), st.floats(0.5, 0.99))
def test_the_positives_needed_are_the_fewest_that_can_promise(target, confidence):
    needed = positives_to_promise(target, confidence=confidence)
    assert recall_confidence(target, found=needed, positives=needed) >= confidence - 1e-9
    fewer = needed - 1
    if fewer:
        assert recall_confidence(target, found=fewer, positives=fewer) < confidence


def test_29_positives_can_promise_nine_tenths_and_28_say_what_is_missing():
    rule = RecallTarget(target=0.9, confidence=0.95)
    scores = np.linspace(1, 0.01, 60)
    enough = choose(rule, scores, np.arange(60) < 29)
    assert (enough.confidence >= 0.95, enough.needed, enough.reason) == (True, 29, None)
    short = choose(rule, scores, np.arange(60) < 28)
    assert short.confidence == pytest.approx(1 - 0.9**28)
    assert short.reason == "it takes 29 positives in validation; there are 28"


@pytest.mark.parametrize(("confidence", "held"), [(None, (0.35, 0.65)), (0.95, (0.93, 1.0))])
def test_how_often_a_recall_target_holds_on_new_images(confidence, held):
    rule = RecallTarget(target=0.9, confidence=confidence)
    draw = np.random.default_rng(0)
    positive = np.arange(200) < 60
    reached = []
    for _ in range(400):
        scores = 1 / (1 + np.exp(-draw.normal(size=200) - 2 * positive))
        value = choose(rule, scores, positive).value
        reached.append(norm.sf(np.log(value / (1 - value)) - 2) >= 0.9)
    assert held[0] <= np.mean(reached) <= held[1]


@given(rows, st.floats(0.05, 1), st.none() | st.floats(0.001, 0.5))
def test_a_precision_target_finds_the_most_that_keep_it(rows, target, prevalence):
    scores, positive = split(rows)
    rule = PrecisionTarget(target=target, prevalence=prevalence)
    chosen = choose(rule, scores, positive)

    def precision(called):
        share = positive.mean() if prevalence is None else prevalence
        return at_prevalence(
            recall=called[positive].mean(),
            specificity=1 - (called[~positive].mean() if (~positive).any() else 0.0),
            prevalence=share,
        )["precision"]

    candidates = [scores >= value for value in np.unique(scores)]
    kept = [c for c in candidates if (precision(c) or 0) >= target - 1e-9]
    called = scores >= chosen.value
    if (~positive).any() and positive.mean() < 1:
        if kept:
            assert precision(called) >= target - 1e-9
            most = max((c & positive).sum() for c in kept)
            assert (called & positive).sum() == most
            assert "no threshold reaches" not in (chosen.reason or "")
        else:
            assert "no threshold reaches a precision" in chosen.reason


def reached(value: float, skill: float, prevalence: float) -> float:
    """The precision where scores of negatives are N(0, 1) and of positives N(skill, 1)."""
    logit = np.log(value / (1 - value))
    recall, false = norm.sf(logit - skill), norm.sf(logit)
    return recall * prevalence / (recall * prevalence + false * (1 - prevalence))


@pytest.mark.parametrize(
    ("skill", "target", "prevalence", "positives", "negatives"),
    [
        (2.5, 0.5, 0.05, 30, 1000),
        (2.5, 0.5, 0.05, 100, 6000),
        (2.5, 0.5, 1e-3, 30, 1000),  # once kept in 11 of 100 sets
        (2.5, 0.5, 1e-3, 30, 6000),  # once in 39
        (2.5, 0.5, 1e-4, 30, 6000),  # once in 2
        (4.0, 0.5, 1e-2, 30, 6000),
        (4.0, 0.9, 1e-2, 100, 6000),
        (4.0, 0.5, 1e-3, 30, 20_000),
    ],
)
def test_a_precision_that_is_promised_is_had_or_there_is_a_reason(
    skill, target, prevalence, positives, negatives
):
    rule = PrecisionTarget(target=target, prevalence=prevalence, confidence=0.95)
    draw, broken, repeats = np.random.default_rng(0), 0, 60
    positive = np.arange(positives + negatives) < positives
    for _ in range(repeats):
        scores = norm.rvs(size=len(positive), random_state=draw) + skill * positive
        chosen = choose(rule, 1 / (1 + np.exp(-scores)), positive)
        if chosen.reason is None:
            assert chosen.confidence >= 0.95
            broken += reached(chosen.value, skill, prevalence) < target
        else:
            assert chosen.confidence < 0.95
    assert broken <= 7  # P(Binomial(60, .05) > 7) = 0.01


def test_a_promise_of_precision_says_how_many_negatives_it_takes():
    rule = PrecisionTarget(target=0.5, prevalence=1e-3, confidence=0.95)
    positive = np.arange(1030) < 30
    scores = np.where(positive, 0.9, 0.1)
    short = choose(rule, scores, positive)
    assert short.negatives_needed > 3000  # the rule of three: ln(1 / .05) / 1e-3
    told = f"it takes {short.negatives_needed:,} negatives in validation to promise a precision"
    assert told in short.reason
    assert "there are 1,000" in short.reason
    enough = np.arange(30 + short.negatives_needed) < 30
    kept = choose(rule, np.where(enough, 0.9, 0.1), enough)
    assert (kept.reason, kept.confidence >= 0.95) == (None, True)
    one_less = np.arange(29 + short.negatives_needed) < 30
    assert choose(rule, np.where(one_less, 0.9, 0.1), one_less).reason is not None


def test_a_plain_precision_target_says_how_sure_it_is():
    rule = PrecisionTarget(target=0.5, prevalence=1e-3)
    positive = np.arange(1030) < 30
    chosen = choose(rule, np.where(positive, 0.9, 0.1), positive)
    # No false positive in 1,000: (1 - 1e-3)^1000 = .37 that the rate is beyond 1 in 1,000.
    assert 0.4 < chosen.confidence < 0.63
    draw = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-draw.normal(size=1030) - 2.5 * positive))
    unsure = choose(rule, scores, positive)
    assert unsure.score == 1  # on validation
    assert unsure.confidence < 0.5
    assert "negatives in validation" in unsure.reason


@pytest.mark.parametrize(
    "rule",
    [
        RecallTarget(target=0.8, confidence=0.95),
        PrecisionTarget(target=0.5, prevalence=0.1, confidence=0.95),
    ],
)
def test_promises_count_patients(rule):
    draw = np.random.default_rng(0)
    positive = np.arange(600) < 200
    scores = 1 / (1 + np.exp(-draw.normal(size=600) - 3 * positive))
    alone = choose(rule, scores, positive)
    grouped = choose(rule, scores, positive, groups=np.arange(600) // 20)
    named = choose(rule, scores, positive, groups=np.arange(600))
    assert alone.reason is None
    assert named == alone
    assert grouped.confidence < 0.95
    assert "independent" in grouped.reason
    assert "groups" in grouped.reason


CLASSES = Task(classes=("a", "b", "rare"), positive="rare")


def cost_rule(costs, prevalence=None) -> ThresholdRule:
    return LowestCost(costs=costs, prevalence=prevalence)


def draw_three(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    targets = np.repeat([0, 1, 2], [30, 30, 12])
    scores = draw.dirichlet([1, 1, 1], 72) + 0.7 * np.eye(3)[targets]
    return scores / scores.sum(axis=1, keepdims=True), targets


@pytest.mark.parametrize("prevalence", [None, 0.01])
@given(seed=st.integers(0, 1000), miss=st.floats(0, 200), alarm=st.floats(0, 5))
@example(seed=159, miss=0.0, alarm=0.0)  # sums that round to a little less than nothing
def test_no_threshold_costs_less(seed, miss, alarm, prevalence):
    scores, targets = draw_three(seed)
    rule = cost_rule({"rare": {"a": miss}, "a": {"rare": alarm}}, prevalence)
    chosen = choose(
        rule, scores[:, 2], targets == 2, costs=row_costs(rule, CLASSES, scores, targets)
    )
    table = np.array([[0, 1, alarm], [1, 0, 1], [miss, 1, 0]])
    share = 12 / 72 if prevalence is None else prevalence
    weight = np.where(targets == 2, share / 12, (1 - share) / 60)

    def cost(threshold: float) -> float:
        return (weight * table[targets, CLASSES.decide(scores, threshold=threshold)]).sum()

    assert chosen.score == pytest.approx(cost(chosen.value), abs=1e-9)
    assert chosen.score <= min(cost(value) for value in scores[:, 2]) + 1e-9


def test_a_mistake_that_must_never_happen_does_not():
    scores, targets = draw_three(0)
    rule = cost_rule({"rare": {"a": "never", "b": "never"}})
    costs = row_costs(rule, CLASSES, scores, targets)
    chosen = choose(rule, scores[:, 2], targets == 2, costs=costs)
    assert (scores[targets == 2, 2] >= chosen.value).all()
    assert chosen.reason is None
    assert chosen.score < 1  # the finite costs alone


def test_mistakes_that_cannot_all_be_avoided_are_counted():
    scores = np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]])
    targets = np.array([0, 2])
    rule = cost_rule({"rare": {"a": "never", "b": "never"}, "a": {"rare": "never"}})
    costs = row_costs(rule, CLASSES, scores, targets)
    chosen = choose(rule, scores[:, 2], targets == 2, costs=costs)
    assert chosen.reason == "1 mistakes that must never happen do so at every threshold"


def test_the_optimism_is_about_how_much_worse_the_threshold_fares_on_new_images():
    """At ten positives, scored on the images it was chosen on, max-F1 looks far too good."""
    draw = np.random.default_rng(0)
    positive = np.arange(210) < 10
    gaps, estimates = [], []
    for _ in range(60):
        scores = 1 / (1 + np.exp(-draw.normal(size=210) - 2 * positive))
        resamples = row_weights(None, positive.astype(int), resamples=200, rng=draw)
        chosen = choose(MAX_F1, scores, positive, resamples=resamples)
        logit = np.log(chosen.value / (1 - chosen.value))
        recall, false = norm.sf(logit - 2), norm.sf(logit)
        true_f1 = 2 * recall * 10 / (recall * 10 + false * 200 + 10)
        gaps.append(chosen.score - true_f1)
        estimates.append(chosen.optimism)
    assert np.mean(gaps) > 0.08
    # Once two thirds of it; the means of 60 are known to a tenth.
    assert 0.8 * np.mean(gaps) < np.mean(estimates) < 1.4 * np.mean(gaps)


def test_without_resamples_nobody_asks_for_the_optimism():
    assert choose(MAX_F1, np.array([0.1, 0.9]), np.array([False, True])).optimism is None


@given(rows, st.sampled_from([MAX_F1, recall_rule(0.7), PrecisionTarget(target=0.6)]), st.randoms())
def test_choosing_again_is_choosing_on_the_rows_that_were_drawn(rows, rule, random):
    scores, positive = split(rows)
    drawn = [random.randrange(len(rows)) for _ in rows]
    drawn[0] = int(positive.argmax())  # a threshold needs a positive
    weights = np.bincount(drawn, minlength=len(rows))[None].astype(np.float32)
    again = choose_again(rule, scores, positive, [weights])
    assert again.tolist() == [choose(rule, scores[drawn], positive[drawn]).value]


def test_few_positives_are_taken_to_be_normal():
    """Where both kinds of log odds are normal, the smoothed threshold loses less F1."""
    rng, lost = np.random.default_rng(4), {0: [], 20: []}

    def expected(logit):  # of new images, 3 in 203 of them positive
        found, false = 3 * norm.sf(logit - 3), 200 * norm.sf(logit)
        return 2 * found / (3 + found + false)

    best = expected(np.linspace(-2, 6, 400)).max()
    for _ in range(60):
        logits = np.concatenate((rng.normal(size=200), rng.normal(3, 1, 3)))
        scores, positive = 1 / (1 + np.exp(-logits)), np.arange(203) >= 200
        for below, losses in lost.items():
            value = choose(MaxF1(smooth_below=below), scores, positive).value
            losses.append(best - expected(np.log(value / (1 - value))))
    assert np.mean(lost[20]) < 0.6 * np.mean(lost[0])
    assert min(map(min, lost.values())) > -1e-9


def test_smoothing_counts_rows_as_often_as_they_were_drawn_and_takes_any_scores():
    rng = np.random.default_rng(5)
    scores, positive = rng.random(120), np.arange(120) % 30 == 0
    scores[positive] = (0.5 + scores[positive]) / 1.5
    weights = rng.integers(0, 3, (8, 120)).astype(float)
    weights[:, :1] = 1  # a positive is always there
    again = choose_again(MaxF1(), scores, positive, [weights])
    drawn = [choose(MaxF1(), *(np.repeat(x, w.astype(int)) for x in (scores, positive))).value
             for w in weights]  # fmt: skip
    # The blur of the negatives is that of all of them, so the two are only nearly the same.
    assert np.median(np.abs(again - np.array(drawn))) < 0.1
    for same in (np.full(10, 0.5), np.arange(10) / 9):
        assert 0 <= choose(MaxF1(), same, np.arange(10) >= 8).value <= 1
    assert choose(MaxF1(), np.array([0.2, 0.9]), np.array([True, True])).value < 0.2
