"""The augment stage: which copies it makes, what they carry, and that nothing else moves them."""

import json
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.core.files import manifest_problems
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset import Dataset, schema
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError
from raresight.pipeline.stages import augment

FLIPS = [{"name": "HorizontalFlip", "p": 0.5}, {"name": "VerticalFlip", "p": 0.5}]
GAIN = [{"name": "RandomBrightnessContrast", "p": 0.8}]
# Moves the image, 16 pixels wide, to the right, so that the label in columns 6 to 9 is always lost.
LOSE = [{"name": "Affine", "p": 1.0, "translate_px": {"x": [10, 14], "y": [0, 0]}}]


@pytest.fixture
def params_file(tmp_path):
    def write(**changes) -> Path:
        section = {
            "seed": 3,
            "copies": {"rare": 2},
            "min_label_share": 0.5,
            "max_tries": 3,
            "spatial": FLIPS,
            "pixel": GAIN,
        }
        path = tmp_path / "params.yaml"
        YAML().dump({"augment": section | changes}, path)
        return path

    return write


@pytest.fixture
def mixed(write_generated, part):
    """Three common and two rare originals, the rare ones with a mask."""
    labels = ["common", "rare", "common", "rare", "common"]
    return write_generated(part(name="a", labels=labels, masked=["rare"]))


def report(data: Path) -> dict:
    return json.loads((data / "augmented" / "report.json").read_text())


def shard_bytes(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data / "augmented").glob("*.arrow")}


def by_id(dataset: Dataset) -> dict[str, bytes]:
    return {id: dataset.images[row].tobytes() for row, id in enumerate(dataset.ids)}


