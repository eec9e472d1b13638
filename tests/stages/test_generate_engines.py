"""The engines in the stage: same bytes for any worker count, and an end that says what lacks."""

import json

import pytest

from raresight.pipeline.dataset import Dataset, schema
from raresight.pipeline.runtime.errors import DeviceError, ParamsError
from raresight.pipeline.stages import generate

pytestmark = pytest.mark.engine("conveyor", "street")

SOURCES = [
    {"generator": "conveyor", "counts": {"ok": 3, "toppled": 3, "stacked": 2}},
    {"generator": "street", "counts": {"clear": 4, "crossing": 4}},
]


@pytest.fixture
def params(tmp_path):
    def write(*sources):
        section = {"seed": 1, "image_size": 48, "positive": None, "sources": list(sources)}
        (tmp_path / "params.yaml").write_text(json.dumps({"generate": section}))
        return tmp_path / "params.yaml"

    return write


def test_one_and_two_workers_draw_the_same_bytes(params, tmp_path, monkeypatch):
    """Both engines in one process, and in two, in another order of shards."""
    monkeypatch.setattr(schema, "SHARD_BYTES", 3 * 48 * 48 * 10)
    file = params(*SOURCES)
    one = generate.run(file, tmp_path / "one", workers=1)
    two = generate.run(file, tmp_path / "two", workers=2)
    files = sorted(path.name for path in one.iterdir())
    assert len([name for name in files if name.endswith(".arrow")]) > 4
    for name in files:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_boxes_instances_and_depth_are_kept(params, tmp_path):
    made = Dataset(generate.run(params(SOURCES[1]), tmp_path / "data", workers=1))
    for row, label in enumerate(made.labels):
        assert (len(made.boxes[row]) > 0) == (label == "crossing") == bool(made.masks[row].any())
        assert made.instances[row].max() > 1
        assert 0 < made.depth[row].min() < made.depth[row].max() <= 151


def test_what_was_accepted_and_what_drew_it_are_written_down(params, tmp_path):
    made = generate.run(params(*SOURCES), tmp_path / "data", workers=1)
    accepted = json.loads((made / "acceptance.json").read_text())
    tries = Dataset(made).frame().groupby("label")["factor.tries"].sum()
    assert {label: (one["accepted"], one["drawn"]) for label, one in accepted.items()} == {
        "ok": (3, tries["ok"]),
        "toppled": (3, tries["toppled"]),
        "stacked": (2, tries["stacked"]),
        "clear": (4, tries["clear"]),
        "crossing": (4, tries["crossing"]),
    }
    for one in accepted.values():
        assert one["rate"] == one["accepted"] / one["drawn"] <= 1
    used = json.loads((made / "dataset.json").read_text())["versions"]
    assert {"mujoco", "panda3d", "opengl"} <= set(used)


def test_without_opengl_the_stage_ends_with_78_before_it_draws(params, tmp_path, monkeypatch):
    from raresight.generators import opengl

    monkeypatch.setattr(opengl, "_try", lambda probe: ("", "no EGL device"))
    for source in SOURCES:
        with pytest.raises(DeviceError, match="apt-get install") as caught:
            generate.run(params(source), tmp_path / "data", workers=1)
        assert caught.value.exit_code == 78
    assert not (tmp_path / "data/generated").exists()


def test_a_class_out_of_reach_ends_with_the_options_to_change(params, tmp_path):
    options = {"min_visible": 2000, "max_tries": 1}
    source = {**SOURCES[0], "options": options, "counts": {"toppled": 1}}
    with pytest.raises(ParamsError, match="`max_tries`"):
        generate.run(params(source), tmp_path / "data", workers=1)
