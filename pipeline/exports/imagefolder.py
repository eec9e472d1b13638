"""A folder a split, in it a folder a class, in it PNG files: torchvision's ImageFolder."""

import csv
from pathlib import Path

from raresight.pipeline.dataset.schema import FACTOR
from raresight.pipeline.exports.names import file_name, folder_name
from raresight.pipeline.exports.source import Source

# Hugging Face takes labels from a metadata.csv if there is one, and from the folders if not.
TABLE = "images.csv"


def write(source: Source, folder: Path) -> None:
    """``SPLIT/CLASS/ID.png``, and ``images.csv`` with all else that is known of each image."""
    factors = [f"{FACTOR}{name}" for name in source.originals.description.factors]
    header = ["file", "split", "label", "id", "source_id", "group", "origin", *factors]
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, header, lineterminator="\n")
        table.writeheader()
        for split in source.places:
            for label in source.classes:
                (folder / split / folder_name(label)).mkdir(parents=True, exist_ok=True)
            for row in source.rows(split):
                path = f"{split}/{folder_name(row.label)}/{file_name(row.id)}.png"
                (folder / path).write_bytes(row.png)
                table.writerow({"file": path, "split": split} | row.facts())
