import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.dataset.schema import rows_per_shard, versions
from raresight.pipeline.evaluation.scoring import factors_of
from raresight.pipeline.runtime.errors import DataError, InputMissing


@pytest.fixture
def two_shards(rows, dataset):
    masks = np.zeros((3, 8, 8), np.uint8)
    masks[1, 2:4, 5] = 1
    first = rows("aba", columns={"mask": masks}, factors={"size": [0.5, None, math.nan]})
    second = rows("bb", start=3, origin="real", factors={"tint": ["red", None]})
    sources = (
        {"name": "s0", "generator": "test"},
        {"name": "s1", "splits": ["test"], "generator": "test"},
    )
    factors = {"size": "float", "tint": "string"}
    return dataset(first, second, sources=sources, factors=factors, positive="b")


def test_what_was_written_is_read(two_shards):
    data = two_shards
    assert len(data) == 5
    assert data.ids.tolist() == [f"img-{k:03d}" for k in range(5)]
    assert data.source_ids.tolist() == data.ids.tolist()
    assert data.labels.tolist() == data.true_labels.tolist() == list("ababb")
    assert data.targets.tolist() == [0, 1, 0, 1, 1]
    assert data.origins.tolist() == ["synthetic"] * 3 + ["real"] * 2
    assert data.given_splits.tolist() == [""] * 5
    splits = [data.description.splits_of(name) for name in ("s0", "s1")]
    assert [*map(list, splits)] == [["train", "val", "test"], ["test"]]
    assert data.variants.tolist() == [0] * 5
    assert (data.classes, data.positive, data.image_shape) == (("a", "b"), "b", (8, 8, 3))
    for k in range(5):
        assert np.array_equal(data.images[k], np.full((8, 8, 3), (k, 2 * k, 255 - k)))


def test_rows_of_a_source_without_masks_have_an_unknown_mask_of_zeros(two_shards):
    assert two_shards.has_mask.tolist() == [True] * 3 + [False] * 2
    assert np.argwhere(two_shards.masks[:]).tolist() == [[1, 2, 5], [1, 3, 5]]


def test_a_dataset_without_masks_has_none(rows, dataset):
    data = dataset(rows("ab"))
    assert data.masks is None
    assert data.has_mask.tolist() == [False, False]


def test_factors_are_a_frame_in_which_unknown_values_are_missing(two_shards):
    frame = two_shards.factors
    assert frame.index.tolist() == two_shards.ids.tolist()
    assert frame["size"].isna().tolist() == [False, True, True, True, True]
    assert frame["size"].iloc[0] == 0.5
    assert frame["tint"].isna().tolist() == [True, True, True, False, True]
    assert frame["tint"].iloc[3] == "red"


def test_no_result_is_sliced_by_an_outcome(rows, dataset):
    """It is kept, and told by dataset.json; what is known of test images leaves it out."""
    known = {"size": [0.5, 0.7, 0.9], "tries": [1.0, 9.0, 1.0]}
    kinds = dict.fromkeys(known, "float")
    data = dataset(rows("aba", factors=known), factors=kinds, outcomes=("tries",))
    assert data.description.outcomes == ("tries",)
    assert data.factors["tries"].tolist() == [1, 9, 1]
    found = factors_of(data, np.arange(3))
    assert found["size"].tolist() == [0.5, 0.7, 0.9]
    assert "tries" not in found


def test_frame_has_every_column_but_the_pixels(two_shards):
    assert two_shards.frame().columns.tolist() == [
        "source_id",
        "group",
        "origin",
        "label",
        "true_label",
        "variant",
        "factor.size",
        "factor.tint",
    ]


def test_an_image_is_a_read_only_view_into_the_file(two_shards):
    image = two_shards.images[0]
    assert not image.flags.writeable
    assert np.shares_memory(image, two_shards.images.shards[0])


def test_the_bytes_depend_on_the_rows_alone(rows, dataset):
    first = dataset(rows("abab"), name="one")
    again = dataset(rows("abab"), name="two")
    other = dataset(rows("abaa"), name="three")
    assert first.description == again.description
    assert first.description.shards[0].sha256 != other.description.shards[0].sha256
    assert first.description.shards[0].sha256 == sha256(again.folder / "part-00000.arrow")


