"""The ways in which other programs keep images, written by those programs, come in as rows."""

import io
import json
import logging
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from image_folders import read_all
from PIL import Image
from pyarrow import parquet
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.builtin import GENERATORS
from raresight.generators.image_file import read_image
from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages import generate

SIDE = 12


def picture(number: int, side: int = SIDE) -> Image.Image:
    rng = np.random.default_rng(number)
    return Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))


def png(number: int) -> bytes:
    out = io.BytesIO()
    picture(number).save(out, "PNG")
    return out.getvalue()


def made(name: str, side: int | tuple[int, int] = SIDE, **options) -> dict:
    """The samples of a generator by the name of the image, with their records."""
    kind = GENERATORS[name]
    generator = kind(kind.options.model_validate(options), side)
    return {
        sample.factors["file"]: (record, sample) for record, sample in read_all(generator).items()
    }


def named_factors(found: dict, name: str) -> list:
    return [sample.factors[name] for _, sample in found.values()]


# --- MedMNIST


def medmnist(path: Path, *, color: bool = True, compressed: bool = True, **changes) -> dict:
    """Arrays as MedMNIST's files have them: 70, 9 and 5 images of three grades."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 70), ("val", 9), ("test", 5)):
        shape = (count, SIDE, SIDE, 3) if color else (count, SIDE, SIDE)
        arrays[f"{split}_images"] = rng.integers(0, 256, shape, np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    arrays |= changes
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return arrays


@pytest.mark.parametrize(("color", "compressed"), [(True, True), (False, False)])
def test_medmnist_comes_with_its_splits(tmp_path, color, compressed):
    path = tmp_path / "set.npz"
    arrays = medmnist(path, color=color, compressed=compressed)
    found = made("medmnist", path=str(path))
    assert len(found) == 84
    for split, count in (("train", 70), ("val", 9), ("test", 5)):
        for number in range(count):
            record, sample = found[f"{split}_images/{number}"]
            pixels = arrays[f"{split}_images"][number]
            assert (sample.image == (pixels if color else pixels[:, :, None])).all()
            assert (record.label, sample.given_split) == (str(number % 3), split)


def test_grades_of_medmnist_become_classes(tmp_path):
    medmnist(tmp_path / "set.npz")
    rule = {"column": "label", "at_least": 2, "name": "severe", "otherwise": "mild"}
    found = made("medmnist", path=str(tmp_path / "set.npz"), columns={"label": rule})
    assert found["val_images/2"][0].label == "severe"
    assert found["val_images/1"][0].label == "mild"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": np.zeros((70, 4, 4, 4, 4), np.uint8)}, "no volumes"),
        ({"train_labels": np.zeros((70, 14), np.uint8)}, "one label for each of the 70 images"),
        ({"val_labels": np.zeros((8, 1), np.uint8)}, "one label for each of the 9 images"),
    ],
)
def test_what_of_medmnist_cannot_be_learned_is_told(tmp_path, changes, message):
    medmnist(tmp_path / "set.npz", **changes)
    with pytest.raises(BadImages, match=message):
        made("medmnist", path=str(tmp_path / "set.npz"))


def test_another_npz_and_no_npz_are_told(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(BadImages, match=r"no train_images with train_labels.* It has: x"):
        made("medmnist", path=str(tmp_path / "a.npz"))
    (tmp_path / "b.npz").write_text("x")
    with pytest.raises(BadImages, match=r"is no \.npz"):
        made("medmnist", path=str(tmp_path / "b.npz"))


def test_deep_arrays_take_a_range(tmp_path):
    arrays = medmnist(tmp_path / "set.npz", color=False)
    deep = {k: v.astype(np.uint16) * 16 if "images" in k else v for k, v in arrays.items()}
    np.savez(tmp_path / "deep.npz", **deep)
    found = made("medmnist", path=str(tmp_path / "deep.npz"), range=[0, 4080])
    assert (found["val_images/3"][1].image[:, :, 0] == arrays["val_images"][3]).all()


# --- Hugging Face


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    """What `datasets` writes of two splits: Parquet as on the hub, and save_to_disk."""
    import datasets

    folder = tmp_path_factory.mktemp("hub")
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "site": datasets.Value("string"),
        }
    )
    parts = {}
    for split, start, count in (("train", 0, 7), ("validation", 7, 4)):
        rows = {
            "image": [{"bytes": png(start + k), "path": f"{k}.png"} for k in range(count)],
            "label": [k % 2 for k in range(count)],
            "site": ["ab"[k % 2] for k in range(count)],
        }
        parts[split] = datasets.Dataset.from_dict(rows, features=features)
        (folder / "parquet/data").mkdir(parents=True, exist_ok=True)
        parts[split].to_parquet(
            folder / f"parquet/data/{split}-00000-of-00001.parquet", batch_size=3
        )
    datasets.DatasetDict(parts).save_to_disk(folder / "disk")
    return folder


@pytest.mark.parametrize("kind", ["parquet", "disk"])
def test_a_dataset_of_hugging_face_comes_with_names_splits_and_columns(hub, kind):
    found = made("huggingface", path=str(hub / kind))
    assert len(found) == 11
    by_split = {split: [] for split in ("train", "val")}
    for record, sample in found.values():
        by_split[sample.given_split].append((record, sample))
    for split, start, count in (("train", 0, 7), ("val", 7, 4)):
        assert len(by_split[split]) == count
        for k, (record, sample) in enumerate(by_split[split]):
            assert (sample.image == np.asarray(picture(start + k))).all()
            assert record.label == ("cat", "dog")[k % 2]
            assert sample.factors["site"] == "ab"[k % 2]


def test_one_parquet_file_has_no_splits_and_its_own_names(tmp_path):
    table = pa.table({"picture": [png(0), png(1)], "diagnosis": ["ill", "well"], "age": [3, 4]})
    parquet.write_table(table, tmp_path / "t.parquet")
    options = {"path": str(tmp_path / "t.parquet"), "columns": {"label": "diagnosis"}}
    found = made("huggingface", **options)
    assert {record.label for record, _ in found.values()} == {"ill", "well"}
    assert named_factors(found, "age") == [3.0, 4.0]
    assert all(sample.given_split is None for _, sample in found.values())
    with pytest.raises(BadImages, match=r"no column 'pictures'. Did you mean 'picture'"):
        made("huggingface", **options, image="pictures")


def test_which_column_has_the_images_has_to_be_known(tmp_path):
    parquet.write_table(pa.table({"label": ["a", "b"]}), tmp_path / "t.parquet")
    with pytest.raises(BadImages, match=r"which column has the images\? It may be: none"):
        made("huggingface", path=str(tmp_path / "t.parquet"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadImages, match=r"no file that ends in \.parquet or \.arrow"):
        made("huggingface", path=str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        made("huggingface", path=str(tmp_path / "nowhere"))


def test_rows_without_a_label_or_an_image_are_told(tmp_path):
    import datasets

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])}
    )
    rows = {"image": [{"bytes": png(0), "path": None}] * 2, "label": [0, -1]}  # as hidden tests
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadImages, match="row 2: the label is empty"):
        made("huggingface", path=str(tmp_path / "t.parquet"))
    struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    cells = [{"bytes": png(0), "path": "a.png"}, {"bytes": None, "path": "b.png"}]
    table = pa.table({"image": pa.array(cells, struct), "label": ["a", "b"]})
    parquet.write_table(table, tmp_path / "u.parquet")
    with pytest.raises(BadImages, match=r"row 1 of part 0: only its path is there \(b\.png\)"):
        made("huggingface", path=str(tmp_path / "u.parquet"))


# --- WebDataset


@pytest.fixture
def shards(tmp_path) -> Path:
    """What the library `webdataset` writes: two shards of training, one of a test."""
    import webdataset

    for name, numbers in (("train-000", range(3)), ("train-001", range(3, 5)), ("test-0", [5, 6])):
        with webdataset.TarWriter(str(tmp_path / f"{name}.tar")) as sink:
            for k in numbers:
                about = {"patient": f"p{k // 2}", "age": 20 + k, "notes": ["x"]}
                sink.write(
                    {"__key__": f"a/s{k:03d}", "png": picture(k), "cls": k % 2, "json": about}
                )
    return tmp_path


def test_a_webdataset_comes_with_classes_splits_and_columns(shards):
    found = made("webdataset", path=str(shards), columns={"group": "patient"})
    assert len(found) == 7
    for k in range(7):
        shard = ("train-000", "train-001", "test-0")[(k > 2) + (k > 4)]
        record, sample = found[f"{shard}.tar/a/s{k:03d}"]
        assert (sample.image == np.asarray(picture(k))).all()
        assert (record.label, record.group) == (str(k % 2), f"p{k // 2}")
        assert sample.given_split == shard.split("-")[0]
        assert sample.factors["age"] == 20 + k
        assert "notes" not in sample.factors


def test_what_of_a_tar_cannot_be_read_is_told(tmp_path, shards):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(shards / "test-0.tar", "t")
    with pytest.raises(BadImages, match="compressed has to be unpacked first"):
        made("webdataset", path=str(tmp_path / "x.tar.gz"))
    with tarfile.open(tmp_path / "two.tar", "w") as archive:
        for name in ("a.png", "a.jpg", "a.cls"):
            info = tarfile.TarInfo(name)
            info.size = len(png(0))
            archive.addfile(info, io.BytesIO(png(0)))
    with pytest.raises(BadImages, match=r"sample 'a' has 2 images among png, jpg, cls.*image: jpg"):
        made("webdataset", path=str(tmp_path / "two.tar"))


# --- COCO


def segmentation(kind: str, marked: np.ndarray):
    """A mask as COCO writes it: polygons of a box, run lengths, packed run lengths."""
    from pycocotools import mask

    rows, columns = np.nonzero(marked)
    x, y, right, lower = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    if kind == "polygon":
        return [[int(n) for n in (x, y, right, y, right, lower, x, lower)]]
    if kind == "packed":
        found = mask.encode(np.asfortranarray(marked))
        return {"size": found["size"], "counts": found["counts"].decode()}
    flat = marked.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), len(flat)]).tolist()
    return {"size": list(marked.shape), "counts": [0, *counts] if flat[0] else counts}


@pytest.fixture
def coco(tmp_path) -> Path:
    """Three images of 60 x 40 pixels: two cats and a dog in the first, a dog and a crowd in the
    second, nothing in the third."""
    boxes = [
        (1, 1, "cat", (5, 10, 12, 14)),
        (2, 1, "cat", (30, 4, 20, 10)),
        (3, 1, "dog", (40, 20, 3, 18)),
        (4, 2, "dog", (10, 10, 10, 10)),
        (5, 2, "dog", (0, 0, 60, 40)),
    ]
    kinds = {1: "polygon", 2: "plain", 4: "packed"}
    (tmp_path / "pictures").mkdir()
    annotations = []
    for id, image, name, (x, y, width, height) in boxes:
        marked = np.zeros((40, 60), np.uint8)
        marked[y : y + height, x : x + width] = 1
        known = {"segmentation": segmentation(kinds[id], marked)} if id in kinds else {}
        annotations.append(
            {
                "id": id,
                "image_id": image,
                "category_id": {"cat": 7, "dog": 9}[name],
                "bbox": [x, y, width, height],
                "iscrowd": int(id == 5),
                **known,
            }
        )
    images = []
    for k in (1, 2, 3):
        pixels = np.random.default_rng(k).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{k}.png")
        images.append(
            {"id": k, "file_name": f"{k}.png", "width": 60, "height": 40, "camera": "ab"[k % 2]}
        )
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(document))
    return tmp_path


def of_coco(coco: Path, **options) -> dict:
    paths = {"path": str(coco / "instances.json"), "images": str(coco / "pictures")}
    return made("coco", (20, 30), **paths, **options)


def test_boxes_of_coco_become_images_that_stay_with_their_image(coco):
    found = of_coco(coco, take="boxes", masks=True)
    assert {name: record.label for name, (record, _) in found.items()} == {
        "1.png#1": "cat",
        "1.png#2": "cat",
        "2.png#4": "dog",  # the other one is 3 pixels wide
    }
    assert [record.group for record, _ in found.values()] == ["1.png", "1.png", "2.png"]
    assert named_factors(found, "camera") == ["b", "b", "a"]
    whole = Image.open(coco / "pictures/1.png")
    out = io.BytesIO()
    whole.crop((30, 4, 50, 14)).save(out, "PNG")
    assert (found["1.png#2"][1].image == read_image(out.getvalue(), (20, 30))).all()
    # The box fills the width: 30 x 15 pixels of the canvas, in its middle.
    for name in ("1.png#2", "2.png#4"):
        mask = found[name][1].mask
        rows, columns = np.nonzero(mask)
        assert (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1) == mask.sum()
    assert found["1.png#2"][1].mask.sum() == 30 * 15


def test_a_margin_shows_what_is_around_a_box(coco):
    found = of_coco(coco, take="boxes", margin=0.5, min_side=3)
    whole = Image.open(coco / "pictures/1.png")
    out = io.BytesIO()
    whole.crop((20, 0, 60, 24)).save(out, "PNG")  # half of 20 pixels around, inside the image
    assert (found["1.png#2"][1].image == read_image(out.getvalue(), (20, 30))).all()
    assert "1.png#3" in found


def test_whole_images_of_coco_are_told_by_what_they_show(coco):
    found = of_coco(coco, take="images", category="cat", masks=True)
    assert {name: record.label for name, (record, _) in found.items()} == {
        "1.png": "cat",
        "2.png": "no cat",
        "3.png": "no cat",
    }
    expected = np.zeros((40, 60), bool)
    expected[10:24, 5:17] = expected[4:14, 30:50] = True
    assert (found["1.png"][1].mask == (expected[::2, ::2] | expected[1::2, 1::2])).mean() > 0.97
    assert found["1.png"][1].mask.sum() == pytest.approx(expected.sum() / 4, abs=15)
    assert found["2.png"][1].mask is None
    renamed = of_coco(coco, take="images", category="dog", otherwise="else")
    assert {record.label for record, _ in renamed.values()} == {"dog", "else"}


@pytest.mark.parametrize("kind", ["polygon", "plain", "packed"])
def test_outlines_are_the_pixels_that_pycocotools_draws(kind):
    from pycocotools import mask

    from raresight.generators.formats.segments import Outline

    marked = np.zeros((17, 23), np.uint8)
    marked[4:11, 5:16] = 1
    given = segmentation(kind, marked)
    drawn = Outline.of(given, (0, 0, 1, 1)).drawn((23, 17))
    assert (drawn == marked).all()
    corners = [[2.0, 3.0, 20.5, 4.0, 12.0, 15.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of NumPy 2
        theirs = mask.decode(mask.merge(mask.frPyObjects(corners, 17, 23)))
    packed = mask.merge(mask.frPyObjects(corners, 17, 23))
    unpacked = Outline.of({"counts": packed["counts"].decode()}, (0, 0, 1, 1)).drawn((23, 17))
    assert (unpacked == theirs).all()
    ours = Outline.of(corners, (0, 0, 1, 1)).drawn((23, 17))
    assert (ours != theirs).sum() <= 12  # along the edges, where they count half pixels


def test_what_of_coco_does_not_fit_is_told(coco):
    with pytest.raises(BadImages, match=r"no category 'cats'. Did you mean 'cat'"):
        of_coco(coco, take="images", category="cats")
    for wrong in ({"take": "images"}, {"take": "boxes", "category": "cat"}):
        with pytest.raises(ValidationError, match="needs `category`"):
            of_coco(coco, **wrong)
    with pytest.raises(BadImages, match="has no annotations of COCO"):
        made("coco", path=str(coco / "pictures/1.png"), take="boxes")
    picture(0).save(coco / "pictures/1.png")
    with pytest.raises(BadImages, match=r"12 x 12 pixels once it is upright, .* made on 60 x 40"):
        of_coco(coco, take="images", category="cat")
    (coco / "pictures/1.png").unlink()
    with pytest.raises(BadImages, match="not a file"):
        of_coco(coco, take="images", category="cat")


# --- the same for all


def sources(tmp_path: Path, shards: Path, coco: Path) -> list[dict]:
    medmnist(tmp_path / "set.npz")
    parquet.write_table(
        pa.table({"image": [png(k) for k in range(9)], "label": list("abcabcabc")}),
        tmp_path / "t.parquet",
        row_group_size=2,
    )
    paths = {"path": str(coco / "instances.json"), "images": str(coco / "pictures")}
    return [
        {"generator": "medmnist", "options": {"path": str(tmp_path / "set.npz")}},
        {"generator": "huggingface", "options": {"path": str(tmp_path / "t.parquet")}},
        {"generator": "webdataset", "options": {"path": str(shards)}},
        {"generator": "coco", "options": {**paths, "take": "boxes"}},
    ]


def test_the_stage_writes_the_same_bytes_in_one_process_and_in_two(
    tmp_path, shards, coco, monkeypatch
):
    from raresight.pipeline.dataset import schema

    monkeypatch.setattr(schema, "SHARD_BYTES", 20 * SIDE * 20 * 3)
    params = tmp_path / "params.yaml"
    section = {"image_size": [SIDE, 20], "positive": None}
    section["sources"] = sources(tmp_path, shards, coco)
    params.write_text(json.dumps({"generate": section}))
    hashes = []
    for workers in (1, 2):
        dataset = Dataset(generate.run(params, tmp_path / f"data{workers}", workers=workers))
        assert dataset.image_shape == (SIDE, 20, 3)
        assert len(dataset) == 84 + 9 + 7 + 3
        hashes.append([shard.sha256 for shard in dataset.description.shards])
        assert sha256(dataset.folder / dataset.description.shards[0].file) == hashes[-1][0]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 5 + 1 + 1 + 1  # of 20 images at most


def test_damaged_images_in_a_file_are_named_and_may_be_skipped(tmp_path, caplog):
    cells = [png(0), png(1)[:60], png(2), png(3)]
    table = pa.table({"image": cells, "label": ["a", "a", "b", "a"]})
    parquet.write_table(table, tmp_path / "t.parquet")
    options = {"path": str(tmp_path / "t.parquet")}
    with pytest.raises(BadImages, match=r"1 unreadable files(.|\n)*t\.parquet, row 1 of part 0"):
        made("huggingface", **options)
    with caplog.at_level(logging.WARNING):
        found = made("huggingface", **options, max_unreadable=1)
    assert list(found) == ["t.parquet/0", "t.parquet/2", "t.parquet/3"]
    assert "skipped 1 unreadable files" in caplog.text
