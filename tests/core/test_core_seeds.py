"""Randomness is a pure function of (seed, stage, record), and the same one for ever."""

import hashlib
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_random import Pcg64, splitmix64
from scipy.stats import kstest

from raresight.pipeline.core import seeds

SEEDS = st.integers(0, 2**63)
RECORDS = st.text(max_size=20) | st.integers(0, 10**9)


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


def test_the_reference_gives_the_numbers_that_its_authors_published():
    """check-pcg64.out of PCG's C library, of state 42 and stream 54; SplitMix64 from 1234567."""
    pcg = Pcg64(42, 54)
    assert [f"{pcg.word():016x}" for _ in range(6)] == [
        "86b1da1d72062b68",
        "1304aa46c9853d39",
        "a3670e9e0dd50358",
        "f9090e529a7dae00",
        "c85b9fd837996f2c",
        "606121f8e3919196",
    ]
    assert list(islice(splitmix64(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(SEEDS, st.text(max_size=9), RECORDS)
def test_a_stream_is_pcg64_from_a_digest(seed, stage, record):
    ours, reference = seeds.rng(seed, stage, record), Pcg64.of(seed, stage, record)
    assert ours.random(3).tolist() == [reference.real() for _ in range(3)]
    words = ours.integers(0, 2**64, 3, np.uint64).tolist()
    assert words == [reference.word() for _ in range(3)]


@given(SEEDS, RECORDS, st.integers(0, 60))
def test_an_order_is_that_of_fisher_and_yates(seed, record, count):
    ours = seeds.rng(seed, "order", record).permutation(np.arange(count))
    assert ours.tolist() == Pcg64.of(seed, "order", record).shuffled(list(range(count)))


@pytest.mark.parametrize("seed", [0, 1, 2**63])
@given(st.lists(st.integers(0, 2**62), max_size=4), st.integers(0, 5))
def test_uniforms_are_splitmix64_twice(seed, records, num):
    """Where record r begins is the r-th number from the digest on; its own are the upper 53 bits of
    those that follow from there."""
    digest = hashlib.blake2b(f"{seed}\0mixing 3\0".encode(), digest_size=8).digest()
    golden, key = 0x9E3779B97F4A7C15, int.from_bytes(digest, "little")
    expected = []
    for record in records:
        start = next(splitmix64((key + (record - 1) * golden) % 2**64))
        expected.append([(z >> 11) / 2**53 for z in islice(splitmix64(start), num)])
    found = seeds.uniforms(seed, "mixing 3", np.array(records, np.uint64), num)
    assert found.tolist() == expected


def test_a_stream_written_out():
    """So that the reference and the code cannot be changed together without a word."""
    words = seeds.rng(1, "generate", "pathology-0000000").integers(0, 2**64, 2, np.uint64)
    assert words.tolist() == [16280416002093748045, 14225206860385149464]
    assert seeds.integer(1, "train", 0) == 2281951079272175219
    drawn = seeds.uniforms(1, "mixing 0", np.array([7]), 2)
    assert drawn.tolist() == [[0.48662295034759284, 0.6296930814203912]]