def test_other_programs_read_the_shards(two_shards):
    with pa.OSFile(str(two_shards.folder / "part-00000.arrow")) as file:
        table = pa.ipc.open_file(file).read_all()
    assert table.schema.field("image").type == pa.fixed_shape_tensor(pa.uint8(), (8, 8, 3))
    assert table.column("label").to_pylist() == ["a", "b", "a"]
    assert table.column("factor.size").null_count == 1  # NaN stays NaN, None is null


def test_torch_view_gives_channels_first_and_the_class_index(two_shards):
    view = two_shards.torch(rows=[4, 0])
    image, target = view[0]
    assert len(view) == 2
    assert (tuple(image.shape), target) == ((3, 8, 8), 1)
    assert image[:, 0, 0].tolist() == [4, 8, 251]


@st.composite
def _pixels(draw):
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    whole = np.arange(sum(lengths) * 6, dtype=np.uint8).reshape(-1, 2, 3)
    return whole, Pixels(np.split(whole, np.cumsum(lengths)[:-1]), (2, 3))


@given(_pixels(), st.data())
def test_pixels_in_shards_index_like_one_array(both, data):
    whole, pixels = both
    count = len(whole)
    assert len(pixels) == count
    assert np.array_equal(np.asarray(pixels), whole)
    start, stop = data.draw(st.integers(-count, count)), data.draw(st.integers(-count, count))
    assert np.array_equal(pixels[start:stop], whole[start:stop])
    chosen = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    assert np.array_equal(pixels[np.array(chosen, bool)], whole[np.array(chosen, bool)])
    if count:
        rows = data.draw(st.lists(st.integers(-count, count - 1), max_size=6))
        assert np.array_equal(pixels[rows], whole[np.array(rows, int)])
        one = data.draw(st.integers(-count, count - 1))
        assert np.array_equal(pixels[one], whole[one])


@given(_pixels(), st.data())
def test_take_fills_the_buffer_it_is_given(both, data):
    whole, pixels = both
    rows = np.array(data.draw(st.permutations(range(len(whole)))), int)
    buffer = np.full((len(rows), 2, 3), 255, np.uint8)
    assert pixels.take(rows, out=buffer) is buffer
    assert np.array_equal(buffer, whole[rows])


@pytest.mark.parametrize("row", [5, -6])
def test_a_row_that_is_not_there_is_an_index_error(two_shards, row):
    with pytest.raises(IndexError, match=f"row {row} of 5"):
        two_shards.images[row]


def test_a_shard_holds_48_mb_of_pixels_and_at_least_one_row():
    assert rows_per_shard((64, 64, 3), ["mask"]) == 48 * 2**20 // (64 * 64 * 4) == 3072
    assert rows_per_shard((64, 64, 3)) == 4096
    assert rows_per_shard((10_000, 10_000, 3)) == 1
    with_all = rows_per_shard((64, 64, 3), ["mask", "boxes", "instances", "depth"])
    assert with_all == 48 * 2**20 // (64 * 64 * (3 + 1 + 2 + 4))


@pytest.mark.parametrize("side", [8, 64, 224, 512, 1024])
@pytest.mark.parametrize("columns", [[], ["mask"], ["mask", "boxes", "instances", "depth"]])
def test_a_full_shard_has_32_to_64_mb_whatever_the_size_of_the_images(side, columns):
    rows = rows_per_shard((side, side, 3), columns)
    bytes_a_pixel = 3 + sum({"mask": 1, "instances": 2, "depth": 4}.get(c, 0) for c in columns)
    assert 32 * 2**20 <= rows * side * side * bytes_a_pixel <= 64 * 2**20


def test_versions_leave_out_what_is_not_installed():
    assert set(versions("numpy", "no-such-library")) == {"numpy"}


def test_a_folder_without_a_dataset_says_what_to_do(tmp_path: Path):
    with pytest.raises(InputMissing, match=r"dataset\.json does not exist\. Run the stage"):
        Dataset(tmp_path)


def test_a_missing_shard_is_named(two_shards):
    (two_shards.folder / "part-00001.arrow").unlink()
    with pytest.raises(InputMissing, match=r"part-00001\.arrow does not exist"):
        Dataset(two_shards.folder)


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0 but no more"])
def test_a_damaged_shard_is_named(two_shards, content):
    path = two_shards.folder / "part-00001.arrow"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"part-00001\.arrow is not a readable Arrow file"):
        Dataset(two_shards.folder)


def test_a_truncated_shard_is_named(two_shards):
    path = two_shards.folder / "part-00000.arrow"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"part-00000\.arrow is not a readable Arrow file"):
        Dataset(two_shards.folder)


