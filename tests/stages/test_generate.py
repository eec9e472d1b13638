import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raresight.generators.base import Unavailable
from raresight.generators.shapes import Shapes
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.dataset import Dataset, schema
from raresight.pipeline.runtime.errors import DataError, DeviceError, InputMissing, ParamsError
from raresight.pipeline.stages import generate

SHAPES = {
    "generator": "shapes",
    "count": 20,
    "prevalence": {"star": 0.25},
    "options": {"classes": ["circle", "star"]},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path):
    """Run the stage on these sources; params are JSON, which is YAML as well."""

    def call(*sources: dict, seed=1, image_size=16, positive=None, workers=1, into=data) -> Path:
        section = {"seed": seed, "image_size": image_size, "positive": positive}
        params = tmp_path / "params.yaml"
        params.write_text(json.dumps({"generate": {**section, "sources": list(sources)}}))
        return generate.run(params, into, workers=workers)

    return call


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for label, colour in (("circle", "red"), ("disc", "blue")):
        path = tmp_path / "raw" / label / "1.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (16, 16), colour).save(path)
    return tmp_path / "raw"


@pytest.fixture
def five_rows_a_shard(monkeypatch):
    monkeypatch.setattr(schema, "SHARD_BYTES", 5 * 16 * 16 * 4)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_dataset_holds_what_was_asked_for(run):
    folder = run(SHAPES, positive="star")
    made = Dataset(folder)
    assert len(made) == 20
    assert (made.classes, made.positive) == (("circle", "star"), "star")
    assert abs((made.labels == "star").sum() - 5) <= 1
    assert made.ids[:2].tolist() == ["shapes-0000000", "shapes-0000001"]
    assert set(made.origins) == {"synthetic"}
    assert made.has_mask.all()
    assert made.factors.notna().all(axis=None)
    assert manifest_problems(folder) == []


def test_every_row_has_its_own_image_mask_and_visible_share(run):
    made = Dataset(run(SHAPES))
    assert len({image.tobytes() for image in made.images}) == 20
    for mask, visible in zip(made.masks, made.factors["visible"], strict=True):
        assert mask.any() == (visible > 0)


def test_the_bytes_do_not_depend_on_the_number_of_workers(run, tmp_path, five_rows_a_shard):
    one = contents(run(SHAPES, workers=1))
    two = contents(run(SHAPES, workers=2, into=tmp_path / "again"))
    assert len([name for name in one if name.endswith(".arrow")]) == 4
    assert one == two


def test_a_larger_set_begins_with_the_smaller_one(run, tmp_path, five_rows_a_shard):
    small = Dataset(run({**SHAPES, "count": 12}))
    large = Dataset(run({**SHAPES, "count": 18}, into=tmp_path / "large"))
    shards = [[shard.sha256 for shard in made.description.shards] for made in (small, large)]
    assert [len(hashes) for hashes in shards] == [3, 4]
    assert shards[0][:2] == shards[1][:2]  # the full ones
    assert small.ids.tolist() == large.ids[:12].tolist()
    assert small.labels.tolist() == large.labels[:12].tolist()
    assert np.array_equal(small.images[:], large.images[:12])
    assert np.array_equal(small.masks[:], large.masks[:12])
    assert small.factors.equals(large.factors[:12])


def test_another_seed_gives_other_images_of_the_same_records(run, tmp_path):
    first = Dataset(run(SHAPES, seed=0))
    second = Dataset(run(SHAPES, seed=1, into=tmp_path / "other"))
    assert first.labels.tolist() == second.labels.tolist()
    assert not any(np.array_equal(*pair) for pair in zip(first.images, second.images, strict=True))


def test_drawn_and_real_images_share_a_dataset(run, raw):
    real = {
        "generator": "folder",
        "name": "photos",
        "splits": ["test"],
        "options": {"path": str(raw)},
    }
    made = Dataset(run({**SHAPES, "splits": {"train": 0.9, "val": 0.1}}, real))
    assert made.classes == ("circle", "disc", "star")
    is_real = made.origins == "real"
    assert is_real.tolist() == [False] * 20 + [True] * 2
    assert made.description.splits_of("photos") == ["test"]
    assert made.description.splits_of("shapes") == {"train": 0.9, "val": 0.1}
    assert (made.has_mask == ~is_real).all()
    assert all(name.startswith("photos-") for name in made.ids[is_real])
    assert made.factors["file"][is_real].tolist() == ["circle/1.png", "disc/1.png"]
    assert made.factors["file"][~is_real].isna().all()
    assert made.images[20].tolist() == [[[255, 0, 0]] * 16] * 16


def test_counts_are_met_exactly(run):
    counted = {
        "generator": "shapes",
        "counts": {"ring": 3, "star": 1},
        "options": {"classes": ["ring", "star", "cross"]},
    }
    made = Dataset(run(counted))
    assert made.labels.tolist() == ["ring"] * 3 + ["star"]


def test_a_count_alone_means_the_natural_shares(run):
    made = Dataset(run({**SHAPES, "count": 30, "prevalence": None}))
    assert 14 <= (made.labels == "star").sum() <= 16  # shapes are all as frequent


