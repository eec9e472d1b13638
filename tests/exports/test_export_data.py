"""The dataset in the formats of other programs, each opened by the program it is for."""

import csv
import json
import shutil
from pathlib import Path

import judged
import numpy as np
import pytest
from program import invoke

from raresight.pipeline.commands import export_data
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.exports.coco import objects, run_lengths
from raresight.pipeline.exports.names import file_name, folder_name
from raresight.pipeline.exports.registry import FORMATS
from raresight.pipeline.exports.source import Row
from raresight.pipeline.models import torchvision_registry
from raresight.pipeline.runtime.errors import DataError, InputMissing, UnsafeError
from raresight.pipeline.splitting.table import read_splits

NO_PARAMS = Path("none.yaml")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of a project with 120 images, 20 of them of the class `rare`."""
    folder = tmp_path_factory.mktemp("exported")
    judged.write_inputs(folder / "data")
    return folder / "data"


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
    """The folder of each format."""
    root = tmp_path_factory.mktemp("formats")
    for form in FORMATS:
        export_data.run(data, form=form, out=root / form, params_file=NO_PARAMS)
    return root


def of_split(data, split: str) -> tuple[Dataset, np.ndarray]:
    dataset = Dataset(data / "generated")
    return dataset, read_splits(data / "splits").rows(dataset, split)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_a_card_and_the_same_bytes_twice(data, exported, form, tmp_path):
    folder = exported / form
    assert manifest_problems(folder) == []
    document = json.loads((folder / "export.json").read_text())
    assert document["format"] == form
    assert document["images"]["test"] == {"common": 25, "rare": 5}
    export_data.run(data, form=form, out=tmp_path / "again", params_file=NO_PARAMS)
    again = json.loads((tmp_path / "again/manifest.json").read_text())
    assert again == json.loads((folder / "manifest.json").read_text())
    export_data.run(
        data, form=form, out=tmp_path / "again", params_file=NO_PARAMS
    )  # replaces an export
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(UnsafeError, match=r"mine is there and no exported dataset"):
        export_data.run(data, form=form, out=tmp_path / "mine", params_file=NO_PARAMS)


def test_parquet_opens_in_datasets(data, exported, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(exported / "parquet"), cache_dir=str(tmp_path))
    assert set(found) == {"train", "validation", "test"}
    for split, theirs in (("train", "train"), ("val", "validation"), ("test", "test")):
        dataset, rows = of_split(data, split)
        table = found[theirs]
        assert table.features["label"].names == ["common", "rare"]
        assert isinstance(table.features["image"], datasets.Image)
        assert table["id"][:] == dataset.ids[rows].tolist()
        assert table["label"][:] == dataset.targets[rows].tolist()
        assert table["factor.side"][:] == dataset.column("factor.side", rows)
        assert table["factor.size"][:] == dataset.column("factor.size", rows)
        for place in range(0, len(rows), 7):
            assert (np.asarray(table[place]["image"]) == dataset.images[rows[place]]).all()
            mask = np.asarray(table[place]["mask"])
            assert (mask == 255 * dataset.masks[int(rows[place])]).all()


def test_image_folders_open_in_torchvision_and_in_datasets(data, exported, tmp_path):
    torchvision_registry.models()  # so that torchvision can be imported beside any torch
    from torchvision.datasets import ImageFolder

    folder = exported / "imagefolder"
    dataset, rows = of_split(data, "train")
    found = ImageFolder(folder / "train")
    assert found.classes == ["common", "rare"]
    assert sorted(found.targets) == sorted(dataset.targets[rows].tolist())
    by_id = {path.rpartition("/")[2]: np.asarray(found.loader(path)) for path, _ in found.samples}
    for row in rows[::9]:
        assert (by_id[f"{dataset.ids[row]}.png"] == dataset.images[row]).all()
    with (folder / "images.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["id"]: row["split"] for row in table if row["split"] == "train"} == dict.fromkeys(
        dataset.ids[rows].tolist(), "train"
    )
    assert all((folder / row["file"]).is_file() for row in table)
    assert len(table) == len(dataset)
    datasets = pytest.importorskip("datasets")
    theirs = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache")
    )
    assert {name: len(part) for name, part in theirs.items()} == {
        "train": len(rows),
        "validation": len(of_split(data, "val")[1]),
        "test": len(of_split(data, "test")[1]),
    }
    assert theirs["train"].features["label"].names == ["common", "rare"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # webdataset leaves the file to Python
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tar_files_open_in_webdataset(data, exported):
    webdataset = pytest.importorskip("webdataset")
    dataset, rows = of_split(data, "val")
    path = str(exported / "webdataset/val-000000.tar")
    decoded = webdataset.WebDataset(path, shardshuffle=False).decode("rgb8")
    found = list(decoded.to_tuple("png", "cls", "json", "mask.png"))
    assert len(found) == len(rows)
    for row, (pixels, target, facts, mask) in zip(rows.tolist(), found, strict=True):
        assert (pixels == dataset.images[row]).all()
        assert (target, facts["id"]) == (dataset.targets[row], dataset.ids[row])
        assert (mask[..., 0] == 255 * dataset.masks[row]).all()
    assert json.loads((exported / "webdataset/classes.json").read_text()) == ["common", "rare"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools'
def test_coco_opens_in_pycocotools(data, exported):
    coco = pytest.importorskip("pycocotools.coco")
    from pycocotools import mask as codec

    dataset, rows = of_split(data, "test")
    found = coco.COCO(str(exported / "coco/annotations/instances_test.json"))
    by_id = {image["raresight"]["id"]: image for image in found.imgs.values()}
    assert set(by_id) == set(dataset.ids[rows])
    for row in rows.tolist():
        image = by_id[dataset.ids[row]]
        assert (exported / "coco/test" / image["file_name"]).is_file()
        assert found.cats[image["category_id"]]["name"] == dataset.labels[row]
        own = found.loadAnns(found.getAnnIds(imgIds=[image["id"]]))
        assert len(own) == bool(dataset.masks[row].any())
        for annotation in own:
            assert (found.annToMask(annotation) == dataset.masks[row]).all()
            code = found.annToRLE(annotation)
            assert annotation["bbox"] == codec.toBbox(code).tolist()
            assert annotation["area"] == codec.area(code)


def row(**known) -> Row:
    nothing = {"png": b""} | dict.fromkeys(("mask", "mask_png", "instances", "boxes"))
    own = {"id": "a", "source_id": "a", "group": "a", "origin": "real", "label": "b", "target": 0}
    image = np.zeros((4, 6, 3), np.uint8)
    return Row(**(own | nothing | {"image": image, "factors": {}} | known))


def test_objects_are_told_apart_by_what_is_known():
    mask, instances = np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint16)
    mask[1:3, 0:2] = mask[1:3, 4:6] = 1
    instances[1:3, 0:2], instances[1:3, 4:6], instances[0, 0] = 7, 9, 3
    boxes = np.array([[0, 1, 2, 2], [4, 1, 2, 2]], np.float32)
    for known in ({"instances": instances}, {"boxes": boxes}):
        found = list(objects(row(mask=mask, **known)))
        assert [box for _, box in found] == boxes.tolist()
        assert [pixels.sum() for pixels, _ in found] == [4, 4]
        assert (np.any([pixels for pixels, _ in found], axis=0) == mask).all()
    assert [box for _, box in objects(row(mask=mask))] == [[0, 1, 6, 2]]
    assert list(objects(row(boxes=boxes))) == [(None, box) for box in boxes.tolist()]
    assert list(objects(row(mask=np.zeros((4, 6), np.uint8)))) == list(objects(row())) == []


def test_runs_are_counted_down_the_columns():
    assert run_lengths(np.array([[True, False], [False, True]])) == [0, 1, 2, 1]
    assert run_lengths(np.zeros((2, 3), bool)) == [6]
    assert run_lengths(np.ones((2, 3), bool)) == [0, 6]


def test_names_are_those_that_a_file_system_bears():
    assert file_name("a/b:1.2 ä") == "a%2Fb%3A1.2 ä"
    assert folder_name("sick, or not") == "sick, or not"
    for label in ("a/b", "..", " a", ""):
        with pytest.raises(DataError, match="cannot be the name of a folder"):
            folder_name(label)


def test_the_command_says_who_opens_it(data, tmp_path):
    out = tmp_path / "hub"
    done = invoke("--data", data, "export", "data", "--format", "parquet", "--out", out)
    assert done.exit_code == 0, done.output
    assert f'datasets.load_dataset("{out}")' in done.output
    assert "60 train, 30 val, 30 test" in done.output
    with pytest.raises(InputMissing, match="raresight generate"):
        export_data.run(tmp_path, form="coco", out=tmp_path / "x", params_file=NO_PARAMS)
    shutil.copytree(data, tmp_path / "data")
    with (tmp_path / "data/splits/splits.arrow").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="is not what the split stage wrote"):
        export_data.run(tmp_path / "data", form="coco", out=tmp_path / "x", params_file=NO_PARAMS)
    assert not (tmp_path / "x").exists()