def test_copies_are_named_after_their_source_and_carry_what_it_carries(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    originals, copies = Dataset(mixed / "generated"), Dataset(mixed / "augmented")
    assert copies.ids.tolist() == ["a-0001+1", "a-0001+2", "a-0003+1", "a-0003+2"]
    assert copies.source_ids.tolist() == ["a-0001", "a-0001", "a-0003", "a-0003"]
    assert copies.variants.tolist() == [1, 2, 1, 2]
    assert set(copies.labels) == set(copies.true_labels) == {"rare"}
    assert set(copies.origins) == {"synthetic"}
    assert copies.factors["size"].tolist() == [1, 1, 3, 3]
    assert copies.factors["tint"].tolist() == ["red"] * 4
    assert copies.classes == originals.classes
    assert manifest_problems(mixed / "augmented") == []


def test_a_flipped_copy_is_its_original_mirrored_and_so_is_its_mask(
    write_generated, part, params_file
):
    def off_centre(rows):
        rows.columns["mask"][:] = 0
        rows.columns["mask"][:, 2:5, 1:9] = 1
        return rows

    data = write_generated(part(name="a", labels=["rare"] * 3, masked=["rare"]), edit=off_centre)
    always = [{"name": "HorizontalFlip", "p": 1.0}]
    augment.run(params_file(spatial=always, pixel=[], copies={"rare": 1}), data, workers=1)
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    assert np.array_equal(copies.images[:], originals.images[:][:, :, ::-1])
    assert np.array_equal(copies.masks[:], originals.masks[:][:, :, ::-1])


def test_same_bytes_for_one_and_two_workers(mixed, params_file, monkeypatch):
    monkeypatch.setattr(schema, "SHARD_BYTES", 3 * 16 * 16 * 4)
    spatial = [*FLIPS, {"name": "Affine", "p": 0.7, "rotate": [-90, 90]}]
    file = params_file(spatial=spatial)
    augment.run(file, mixed, workers=1)
    alone = shard_bytes(mixed)
    augment.run(file, mixed, workers=2)
    assert len(alone) == 2
    assert shard_bytes(mixed) == alone


def test_more_copies_change_no_earlier_copy(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    fewer = by_id(Dataset(mixed / "augmented"))
    augment.run(params_file(copies={"rare": 5, "common": 1}), mixed, workers=1)
    more = by_id(Dataset(mixed / "augmented"))
    assert len(more) == 2 * 5 + 3
    assert fewer.items() <= more.items()


def test_more_originals_change_no_earlier_copy_and_no_full_shard(
    write_generated, part, params_file, monkeypatch
):
    monkeypatch.setattr(schema, "SHARD_BYTES", 3 * 16 * 16 * 4)  # three rows a shard
    file = params_file(copies={"rare": 2})
    data = write_generated(part(name="a", labels=["rare"] * 4, masked=["rare"]))
    augment.run(file, data, workers=1)
    before, small = by_id(Dataset(data / "augmented")), shard_bytes(data)
    write_generated(part(name="a", labels=["rare"] * 7, masked=["rare"]))
    augment.run(file, data, workers=1)
    after, large = by_id(Dataset(data / "augmented")), shard_bytes(data)
    assert [len(small), len(large)] == [3, 5]  # 8 and 14 copies
    assert before.items() <= after.items()
    assert [large[name] == small[name] for name in sorted(small)] == [True, True, False]


def test_another_seed_gives_other_copies(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    first = by_id(Dataset(mixed / "augmented"))
    augment.run(params_file(seed=4), mixed, workers=1)
    assert by_id(Dataset(mixed / "augmented")) != first


def test_copies_that_lose_their_label_are_drawn_again_dropped_and_counted(mixed, params_file):
    augment.run(params_file(spatial=LOSE, copies={"rare": 2, "common": 1}), mixed, workers=1)
    assert report(mixed)["copies"] == {
        "rare": {"asked": 4, "made": 0, "redrawn": 8, "dropped": 4, "unchecked": 0},
        # No mask says what there is to lose.
        "common": {"asked": 3, "made": 3, "redrawn": 0, "dropped": 0, "unchecked": 3},
    }
    assert report(mixed)["violations"]["Affine"] == {"originals": 2, "below": 2, "rate": 1.0}
    assert set(Dataset(mixed / "augmented").labels) == {"common"}


def test_safe_transforms_have_a_violation_rate_of_zero(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    assert report(mixed)["violations"] == {
        "HorizontalFlip": {"originals": 2, "below": 0, "rate": 0.0},
        "VerticalFlip": {"originals": 2, "below": 0, "rate": 0.0},
    }


def test_without_masks_nothing_is_checked_which_is_said(write_generated, part, params_file, capsys):
    data = write_generated(part(name="a", labels=["rare"] * 2, masked=None))
    augment.run(params_file(spatial=LOSE), data, workers=1)
    assert (
        "augment.min_label_share: a: no masks, so no copy can be checked" in capsys.readouterr().err
    )
    assert report(data)["copies"]["rare"]["unchecked"] == 4
    assert report(data)["violations"]["Affine"] == {"originals": 0, "below": 0, "rate": None}
    assert len(Dataset(data / "augmented")) == 4
    assert Dataset(data / "augmented").masks is None


@pytest.mark.parametrize("changes", [{}, {"spatial": LOSE, "min_label_share": 0.0}])
def test_nothing_is_said_where_nothing_can_be_lost_or_nothing_was_asked(
    write_generated, part, params_file, capsys, changes
):
    data = write_generated(part(name="a", labels=["rare"] * 2, masked=None))
    augment.run(params_file(**changes), data, workers=1)
    assert not capsys.readouterr().err
    assert report(data)["copies"]["rare"]["unchecked"] == 0


def test_the_recipe_is_kept_beside_the_copies(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    assert AugmentParams.model_validate(report(mixed)["recipe"]) == load_section(
        params_file(), "augment", AugmentParams
    )


def test_copies_of_a_source_without_masks_have_none_beside_one_that_has(
    write_generated, part, params_file
):
    parts = [
        part(name="drawn", labels=["rare"], masked=["rare"], splits=["train", "val"]),
        part(name="photo", labels=["rare"], masked=None, origin="real"),
    ]
    data = write_generated(*parts)
    augment.run(params_file(copies={"rare": 1}), data, workers=1)
    copies = Dataset(data / "augmented")
    assert copies.has_mask.tolist() == [True, False]
    assert copies.origins.tolist() == ["synthetic", "real"]


def test_test_only_sources_get_no_copies(write_generated, part, params_file):
    parts = [
        part(name="drawn", labels=["rare"] * 2),
        part(name="real", labels=["rare"] * 2, splits=["test"]),
    ]
    data = write_generated(*parts)
    augment.run(params_file(), data, workers=1)
    assert set(Dataset(data / "augmented").source_names) == {"drawn"}
    assert report(data)["copies"]["rare"]["asked"] == 4


@pytest.mark.parametrize("copies", [{}, {"rare": 0}])
def test_no_copies_are_an_empty_dataset_that_can_be_read(mixed, params_file, copies):
    augment.run(params_file(copies=copies), mixed, workers=1)
    empty = Dataset(mixed / "augmented")
    assert len(empty) == len(empty.images) == len(empty.masks) == 0
    assert empty.images[:].shape == (0, 16, 16, 3)
    assert np.asarray(empty.masks).shape == (0, 16, 16)
    for column in (
        "ids",
        "source_ids",
        "groups",
        "labels",
        "true_labels",
        "origins",
        "given_splits",
        "variants",
    ):
        assert getattr(empty, column).shape == (0,), column
    assert empty.targets.shape == empty.has_mask.shape == (0,)
    assert list(empty.factors.columns) == ["size", "tint"]
    assert len(empty.frame()) == 0
    assert len(empty.torch()) == 0
    assert manifest_problems(mixed / "augmented") == []


def test_an_unknown_class_names_the_nearest(mixed, params_file):
    with pytest.raises(ParamsError, match=r"augment\.copies: no class 'rar'\. Did you mean 'rare'"):
        augment.run(params_file(copies={"rar": 1}), mixed, workers=1)


def test_all_bad_steps_are_named_and_earlier_copies_stay(mixed, params_file):
    augment.run(params_file(), mixed, workers=1)
    before = shard_bytes(mixed)
    bad = {
        "spatial": [{"name": "HorizontlFlip", "p": 1.0}],
        "pixel": [{"name": "Rotate", "p": 1.0}],
    }
    with pytest.raises(ParamsError) as caught:
        augment.run(params_file(**bad), mixed, workers=1)
    assert "augment.spatial[0].name: unknown transform 'HorizontlFlip'" in str(caught.value)
    assert "augment.pixel[0].name: 'Rotate' is a spatial transform" in str(caught.value)
    assert shard_bytes(mixed) == before


def test_a_transform_that_fits_other_images_only_is_refused(mixed, params_file):
    crop = [{"name": "RandomCrop", "p": 0.01, "height": 12, "width": 12}]
    with pytest.raises(ParamsError, match=r"augment\.spatial\[0\].*\(16, 16, 3\).*\(12, 12, 3\)"):
        augment.run(params_file(spatial=crop), mixed, workers=1)


def test_missing_and_damaged_input(tmp_path, mixed, params_file):
    with pytest.raises(InputMissing, match="raresight generate"):
        augment.run(params_file(), tmp_path / "elsewhere", workers=1)
    shard = mixed / "generated" / "part-00000.arrow"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(DataError, match="part-00000"):
        augment.run(params_file(), mixed, workers=1)
