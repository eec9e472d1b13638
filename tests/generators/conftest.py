import json
from pathlib import Path

import numpy as np
import pytest
from format_files import picture, segmentation
from image_folders import save
from PIL import Image


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two classes of two images each."""
    for k, label in enumerate(("cat", "dog")):
        for number in (2, 10):
            save(tmp_path / "raw" / label / f"{number}.png", (40 * k, number, 0))
    return tmp_path / "raw"


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
