"""The same seed draws the same bytes as ever: each generator beside its digests in pins.json."""

import json

import numpy as np
import pins
import pytest

from raresight.generators import GENERATORS

RECORDED = json.loads(pins.FILE.read_text())
ENGINES = {"carla": "street", "conveyor": "conveyor", "street": "street"}


def test_every_generator_is_pinned():
    assert set(RECORDED) == set(GENERATORS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.engine(ENGINES[name]) if name in ENGINES else ())
        for name in sorted(GENERATORS)
    ],
)
def test_a_generator_draws_what_it_drew(name):
    known, found = RECORDED[name], pins.draw(name)
    assert found["labels"] == known["labels"]
    assert found["stream"] == known["stream"]
    # Gray levels of 8 x 8 fields: OpenGL, libraries and processors may round otherwise.
    assert np.abs(np.subtract(found["means"], known["means"])).max() < 4
    if found["versions"] == known["versions"]:
        digests = {"factors", "pixels", "masks"} & set(known)
        assert {k: found[k] for k in digests} == {k: known[k] for k in digests}


@pytest.mark.parametrize(
    ("change", "changelog", "reason"),
    [
        ({}, "", None),
        ({"pixels": "other"}, "stream 2 of dots", "raise its `stream`"),
        ({"pixels": "other", "stream": 2}, "stream 2 of lines", "CHANGELOG.md does not name"),
        ({"pixels": "other", "stream": 2}, "new: stream 2 of dots.", None),
        ({"pixels": "other", "versions": {"numpy": "9"}}, "", None),
    ],
)
def test_digests_change_with_the_stream_number_alone(change, changelog, reason):
    old = {"stream": 1, "versions": {"numpy": "2"}, "pixels": "one"}
    found = pins.refused("dots", old, {**old, **change}, changelog)
    assert found is None if reason is None else reason in found
