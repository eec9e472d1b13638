"""The split stage: the table it writes, and the data it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.runtime.errors import DataError, InputMissing
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, split

SPLITS = ("train", "val", "test")


@pytest.fixture
def params_file(tmp_path) -> Path:
    path = tmp_path / "params.yaml"
    sections = {
        "augment": {
            "seed": 1,
            "copies": {"rare": 2},
            "min_label_share": 0.0,
            "max_tries": 1,
            "spatial": [],
            "pixel": [],
        },
        "split": {"seed": 2, "ratios": {"train": 0.6, "val": 0.2, "test": 0.2}},
    }
    YAML().dump(sections, path)
    return path


@pytest.fixture
def split_data(params_file):
    """Run augment and split on a data folder; returns the table as columns."""

    def run(data: Path) -> dict[str, list[str]]:
        augment.run(params_file, data, workers=1)
        split.run(params_file, data)
        return read_splits(data / "splits").table.to_pydict()

    return run


def by_id(columns: dict[str, list[str]]) -> dict[str, str]:
    return dict(zip(columns["id"], columns["split"], strict=True))


def test_originals_come_first_and_copies_follow_their_source(write_generated, part, split_data):
    data = write_generated(part(name="a", labels=["common"] * 20 + ["rare"] * 10))
    columns = split_data(data)
    assert columns["id"][:30] == Dataset(data / "generated").ids.tolist()
    assert columns["id"][30:] == Dataset(data / "augmented").ids.tolist()
    splits = by_id(columns)
    for id, source in zip(columns["id"][30:], columns["source_id"][30:], strict=True):
        assert id.startswith(source)
        assert splits[id] == ("train" if splits[source] == "train" else "unused")
    assert [columns["split"][20:30].count(name) for name in SPLITS] == [6, 2, 2]


def test_rows_for_training_are_originals_and_copies_of_training_sources(
    write_generated, part, split_data
):
    data = write_generated(part(name="a", labels=["common"] * 5 + ["rare"] * 5))
    split_data(data)
    table = read_splits(data / "splits")
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    assert [len(table.rows(originals, name)) for name in SPLITS] == [6, 2, 2]
    train = set(originals.ids[table.rows(originals, "train")])
    learned = table.rows(copies, "train")
    assert set(copies.source_ids[learned]) == train & set(copies.source_ids)
    assert len(table.rows(copies, "val")) == len(table.rows(copies, "test")) == 0


def test_the_summary_counts_every_image_once(write_generated, part, split_data):
    data = write_generated(part(name="a", labels=["common"] * 20 + ["rare"] * 10))
    split_data(data)
    summary = json.loads((data / "splits" / "summary.json").read_text())
    assert summary == {
        "images": {
            "train": {
                "common": {"originals": 12, "copies": 0},
                "rare": {"originals": 6, "copies": 12},
            },
            "val": {
                "common": {"originals": 4, "copies": 0},
                "rare": {"originals": 2, "copies": 0},
            },
            "test": {
                "common": {"originals": 4, "copies": 0},
                "rare": {"originals": 2, "copies": 0},
            },
            "unused": {
                "common": {"originals": 0, "copies": 0},
                "rare": {"originals": 0, "copies": 8},
            },
        },
        "groups": {
            "train": {"total": 18, "by_class": {"common": 12, "rare": 6}},
            "val": {"total": 6, "by_class": {"common": 4, "rare": 2}},
            "test": {"total": 6, "by_class": {"common": 4, "rare": 2}},
        },
        "repeated_pixels": {"train": 0, "val": 0, "test": 0},
        "near_duplicates": {
            "choice": "report",
            "compared": 0,
            "pairs": 0,
            "across_splits": 0,
            "test_images": 0,
            "different_labels": 0,
        },
    }


def test_the_same_data_gives_the_same_bytes(write_generated, part, split_data, params_file):
    data = write_generated(part(name="a", labels=["common"] * 5 + ["rare"] * 5))
    split_data(data)
    first = {path.name: path.read_bytes() for path in (data / "splits").iterdir()}
    split.run(params_file, data)
    assert {path.name: path.read_bytes() for path in (data / "splits").iterdir()} == first
    assert manifest_problems(data / "splits") == []


def test_a_larger_set_moves_no_image(write_generated, part, split_data):
    small = by_id(split_data(write_generated(part(name="a", labels=["common", "rare"] * 7))))
    large = by_id(split_data(write_generated(part(name="a", labels=["common", "rare"] * 16))))
    assert len(large) > len(small)
    assert small.items() <= large.items()


def test_drawn_images_are_learned_from_and_real_ones_tested_on(write_generated, part, split_data):
    drawn = part(name="drawn", labels=["common", "rare"] * 8, splits=["train", "val"])
    real = part(name="real", labels=["common", "rare"] * 3, splits=["test"], origin="real")
    splits = by_id(split_data(write_generated(drawn, real)))
    assert {splits[id] for id in splits if id.startswith("drawn") and "+" not in id} == {
        "train",
        "val",
    }
    assert {splits[id] for id in splits if id.startswith("real")} == {"test"}


def test_a_class_with_one_image_stops_the_stage_and_the_last_table_stays(
    write_generated, part, split_data, params_file
):
    split_data(write_generated(part(name="a", labels=["common"] * 5 + ["rare"] * 5)))
    data = write_generated(part(name="a", labels=["common"] * 5 + ["rare"]))
    before = (data / "splits" / "splits.arrow").read_bytes()
    augment.run(params_file, data, workers=1)
    with pytest.raises(DataError) as caught:
        split.run(params_file, data)
    message = str(caught.value)
    assert message.count("class 'rare' (images: 1) has none in") == 2
    assert "from source 'a'" in message
    assert "generate.sources" in message
    assert caught.value.exit_code == 65
    assert (data / "splits" / "splits.arrow").read_bytes() == before


PATIENTS = [f"patient {k // 4}" for k in range(80)]
MANY = ["rare" if k % 4 == 3 else "common" for k in range(80)]  # both, in every patient


def test_no_group_is_divided_and_copies_are_of_the_group_of_their_source(
    write_generated, part, split_data
):
    data = write_generated(part(name="a", labels=MANY, groups=PATIENTS))
    columns = split_data(data)
    assert columns["group"][:80] == PATIENTS
    of_id = dict(zip(columns["id"], columns["group"], strict=True))
    assert columns["group"] == [of_id[source] for source in columns["source_id"]]
    originals = Dataset(data / "generated")
    splits = dict(zip(PATIENTS, columns["split"][:80], strict=True))
    assert columns["split"][:80] == [splits[patient] for patient in PATIENTS]
    counts = json.loads((data / "splits" / "summary.json").read_text())["groups"]
    for name in SPLITS:
        number = list(splits.values()).count(name)
        assert counts[name] == {"total": number, "by_class": {"common": number, "rare": number}}
    assert read_splits(data / "splits").groups(originals).tolist() == PATIENTS


def test_groups_stay_where_they_are_when_images_come_and_go(write_generated, part, split_data):
    def places(name: str, labels: list[str], groups: list[str]) -> dict[str, str]:
        columns = split_data(write_generated(part(name=name, labels=labels, groups=groups)))
        return dict(zip(groups, columns["split"], strict=False))

    before = places("a", MANY, PATIENTS)
    new = [f"new {k // 3}" for k in range(30)]
    after = places("b", ["common"] * 30 + MANY[20:], new + PATIENTS[20:])
    assert {p: before[p] for p in PATIENTS[20:]} == {p: after[p] for p in PATIENTS[20:]}


def test_a_group_whose_sources_have_no_split_in_common_stops_the_stage(
    write_generated, part, split_data
):
    drawn = part(
        name="drawn", labels=["common", "rare"], splits=["train", "val"], groups=["p", "q"]
    )
    real = part(name="real", labels=["common", "rare"], splits=["test"], groups=["p", "r"])
    with pytest.raises(DataError) as caught:
        split_data(write_generated(drawn, real))
    assert "group 'p' has images of source 'drawn' (splits: train, val)" in str(caught.value)
    assert "the `splits` of these sources" in str(caught.value)
    assert caught.value.exit_code == 65


def test_equal_pixels_in_two_splits_stop_the_stage_and_are_listed(
    write_generated, part, split_data
):
    def all_alike(rows):
        rows.images[:5] = rows.images[0]
        return rows

    data = write_generated(part(name="a", labels=["common"] * 5 + ["rare"] * 5), edit=all_alike)
    with pytest.raises(DataError, match="the same pixels are in different splits") as caught:
        split_data(data)
    for k in range(5):
        assert f"a-{k:04d} (" in str(caught.value)


def test_equal_pixels_within_a_split_are_counted(write_generated, part, split_data):
    labels = ["common"] * 5 + ["rare"] * 5
    splits = split_data(write_generated(part(name="a", labels=labels)))["split"]
    first, second, third = np.flatnonzero(np.array(splits[:5]) == "train")

    def repeat(rows):
        rows.images[[second, third]] = rows.images[first]
        return rows

    data = write_generated(part(name="a", labels=labels), edit=repeat)
    split_data(data)
    summary = json.loads((data / "splits" / "summary.json").read_text())
    assert summary["repeated_pixels"] == {"train": 2, "val": 0, "test": 0}


def test_copies_of_other_originals_are_refused(write_generated, part, params_file):
    data = write_generated(part(name="a", labels=["common", "rare"] * 5))
    augment.run(params_file, data, workers=1)
    write_generated(part(name="b", labels=["common", "rare"] * 5))
    with pytest.raises(DataError, match=r"augmented was made from another .*raresight augment"):
        split.run(params_file, data)


def test_without_copies_the_stage_asks_for_them(write_generated, part, params_file):
    data = write_generated(part(name="a", labels=["common", "rare"] * 5))
    with pytest.raises(InputMissing, match="raresight augment"):
        split.run(params_file, data)
