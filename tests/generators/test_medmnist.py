"""Arrays as MedMNIST keeps them come in as rows."""

import numpy as np
import pytest
from format_files import made, medmnist

from raresight.generators.base import BadImages


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
