"""The page's section of made images, and the sheet of each beside its nearest training image."""

import json
import shutil
from dataclasses import replace

import numpy as np
from PIL import Image

from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import Rows
from raresight.pipeline.dataset.writer import shard_name, write_shard
from raresight.pipeline.stages import report


def write_made(folder, data, rows):
    """Images made of ``rows``: the same, mirrored."""
    known = data.description
    description = replace(known, shards=(), columns=(), factors={})
    made = Rows(
        ids=[f"{id}~1" for id in data.ids[rows]],
        source_ids=data.ids[rows].tolist(),
        groups=data.groups[rows].tolist(),
        origin="generated",
        labels=data.labels[rows].tolist(),
        true_labels=data.labels[rows].tolist(),
        variants=[1] * len(rows),
        images=np.stack([data.images[row][:, ::-1] for row in rows]),
        columns={},
        factors={},
    )
    name = known.sources[0]["name"]
    shard = write_shard(folder / shard_name(0), made, description, source=name)
    replace(description, shards=(shard,)).write(folder)


def test_the_page_shows_what_was_made_and_how_near_it_is_to_what_there_was(rare, tmp_path):
    assert 'id="enlarging"' not in rare.page.read_text()
    shutil.copytree(rare.data, tmp_path / "data")
    data = Dataset(rare.data / "generated")
    label = str(data.positive)
    rows = np.flatnonzero(data.labels == label)[:14]
    nearest = [
        {"id": f"{id}~1", "training": str(id), "times_usual": 0.2 + number / 10}
        for number, id in enumerate(data.ids[rows].tolist())
    ]
    nearest.append({"id": "not kept~2", "training": str(data.ids[rows[0]]), "times_usual": 9.0})
    copies = {"memorized": 0.8, "coverage": 0.9, "coverage_of_real": 0.9, "recall": 0.5}
    found = {
        "asked": 20, "made": 16, "held_out": 40, "visible": 1.0, "told_apart": 0.6, "seam": 0.55,
        "neighbors": copies, "nearest": nearest,
    }  # fmt: skip
    gain = {"mean": 0.034, "low": 0.012, "high": 0.056}
    sweep = {
        "tried": [
            {"each": 0, "average_precision": [0.5, 0.6], "gain": None},
            {"each": 1, "average_precision": [0.55, 0.618], "gain": gain},
        ],
        "chosen": 1, "best": 1, "judged_by": 40,
        "worth": {"made": 14, "real": 7.0, "low": 1.0, "high": 12.0, "more": False},
    }  # fmt: skip
    told = {"splits": "-", "classes": {label: found}, "elsewhere": [], "sweep": sweep}
    with stage_outputs(tmp_path / "data/enlarged") as (folder,):
        write_made(folder, data, rows)
        (folder / "report.json").write_text(json.dumps(told))
    page = report.run(rare.params, tmp_path / "data").read_text()
    start = page.index('<section id="enlarging"')
    section = page[start : page.index("</section>", start)]
    assert "14 made images were learned from" in section
    assert "Chosen: 1 made images of each real one: +0.034" in section
    assert "0.550" in section
    assert "one made image was worth 0.50 real ones" in section
    assert "<b>80% lie nearer to a training image" in section
    assert section.count("of the usual distance") == 12
    assert "16 of 20 images" in section
    with Image.open(tmp_path / "data/report/figures/enlarged.png") as sheet:
        size, pixels = sheet.size, np.asarray(sheet)
    # Left and right of a pair are each other's mirror image here.
    tile, top = 128, 92
    left, right = pixels[top : top + tile, 28:156], pixels[top : top + tile, 160:288]
    if data.masks is None:
        assert (left == right[:, ::-1]).mean() > 0.95
    assert left.std() > 0
    shutil.copytree(rare.data, tmp_path / "none")
    report.run(rare.params, tmp_path / "none")
    with Image.open(tmp_path / "none/report/figures/enlarged.png") as sheet:
        assert sheet.size[1] < size[1]
