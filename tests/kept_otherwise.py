"""The same images as other programs keep them, for the generators that read those."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet


def keep_otherwise(folder: Path, images: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Keep an image of each class, all of one size, in every way; the options of each generator.

    ``images`` are files below ``folder``.
    """
    files, labels = list(images.values()), list(images)
    contents = [file.read_bytes() for file in files]
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    numbers = np.arange(len(files))
    np.savez(folder / "set.npz", train_images=pixels, train_labels=numbers[:, None])
    table = pa.table({"image": contents, "label": labels, "site": [f"s{k}" for k in numbers]})
    parquet.write_table(table, folder / "t.parquet")
    _write_tar(folder / "t.tar", contents)
    height, width = pixels.shape[1:3]
    document = {
        "images": [
            {"id": k, "file_name": str(file.relative_to(folder)), "width": width, "height": height}
            for k, file in enumerate(files)
        ],
        "annotations": [
            {"id": k, "image_id": k, "category_id": k, "bbox": [3 * k, 2, width / 2, height / 2]}
            for k in range(len(files))
        ],
        "categories": [{"id": k, "name": label} for k, label in enumerate(labels)],
    }
    (folder / "coco.json").write_text(json.dumps(document))
    return {
        "medmnist": {"path": str(folder / "set.npz")},
        "huggingface": {"path": str(folder / "t.parquet")},
        "webdataset": {"path": str(folder / "t.tar")},
        "coco": {"path": str(folder / "coco.json"), "take": "boxes"},
    }


def _write_tar(path: Path, contents: list[bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for k, content in enumerate(contents):
            for name, text in ((f"{k}.png", content), (f"{k}.cls", b"%d" % k)):
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text))
