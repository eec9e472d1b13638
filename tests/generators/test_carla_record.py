"""CARLA's streams on disk: what a record keeps, and what of it is refused."""

import json
from types import SimpleNamespace

import pytest
from carla_frames import generator, person, wall

from raresight.generators.base import BadImages, Record
from raresight.generators.carla import Carla, record
from raresight.generators.carla.record import SENSORS, Meta, Replay
from raresight.pipeline.core import seeds

META = Meta(
    client="test", map="Town", weather=None, fixed_delta_seconds=0.05, seed=1, width=16, height=16,
    sensors={},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A record of five ticks; in the last two somebody crosses."""
    people = [[], [person(1, 10.0, 0.625, "Sidewalk")], [], *[[person(1, 10.0, 0.625)]] * 2]
    ticks = iter(wall(actors) for actors in people)
    stream = SimpleNamespace(meta=META, tick=lambda: next(ticks))
    record.write(stream, tmp_path / "carla", 5)
    return tmp_path / "carla"


def test_what_was_recorded_is_replayed(folder):
    replay = Replay(folder)
    assert (len(replay), replay.meta) == (5, META)
    original = wall([person(1, 10.0, 0.625)])
    again = [replay.tick() for _ in range(5)][-1]
    assert json.loads(json.dumps(record._row(again))) == json.loads(
        json.dumps(record._row(original))
    )
    for name in SENSORS:
        assert (again.shots[name].pixels == original.shots[name].pixels).all()
    with pytest.raises(StopIteration):
        replay.tick()


def test_a_recorded_stream_becomes_samples(folder):
    (records,) = generator(folder).streams("carla")
    assert [record.label for record in records] == ["clear"] * 3 + ["crossing"] * 2
    assert records[1].id == "carla-0000001"
    sample = generator(folder).sample(records[3], seeds.rng(1, "generate", records[3].id))
    assert (sample.label, sample.factors["map"]) == ("crossing", "Town")
    assert set(sample.factors) == set(Carla.factors)
    assert generator(folder).prevalence == {"clear": 0.6, "crossing": 0.4}


def test_ticks_can_be_thinned(folder):
    (records,) = generator(folder, every=2).streams("carla")
    assert [record.id for record in records] == ["carla-0000000", "carla-0000002", "carla-0000004"]


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"raresight carla-record"):
        generator(tmp_path / "none").streams("carla")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "depth.bgra").write_bytes(b"x"), r"depth\.bgra' holds 1 bytes; 5 ticks"),
        (lambda f: (f / "rgb.bgra").unlink(), "holds 0 bytes"),
        (lambda f: (f / "meta.json").write_text("{}"), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").write_text("{"), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").unlink(), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").write_text(""), "holds no tick"),
    ],
)
def test_damaged_records_are_refused_by_name(folder, damage, words):
    damage(folder)
    with pytest.raises(BadImages, match=words):
        generator(folder).streams("carla")


def test_a_record_of_another_format_is_refused(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "format": 2}))
    with pytest.raises(BadImages, match="format 2, not 1"):
        Replay(folder)


def test_records_have_ids_that_name_their_tick(folder):
    (records,) = generator(folder).streams("town-10")
    assert records[-1] == Record(id="town-10-0000004", label="crossing", path=folder)