def test_what_a_generator_declares_is_kept_and_null_where_another_does_not(run, raw, monkeypatch):
    def sample(self, record, rng):
        drawn = draw(self, record, rng)
        depth = np.full((16, 16), 1.5, np.float32)
        return replace(drawn, depth=depth, instances=drawn.mask.astype(np.uint16))

    draw = Shapes.sample
    monkeypatch.setattr(Shapes, "sample", sample)
    monkeypatch.setattr(Shapes, "columns", ("mask", "boxes", "instances", "depth"))
    tissue = {"generator": "pathology", "counts": {"normal": 1}}
    photographs = {"generator": "folder", "options": {"path": str(raw)}}
    made = Dataset(run({**SHAPES, "count": 3}, tissue, photographs))
    assert made.known("depth").tolist() == [True] * 3 + [False] * (len(made) - 3)
    assert made.boxes[0].shape == (1, 4)
    assert made.boxes[3].shape == (0, 4)
    assert made.boxes[4] is None
    ((x, y, width, height),) = made.boxes[0].astype(int)
    assert made.instances[0][y : y + height, x : x + width].sum() == made.instances[0].sum() > 0


def test_groups_come_from_the_record_or_the_sample_and_are_the_source_else(run, monkeypatch):
    def streams(self, name, **amount):
        (records,) = plain(self, name, **amount)
        return [[replace(r, group="patient 1") if k < 4 else r for k, r in enumerate(records)]]

    def sample(self, record, rng):
        drawn = draw(self, record, rng)
        return replace(drawn, group="slide 9") if record.id in ("s-0000003", "s-0000007") else drawn

    plain, draw = Shapes.streams, Shapes.sample
    monkeypatch.setattr(Shapes, "streams", streams)
    monkeypatch.setattr(Shapes, "sample", sample)
    made = Dataset(run({**SHAPES, "name": "s", "count": 10}))
    expected = made.ids.tolist()
    expected[:3] = ["patient 1"] * 3
    expected[3] = expected[7] = "slide 9"
    assert made.groups.tolist() == expected
    assert made.source_ids.tolist() == made.ids.tolist()


def test_a_declared_column_that_a_sample_lacks_is_an_error(run, monkeypatch):
    monkeypatch.setattr(Shapes, "columns", ("depth",))
    with pytest.raises(ValueError, match="Shapes declares the column depth, but shapes-0000000"):
        run(SHAPES)


def test_unreadable_images_stop_the_stage_and_leave_the_earlier_output(run, raw, data):
    before = contents(run(SHAPES))
    (raw / "disc" / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"disc/bad\.png: not an image") as caught:
        run({"generator": "folder", "options": {"path": str(raw)}})
    assert caught.value.exit_code == 65
    assert contents(data / "generated") == before
    assert [path.name for path in data.iterdir() if path.is_dir()] == ["generated"]


@pytest.mark.parametrize("missing", ["disc", "circle and disc"])
def test_a_folder_with_too_few_classes_stops_the_stage(run, raw, missing):
    for label in missing.split(" and "):
        (raw / label / "1.png").unlink()
        (raw / label).rmdir()
    with pytest.raises(DataError, match="needs two subfolders or more"):
        run({"generator": "folder", "options": {"path": str(raw)}})


def test_a_missing_folder_is_a_missing_input(run, tmp_path):
    with pytest.raises(InputMissing, match="does not exist") as caught:
        run({"generator": "folder", "options": {"path": str(tmp_path / "no")}})
    assert caught.value.exit_code == 66


def test_what_a_generator_lacks_is_told_before_anything_is_drawn(run, data, monkeypatch):
    def lack(self):
        raise Unavailable("the engine is not installed: pip install engine")

    before = contents(run(SHAPES))
    monkeypatch.setattr(Shapes, "require", lack)
    monkeypatch.setattr(Shapes, "sample", lambda *_: pytest.fail("it drew"))
    with pytest.raises(DeviceError, match="pip install engine") as caught:
        run(SHAPES)
    assert caught.value.exit_code == 78
    assert contents(data / "generated") == before


def test_an_unknown_positive_class_is_refused_with_the_nearest(run, data):
    with pytest.raises((DataError, ParamsError), match="Did you mean 'star'"):
        run(SHAPES, positive="stars")
    assert not (data / "generated").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "shape"}, "Did you mean 'shapes'"),
        ({"options": {"sizes": [0.1, 0.2]}}, r"options\.sizes: unknown key.*Did you mean 'size'"),
        ({"options": {"size": [0.5, 0.1]}}, r"options\.size: must be \[low, high\]"),
        ({"prevalence": {"stars": 0.1}}, "no class 'stars'. Did you mean 'star'"),
        ({"prevalence": {"star": 0.7, "circle": 0.7}}, "shares sum to 1.4, not to 1"),
        ({"count": None}, "give either `counts`"),
        ({"counts": {"star": 2}}, "give either `counts`"),
        ({"count": 0}, "greater than or equal to 1"),
        ({"splits": ["validation"]}, "'train', 'val' or 'test'"),
        ({"splits": []}, "name train, val or test, each once"),
        ({"splits": ["test", "test"]}, "name train, val or test, each once"),
        ({"splits": {"train": 0.9, "val": 0.3}}, "shares must sum to 1, not to 1.2"),
        ({"role": "train_only"}, r"renamed to 'splits'.*\[train, val\] instead of train_only"),
        ({"name": "no spaces"}, "pattern"),
    ],
)
def test_bad_params_name_the_key_and_write_nothing(run, data, change, message):
    with pytest.raises(ParamsError, match=message):
        run({**SHAPES, **change})
    assert not data.exists()


def test_two_sources_need_two_names(run):
    with pytest.raises(ParamsError, match="two sources are called 'shapes'"):
        run(SHAPES, SHAPES)


def test_a_folder_takes_no_counts(run, raw):
    with pytest.raises(ParamsError, match="takes what is there"):
        run({"generator": "folder", "count": 3, "options": {"path": str(raw)}})
