"""The formats that a dataset is exported in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raresight.pipeline.exports import coco, imagefolder, parquet, webdataset
from raresight.pipeline.exports.source import Source


@dataclass(frozen=True, kw_only=True)
class Format:
    """``write`` fills an empty folder; ``opened_by`` says who reads it, and how, for the card, and
    ``front_matter`` what the hub needs to know of the files.
    """

    write: Callable[[Source, Path], None]
    opened_by: str
    front_matter: Callable[[Source], Mapping[str, Any]] = lambda source: {}


FORMATS: Mapping[str, Format] = {
    "imagefolder": Format(
        write=imagefolder.write,
        opened_by='torchvision: `torchvision.datasets.ImageFolder("DIR/train")`; Hugging Face: '
        '`datasets.load_dataset("imagefolder", data_dir="DIR")`',
    ),
    "parquet": Format(
        write=parquet.write,
        front_matter=parquet.front_matter,
        opened_by='Hugging Face: `datasets.load_dataset("DIR")`; pandas, polars and DuckDB: '
        "`DIR/data/*.parquet`",
    ),
    "webdataset": Format(
        write=webdataset.write,
        opened_by='webdataset: `webdataset.WebDataset("DIR/train-000000.tar").decode("rgb8")'
        '.to_tuple("png", "cls")`',
    ),
    "coco": Format(
        write=coco.write,
        opened_by="pycocotools: `pycocotools.coco.COCO("
        '"DIR/annotations/instances_train.json")`; images in `DIR/train`',
    ),
}
