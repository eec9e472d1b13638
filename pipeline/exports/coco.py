"""COCO: PNG files and a JSON a split, with boxes and masks of the objects that carry the label."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core.files import write_json
from raresight.pipeline.exports.names import file_name
from raresight.pipeline.exports.source import Row, Source

Object = tuple[np.ndarray | None, list[float]]  # its pixels bool (H, W), and x, y, width, height


def write(source: Source, folder: Path) -> None:
    """``SPLIT/ID.png`` and ``annotations/instances_SPLIT.json``.

    Categories are the classes, from 1 up. An image has ``category_id`` and the rest of what is
    known, since one without an object has no annotation.
    """
    (folder / "annotations").mkdir()
    categories = [{"id": k, "name": label} for k, label in enumerate(source.classes, 1)]
    for split in source.places:
        (folder / split).mkdir()
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number, row in enumerate(source.rows(split), 1):
            name = f"{file_name(row.id)}.png"
            (folder / split / name).write_bytes(row.png)
            height, width = row.image.shape[:2]
            images.append(
                {"id": number, "file_name": name, "width": width, "height": height}
                | {"category_id": row.target + 1, "raresight": row.facts()}
            )
            for pixels, box in objects(row):
                annotations.append(
                    {"id": len(annotations) + 1, "image_id": number}
                    | {"category_id": row.target + 1, "iscrowd": 0, "bbox": box}
                    | _area(pixels, box)
                )
        document = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / "annotations" / f"instances_{split}.json", document)


def objects(row: Row) -> Iterator[Object]:
    """The objects that carry the label.

    Each object's own pixels where ``instances`` tells them apart; else a box each, with what of the
    mask lies in it; else the mask as one.
    """
    mask = None if row.mask is None else row.mask > 0
    if mask is not None and row.instances is not None:
        for number in np.unique(row.instances[mask & (row.instances > 0)]):
            pixels = mask & (row.instances == number)
            yield pixels, _around(pixels)
    elif row.boxes is not None and len(row.boxes):
        for box in row.boxes.tolist():
            yield None if mask is None else mask & _inside(box, mask.shape), box
    elif mask is not None and mask.any():
        yield mask, _around(mask)


def run_lengths(pixels: np.ndarray) -> list[int]:
    """The lengths of the runs of pixels, bool (H, W), down the columns, of False first.

    COCO's uncompressed code, which pycocotools reads as it reads the compressed one.
    """
    flat = pixels.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *changes.tolist(), len(flat)]).tolist()
    return [0, *lengths] if flat[:1].any() else lengths


def _area(pixels: np.ndarray | None, box: list[float]) -> dict[str, Any]:
    if pixels is None:
        return {"area": box[2] * box[3]}
    size = list(pixels.shape)
    counts = {"size": size, "counts": run_lengths(pixels)}
    return {"area": int(pixels.sum()), "segmentation": counts}


def _around(pixels: np.ndarray) -> list[float]:
    """The box around pixels, bool (H, W): x, y, width, height."""
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


def _inside(box: list[float], shape: tuple[int, ...]) -> np.ndarray:
    """Which pixels lie in a box, in part at least: bool (H, W)."""
    x, y, width, height = box
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
    across = (columns + 1 > x) & (columns < x + width)
    return np.asarray((rows + 1 > y) & (rows < y + height) & across)
