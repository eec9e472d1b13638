"""What Hugging Face's `datasets` writes, and any Parquet with images, comes in as rows."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from format_files import made, named_factors, picture, png
from pyarrow import parquet

from raresight.generators.base import BadImages


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
