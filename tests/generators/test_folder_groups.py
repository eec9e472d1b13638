"""What belongs together, and splits that are there already: as a person's folders say it."""

import logging
import re

import numpy as np
import pytest
from image_folders import folder, names, records, save
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.folder import FolderOptions


def images(root, *paths: str) -> None:
    """An image of its own colour at each path."""
    for number, path in enumerate(paths):
        save(root / path, (number % 256, number // 256, 7))


def patients(root) -> None:
    """Four patients of six frames; p0 has frames of both classes."""
    images(
        root, *(f"{'ill' if p == 3 else 'well'}/p{p}/{k}.png" for p in range(4) for k in range(6))
    )
    save(root / "ill/p0/7.png", "red")


def groups(root, **options) -> dict[str, str | None]:
    return {str(record.path.relative_to(root)): record.group for record in records(root, **options)}


def test_the_folder_below_the_class_is_the_group(tmp_path):
    patients(tmp_path)
    found = groups(tmp_path, group="parent")
    assert len(found) == 25
    assert all(group == path.split("/")[1] for path, group in found.items())
    assert found["well/p0/1.png"] == found["ill/p0/7.png"]


def test_a_regular_expression_on_the_path_names_the_group(tmp_path):
    images(tmp_path, "ill/s1_x0.png", "ill/s2_x0.png", "well/s1_x1.png", "well/s3_x0.png")
    assert groups(tmp_path, group=r"(?P<group>s\d+)_x") == {
        "ill/s1_x0.png": "s1",
        "ill/s2_x0.png": "s2",
        "well/s1_x1.png": "s1",
        "well/s3_x0.png": "s3",
    }


def test_parent_is_refused_where_it_is_the_class(tmp_path):
    patients(tmp_path)
    images(tmp_path, "ill/alone.png")
    with pytest.raises(BadImages, match="1 of 26 images lie directly in the folder of their class"):
        records(tmp_path, group="parent")


def test_files_that_no_group_is_found_in_are_named_ten_of_them_and_all_kept(tmp_path):
    images(tmp_path, *(f"{label}/{k}.png" for label in ("a", "b") for k in range(9)))
    save(tmp_path / "a/p1_0.png", "red")
    with pytest.raises(BadImages, match=r"18 of 19 images are not matched by(.|\n)*8 more") as told:
        records(tmp_path, group=r"(?P<group>p\d+)_")
    assert str(told.value).count(".png") == 10
    assert len(told.value.details) == 18


@pytest.mark.parametrize(
    ("rule", "message"),
    [("patient", "group named group"), ("(?P<group>", "no regular expression"), ("(p)", "named")],
)
def test_rules_that_name_no_group_are_refused(rule, message):
    with pytest.raises(ValidationError, match=message):
        FolderOptions(path="x", group=rule)


GROUPED = {
    "subfolders": [f"{'ab'[p % 2]}/p{p}/{k}.png" for p in range(6) for k in range(5)],
    "tiles": [
        f"{'ab'[s % 2]}/slide{s:02d}_x{k % 3}_y{k // 3}.png" for s in range(6) for k in range(9)
    ],
    "eyes": [
        f"{'ab'[e]}/p{p:02d}_{'LR'[e]}_{k}.png" for p in range(9) for e in (0, 1) for k in range(3)
    ],
    "two parts": [f"{'ab'[p % 2]}/case_{p}_{k}.png" for p in range(6) for k in range(4)],
}
NOT_GROUPED = {
    "numbers": [f"{label}/{k:04d}.png" for label in "ab" for k in range(30)],
    "camera": [f"{label}/IMG_{k:04d}.png" for label in "ab" for k in range(30)],
    "copies": [f"{label}/{k}{end}.png" for label in "ab" for k in range(9) for end in ("", "_b")],
    "ImageNet": [f"n0{c}/n0{c}_{k}.png" for c in range(3) for k in range(20)],
    "one day": [f"{label}/2024-01-{k}.png" for label in "ab" for k in range(20)],
}


@pytest.mark.parametrize("kind", GROUPED)
def test_names_that_look_grouped_get_a_warning_whose_rule_keeps_them_together(
    tmp_path, caplog, kind
):
    images(tmp_path, *GROUPED[kind])
    with caplog.at_level(logging.WARNING):
        found = groups(tmp_path)
    assert set(found.values()) == {None}
    (rule,) = re.findall(r"`group: '?([^`]+?)'?`", caplog.text)
    suggested = groups(tmp_path, group=rule)
    expected = {path: re.search(r"(p\d+|slide\d+|case_\d+)", path)[0] for path in GROUPED[kind]}
    assert suggested == expected


@pytest.mark.parametrize("kind", NOT_GROUPED)
def test_other_names_get_none(tmp_path, caplog, kind):
    images(tmp_path, *NOT_GROUPED[kind])
    with caplog.at_level(logging.WARNING):
        records(tmp_path)
    assert caplog.text == ""


PREMADE = [
    f"{split}/{label}/{k}.png"
    for split in ("train", "valid", "test")
    for label in ("ill", "well")
    for k in range(3)
]


def test_splits_that_are_there_are_taken_when_asked_for(tmp_path):
    images(tmp_path, *PREMADE)
    generator = folder(tmp_path, split_folders=True)
    assert generator.classes == ("ill", "well")
    assert generator.prevalence == {"ill": 0.5, "well": 0.5}
    assert generator.kept_columns == ("given_split",)
    found = {
        record.path.relative_to(tmp_path): record
        for record in records(tmp_path, split_folders=True)
    }
    assert len(found) == 18
    for path, record in found.items():
        assert record.label == path.parts[1]
        assert record.given_split == path.parts[0].replace("valid", "val")
        sample = generator.sample(record, np.random.default_rng(0))
        assert sample.given_split == record.given_split
        assert sample.factors == {"file": str(path)}


def test_splits_that_are_there_are_refused_by_name_when_not(tmp_path):
    images(tmp_path, *PREMADE)
    with pytest.raises(BadImages, match=r"holds test, train, valid.*`split_folders: true`") as told:
        records(tmp_path)
    assert "`split_folders: false`" in str(told.value)
    assert folder(tmp_path, split_folders=False).classes == ("test", "train", "valid")


def test_folds_are_refused_with_the_lines_to_write_which_work(tmp_path):
    images(tmp_path, *(f"fold_{f}/{c}/{k}.png" for f in range(5) for c in "ab" for k in range(2)))
    with pytest.raises(BadImages, match=r"holds fold_0, .*fold_4") as told:
        records(tmp_path)
    lines = re.search(r"split_folders: {(.*?)}", str(told.value))[1]
    asked = dict(pair.split(": ") for pair in lines.split(", "))
    given = {r.path.parts[-3]: r.given_split for r in records(tmp_path, split_folders=asked)}
    assert given == {
        **dict.fromkeys(("fold_0", "fold_1", "fold_2"), "train"),
        **{"fold_3": "val", "fold_4": "test"},
    }


def test_a_class_may_be_called_test(tmp_path):
    images(tmp_path, "test/1.png", "train/1.png", "plane/1.png")
    assert folder(tmp_path).classes == ("plane", "test", "train")
    assert len(names(tmp_path)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": "train", "tets": "test"}, r"no folder tets, .*It has: extra, test, train"),
        ({"train": "train", "test": "test"}, "holds extra: which split is that"),
        (True, "holds extra: which split is that"),
    ],
)
def test_folders_of_no_split_are_named(tmp_path, options, message):
    images(tmp_path, *(f"{s}/{c}/1.png" for s in ("train", "test", "extra") for c in "ab"))
    with pytest.raises(BadImages, match=message):
        records(tmp_path, split_folders=options)


def test_the_parent_is_below_the_class_within_a_split(tmp_path):
    images(
        tmp_path, *(f"{s}/{c}/p{k}/1.png" for s in ("train", "test") for c in "ab" for k in (1, 2))
    )
    found = groups(tmp_path, split_folders=True, group="parent")
    assert all(group == path.split("/")[2] for path, group in found.items())
    images(tmp_path, "train/a/5.png")
    with pytest.raises(BadImages, match="1 of 9 images lie directly"):
        records(tmp_path, split_folders=True, group="parent")


def test_exact_copies_belong_together(root):
    content = (root / "cat/2.png").read_bytes()
    for path in ("cat/3.png", "dog/1.png"):
        (root / path).write_bytes(content)
    found = records(root)
    first = found[0].id
    assert {str(r.path.relative_to(root)): r.group for r in found} == {
        "cat/2.png": first,
        "cat/3.png": first,
        "cat/10.png": None,
        "dog/1.png": first,
        "dog/2.png": None,
        "dog/10.png": None,
    }
