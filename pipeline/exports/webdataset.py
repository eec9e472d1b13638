"""Tar files as webdataset reads them: a few files an image, whose names begin alike."""

import io
import json
import tarfile
from itertools import islice
from pathlib import Path

import numpy as np

from raresight.pipeline.core.files import write_json
from raresight.pipeline.exports.source import Row, Source

TAR_BYTES = 256 << 20  # of raw pixels a tar


def write(source: Source, folder: Path) -> None:
    """``SPLIT-000000.tar`` and so on: of each image NNN.png, NNN.cls, NNN.json, NNN.mask.png.

    The key is a running number: a dot in an id would cut it. ``classes.json`` lists the classes, in
    the order of the numbers in ``cls``.
    """
    write_json(folder / "classes.json", list(source.classes))
    rows_per_tar = max(1, TAR_BYTES // int(np.prod(source.originals.image_shape)))
    for split in source.places:
        rows = source.rows(split)
        for number in range(-(-source.images(split) // rows_per_tar)):
            path = folder / f"{split}-{number:06d}.tar"
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for place, row in enumerate(islice(rows, rows_per_tar)):
                    key = f"{number * rows_per_tar + place:09d}"
                    for suffix, content in _files(row).items():
                        _add(tar, f"{key}.{suffix}", content)


def _files(row: Row) -> dict[str, bytes]:
    boxes = {} if row.boxes is None else {"boxes": row.boxes.tolist()}
    facts = json.dumps(row.facts() | boxes, ensure_ascii=False, sort_keys=True)
    files = {"png": row.png, "cls": str(row.target).encode(), "json": facts.encode()}
    return files if row.mask_png is None else files | {"mask.png": row.mask_png}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A file without owner or time, so that the same content has the same bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
