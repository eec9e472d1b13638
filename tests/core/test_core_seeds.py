"""Randomness is a pure function of (seed, stage, record)."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from reference_streams import GOLDEN, digest_of, pcg64_from, splitmix64
from scipy.stats import kstest

from raresight.pipeline.core import seeds

SEEDS = st.integers(0, 2**63)
RECORDS = st.text(max_size=20) | st.integers(0, 10**9)


@given(SEEDS, RECORDS)
def test_a_stream_is_pcg64_seeded_by_a_digest_of_32_bytes(seed, record):
    reference = np.random.Generator(pcg64_from(digest_of(seed, "generate", record, 32)))
    stream = seeds.rng(seed, "generate", record)
    assert np.array_equal(stream.random(3), reference.random(3))
    assert stream.integers(0, 2**40) == reference.integers(0, 2**40)


def test_splitmix64_gives_the_published_numbers():
    # The first outputs for the seed 1234567, as printed with the reference implementation in C.
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [splitmix64(1234567 + k * GOLDEN) for k in range(1, 6)] == published


@given(SEEDS, st.integers(0, 10**6))
def test_uniforms_are_splitmix64_of_splitmix64_of_a_counter(seed, record):
    key = int.from_bytes(digest_of(seed, "shuffle", "", 8), "little")
    row = splitmix64(key + record * GOLDEN)
    expected = [(splitmix64(row + k * GOLDEN) >> 11) / 2**53 for k in (1, 2, 3)]
    assert seeds.uniforms(seed, "shuffle", np.array([record]), 3)[0].tolist() == expected


@given(SEEDS, RECORDS, RECORDS)
def test_a_stream_does_not_depend_on_what_was_drawn_before(seed, record, other):
    first = seeds.rng(seed, "generate", record).random(4)
    seeds.rng(seed, "generate", other).random(100)
    assert np.array_equal(seeds.rng(seed, "generate", record).random(4), first)


@given(SEEDS)
def test_seed_stage_and_record_each_make_another_stream(seed):
    streams = [
        seeds.rng(seed, "generate", "a"),
        seeds.rng(seed + 1, "generate", "a"),
        seeds.rng(seed, "augment", "a"),
        seeds.rng(seed, "generate", "b"),
    ]
    assert len({stream.random() for stream in streams}) == 4


def test_zero_is_a_seed_like_any_other():
    assert seeds.rng(0, "split", "a").random() == seeds.rng(0, "split", "a").random()
    assert seeds.rng(0, "split", "a").random() != seeds.rng(1, "split", "a").random()


def test_streams_of_neighbouring_records_are_uniform_together():
    first = [seeds.rng(1, "generate", k).random() for k in range(4000)]
    assert kstest(first, "uniform").pvalue > 0.001
    # Neighbours are unrelated: a correlation of 4000 pairs has a deviation of 1 / sqrt(4000).
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 4 / np.sqrt(4000)


def test_nothing_global_is_read_or_changed():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    drawn = seeds.rng(1, "generate", "a").random()
    assert np.array_equal(np.random.get_state()[1], before)
    np.random.seed(8)
    assert seeds.rng(1, "generate", "a").random() == drawn


def test_an_integer_is_the_first_63_bits_of_the_digest():
    digest = hashlib.blake2b(b"5\0train\0weights", digest_size=8).digest()
    assert seeds.integer(5, "train", "weights") == int.from_bytes(digest, "little") // 2


@given(SEEDS, RECORDS)
def test_an_integer_fits_every_library(seed, record):
    assert 0 <= seeds.integer(seed, "train", record) < 2**63


def test_uniforms_of_a_record_are_a_pure_function_of_it():
    whole = seeds.uniforms(1, "x", np.arange(100), 3)
    assert (seeds.uniforms(1, "x", np.array([70, 3]), 3) == whole[[70, 3]]).all()
    assert (seeds.uniforms(1, "x", np.arange(100), 2) == whole[:, :2]).all()
    assert not (seeds.uniforms(2, "x", np.arange(100), 3) == whole).any()
    assert not (seeds.uniforms(1, "y", np.arange(100), 3) == whole).any()


def test_uniforms_are_uniform_and_independent():
    """Neighbouring records, and the numbers of one record, share nothing (5 sigma)."""
    u = seeds.uniforms(5, "x", np.arange(20_000), 4)
    assert u.min() >= 0
    assert u.max() < 1
    counts, _ = np.histogram(u, bins=16, range=(0, 1))
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)
    for a, b in ((u[:, 0], u[:, 1]), (u[:-1, 0], u[1:, 0]), (u[:-1, 1], u[1:, 2])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(20_000)
