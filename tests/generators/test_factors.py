"""Distributions: what is drawn is contained, shares and quantiles are those of the law."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from raresight.generators.factors import (
    Conditional,
    Continuous,
    Discrete,
    LogUniform,
    Mixture,
    NonNegative,
    Numbers,
    Positive,
    Product,
    Uniform,
    as_factor,
    at,
    bounds,
    contains,
    read,
    whole,
)
from raresight.pipeline.core import seeds

GRID = (np.arange(4000) + 0.5) / 4000
finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e6)


def pairs(numbers):
    return st.tuples(numbers, numbers).map(sorted)


def normals():
    def make(low_high, mean, std):
        return {"normal": {"mean": mean, "std": std, "low": low_high[0], "high": low_high[1]}}

    return st.builds(make, pairs(st.floats(-3, 3)), st.floats(-3, 3), st.floats(0.5, 9))


numbers = st.recursive(
    st.one_of(
        pairs(finite),
        pairs(finite).map(lambda pair: {"uniform": pair}),
        pairs(positive).map(lambda pair: {"log_uniform": pair}),
        st.lists(finite, min_size=1, max_size=4).map(lambda values: {"discrete": values}),
        normals(),
    ),
    lambda inner: st.lists(
        st.builds(
            lambda part, weight: {
                "weight": weight,
                **(part if isinstance(part, dict) else {"uniform": part}),
            },
            inner,
            st.floats(0.1, 9),
        ),
        min_size=1,
        max_size=3,
    ).map(lambda parts: {"mixture": parts}),
    max_leaves=6,
)
quantiles = st.floats(0, 1, exclude_max=True)


@given(numbers, quantiles, st.integers(0, 2**32))
def test_what_is_drawn_is_contained_and_lies_within_the_bounds(plain, u, seed):
    factor = read(plain)
    low, high = bounds(factor)
    for value in (factor.at(u), factor.sample(seeds.rng(seed, "test", "x"))):
        assert factor.contains(value)
        assert low <= value <= high


@given(numbers)
def test_a_factor_says_itself_as_params_do(plain):
    factor = read(plain)
    assert read(json.loads(json.dumps(factor.plain()))) == factor


@given(pairs(finite), quantiles)
def test_a_pair_is_the_uniform_distribution(pair, u):
    assert at(tuple(pair), u) == pytest.approx(read({"uniform": pair}).at(u))
    assert as_factor(pair) == Continuous(*pair)


def test_a_normal_is_cut_off_at_both_ends():
    factor = Continuous(4, 9, mean=6, std=2)
    expected = stats.truncnorm.ppf(GRID, (4 - 6) / 2, (9 - 6) / 2, loc=6, scale=2)
    assert [factor.at(u) for u in GRID] == pytest.approx(expected)
    assert not factor.contains(3.99)


def test_a_log_uniform_has_as_much_in_every_order_of_magnitude():
    factor = LogUniform(0.1, 100)
    expected = stats.loguniform.ppf(GRID, 0.1, 100)
    assert [factor.at(u) for u in GRID] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("plain", "shares"),
    [
        ({"discrete": ["a", "b", "c", "d"]}, {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}),
        ({"discrete": {"values": ["a", "b", "c"], "weights": [1, 0, 3]}}, {"a": 0.25, "c": 0.75}),
        (
            {"mixture": [{"weight": 3, "discrete": ["a"]}, {"discrete": ["b", "c"]}]},
            {"a": 0.75, "b": 0.125, "c": 0.125},
        ),
    ],
)
def test_shares_are_exact_over_the_quantiles(plain, shares):
    factor = read(plain)
    drawn = [factor.at(u) for u in GRID]
    assert {value: drawn.count(value) / len(GRID) for value in set(drawn)} == shares
    assert factor.contains("b") == ("b" in shares)


def test_a_mixture_of_intervals_has_a_gap_that_it_does_not_contain():
    factor = read({"mixture": [{"uniform": [0, 1]}, {"uniform": [3, 4]}]})
    assert [factor.contains(value) for value in (0.5, 2, 3.5)] == [True, False, True]


def test_a_conditional_follows_what_was_given():
    factor = read(
        {"conditional": {"given": "kind", "cases": {"dent": [1, 2]}, "otherwise": [7, 8]}}
    )
    assert 1 <= factor.at(0.5, {"kind": "dent"}) <= 2
    assert 7 <= factor.at(0.5, {"kind": "hole"}) <= 8
    assert factor.contains(1.5, {"kind": "dent"})
    assert not factor.contains(1.5, {"kind": "hole"})
    strict = Conditional("kind", {"dent": Continuous(1, 2)})
    with pytest.raises(ValueError, match="no case for kind = hole"):
        strict.at(0.5, {"kind": "hole"})


def test_a_product_draws_in_order_so_that_factors_hang_together():
    factor = read(
        {
            "product": {
                "kind": {"discrete": ["thin", "bold"]},
                "width": {
                    "conditional": {"given": "kind", "cases": {"thin": [1, 2], "bold": [5, 6]}}
                },
            }
        }
    )
    assert isinstance(factor, Product)
    drawn = [factor.sample(seeds.rng(1, "test", k)) for k in range(50)]
    assert {one["kind"] for one in drawn} == {"thin", "bold"}
    assert all((one["width"] < 3) == (one["kind"] == "thin") for one in drawn)
    assert all(factor.contains(one) for one in drawn)
    assert not factor.contains({"kind": "thin", "width": 5.5})
    assert not factor.contains({"kind": "thin"})


def test_a_mixture_may_choose_between_products():
    thin, bold = ({"product": {"a": [k, k], "b": [k, k]}} for k in (1, 2))
    factor = read({"mixture": [{"weight": 1, **thin}, {"weight": 1, **bold}]})
    assert isinstance(factor, Mixture)
    drawn = [factor.sample(seeds.rng(1, "test", k)) for k in range(20)]
    assert {(one["a"], one["b"]) for one in drawn} == {(1, 1), (2, 2)}


def test_whole_numbers_from_a_pair_include_both_ends_alike():
    drawn = [whole((2, 4), u) for u in GRID]
    assert {k: drawn.count(k) for k in set(drawn)} == {2: 1333, 3: 1334, 4: 1333}
    assert {whole(Discrete((2, 4)), u) for u in GRID} == {2, 4}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Uniform, 3, r"must be \[low, high\] or one of the distributions {uniform: \.\.\.}, {nor"),
        (Uniform, {"unform": [1, 2]}, "no distribution 'unform'; there are uniform, normal"),
        (Uniform, {"uniform": [1, 2], "discrete": [1]}, "one of the distributions"),
        (Uniform, [1, 2, 3], "two numbers"),
        (Uniform, [1, "2"], "high must be a finite number, not '2'"),
        (Uniform, [True, 2], "low must be a finite number"),
        (Uniform, [float("nan"), 2], "low must be a finite number, not nan"),
        (Uniform, [1, float("inf")], "high must be a finite number, not inf"),
        (Uniform, [1, 10**400], "high must be a finite number"),
        (Uniform, {"uniform": [2, 1]}, r"uniform: must be \[low, high\] with low <= high"),
        (Uniform, {"normal": {"mean": 1, "std": 1}}, "normal: high, low missing"),
        (
            Uniform,
            {"normal": {"mean": 1, "sd": 1, "low": 0, "high": 2}},
            "unknown key sd; there are high, low, mean, std",
        ),
        (Uniform, {"normal": {"mean": 1, "std": 0, "low": 0, "high": 2}}, "std must lie above 0"),
        (Uniform, {"normal": {"mean": 0, "std": 1, "low": 50, "high": 60}}, "has any weight"),
        (Uniform, {"log_uniform": [0, 2]}, "0 < low <= high"),
        (Uniform, {"discrete": []}, "list of values"),
        (Uniform, {"discrete": ["red"]}, "numbers alone"),
        (Uniform, {"discrete": {"values": [1, 2], "weights": [1]}}, "2 values need 2 weights"),
        (Uniform, {"discrete": {"values": [1], "weights": [0]}}, "one above 0"),
        (Uniform, {"mixture": [[0, 1]]}, "a part must be like"),
        (Uniform, {"conditional": {"given": "label", "cases": {"a": [0, 1]}}}, "are out"),
        (Numbers, {"conditional": {"given": "label"}}, "conditional: cases missing"),
        (Numbers, {"conditional": {"given": "label", "cases": {}}}, "at least one case"),
        (NonNegative, {"mixture": [{"uniform": [-1, 2]}]}, "must not go below 0"),
        (Positive, {"discrete": [0, 1]}, "must lie above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_may(kind, value, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("value", [[1, 2], {"log_uniform": [1, 2]}])
def test_an_option_is_written_as_it_was_given(value):
    option = TypeAdapter(Positive)
    assert option.dump_python(option.validate_python(value)) == value
    assert contains(option.validate_python(value), 1.5)
