"""Masks in files beside the images of a folder, or in a folder of their own."""

import numpy as np
import pytest
from image_folders import folder, records, save
from PIL import Image
from pydantic import ValidationError

from raresight.generators.base import BadImages
from raresight.generators.folder import FolderOptions

BESIDE = "{folder}/{name}_mask.png"
APART = "../masks/{folder}/{name}.png"


@pytest.mark.parametrize("template", [BESIDE, APART])
def test_masks_are_read_and_are_no_images(tmp_path, template):
    root = tmp_path / "pictures"
    marked = np.zeros((6, 6), np.uint8)
    marked[1:3, 2:5] = 255
    for label, name in (("a", "1"), ("a", "2"), ("b", "1")):
        save(root / label / f"{name}.png", (len(label), int(name), 0))
    for label, name in (("a", "1"), ("b", "1")):
        path = root / template.format(folder=label, name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(marked).save(path)
    generator = folder(root, masks=template)
    assert generator.kept_columns == ("mask",)
    found = records(root, masks=template)
    assert [str(one.path.relative_to(root)) for one in found] == ["a/1.png", "a/2.png", "b/1.png"]
    masks = [generator.sample(one, np.random.default_rng(0)).mask for one in found]
    assert masks[0].tolist() == masks[2].tolist() == (marked // 255).tolist()
    assert masks[1] is None


def test_no_mask_at_all_is_a_mistake(root):
    with pytest.raises(BadImages, match="no image has a mask where `masks` says"):
        records(root, masks=BESIDE)


@pytest.mark.parametrize("template", ["mask.png", "{file}.png", "{name", "{name}{0}"])
def test_other_templates_are_refused(template):
    with pytest.raises(ValidationError, match=r"must have \{name\}|no template"):
        FolderOptions(path="x", masks=template)