def _edit(folder: Path, change) -> None:
    path = folder / "dataset.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def test_a_wrong_row_count_is_refused(two_shards):
    _edit(two_shards.folder, lambda raw: raw["shards"][0].update(rows=4))
    with pytest.raises(DataError, match=r"holds 3 rows; dataset\.json says 4"):
        Dataset(two_shards.folder)


@pytest.mark.parametrize("number", [1, 3])
def test_another_format_is_refused_and_told_what_to_do(two_shards, number):
    _edit(two_shards.folder, lambda raw: raw.update(format=number))
    with pytest.raises(DataError) as refused:
        Dataset(two_shards.folder)
    assert re.search(rf"json has format {number}, .* format 2\. .*`dvc repro`", str(refused.value))
    assert refused.value.exit_code == 65


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("shards"),
        lambda raw: raw.pop("format"),
        lambda raw: raw.update(odd=1),
        lambda raw: raw.update(columns=3),
        lambda raw: raw["columns"].update(odd="string"),
        lambda raw: raw["columns"].update({"factor.size": "int8"}),
    ],
)
def test_json_that_is_no_description_is_refused(two_shards, change):
    _edit(two_shards.folder, change)
    with pytest.raises(DataError, match="is not a dataset description"):
        Dataset(two_shards.folder)


@pytest.fixture
def seen(rows, dataset):
    """A source that knows boxes, instances and depth, and one that does not."""
    instances = np.zeros((2, 8, 8), np.uint16)
    instances[1, 2:4, 2:5] = 60_000
    depth = np.full((2, 8, 8), 2.5, np.float32)
    boxes = [[], [(2, 2, 3, 2), (0.5, 1, 7.25, 4)]]
    columns = {"boxes": boxes, "instances": instances, "depth": depth}
    return dataset(rows("ab", columns=columns), rows("b", start=2))


def test_boxes_instances_and_depth_come_back_as_written(seen):
    assert seen.boxes[0].shape == (0, 4)
    assert seen.boxes[1].tolist() == [[2, 2, 3, 2], [0.5, 1, 7.25, 4]]
    assert seen.boxes[1].dtype == np.float32
    assert seen.instances[1].dtype == np.uint16
    assert (seen.instances[1] == 60_000).sum() == 6
    assert (seen.depth[[0, 1]] == np.float32(2.5)).all()


def test_a_source_that_does_not_know_them_has_nulls(seen):
    assert seen.boxes[2] is None
    for name in ("boxes", "instances", "depth"):
        assert seen.known(name).tolist() == [True, True, False]
    assert seen.depth[2] is None
    assert not seen.depth[[2]].any()
    with pytest.raises(IndexError, match="row 3 of 3"):
        seen.boxes[3]


def test_a_dataset_without_them_has_none(rows, dataset):
    data = dataset(rows("ab"))
    assert (data.boxes, data.instances, data.depth) == (None, None, None)
    assert not data.known("depth").any()


def test_other_programs_know_their_types(seen):
    with pa.OSFile(str(seen.folder / "part-00000.arrow")) as file:
        schema = pa.ipc.open_file(file).schema
    assert schema.field("boxes").type == pa.list_(pa.list_(pa.float32(), 4))
    assert schema.field("instances").type == schema.field("depth").type == pa.binary()
    assert "boxes" in seen.frame().columns
    assert not {"instances", "depth"} & set(seen.frame().columns)


def test_released_pages_are_read_again_as_they_were(tmp_path):
    path = tmp_path / "pixels.bin"
    stored = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (400, 64, 64, 3), np.uint8)
    stored.tofile(path)
    shard = np.memmap(path, np.uint8, "r", shape=stored.shape)
    pixels = Pixels([shard], stored.shape[1:], mapped=True)
    assert (pixels.take(np.arange(400)) == stored).all()
    pixels.release()
    assert (pixels.take(np.arange(400)) == stored).all()


def test_memory_that_is_no_map_is_never_given_back():
    stored = np.full((100, 64, 64, 3), 7, np.uint8)
    Pixels([stored], stored.shape[1:]).release()
    assert (stored == 7).all()


def test_a_source_with_a_role_of_earlier_versions_is_refused(dataset, rows):
    """Taken as one for all splits, what was for testing alone would be learned from."""
    made = dataset(rows("ab"))
    old = replace(made.description, sources=({"name": "s0", "role": "test_only"},))
    with pytest.raises(DataError, match=r"'s0' has a role.*Run `raresight generate` again"):
        old.splits_of("s0")
