"""Whatever program kept the images: the stage writes the same bytes for any number of workers."""

import json
from pathlib import Path

import pyarrow as pa
from format_files import SIDE, medmnist, png
from pyarrow import parquet

from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages import generate


def sources(tmp_path: Path, shards: Path, coco: Path) -> list[dict]:
    medmnist(tmp_path / "set.npz")
    parquet.write_table(
        pa.table({"image": [png(k) for k in range(9)], "label": list("abcabcabc")}),
        tmp_path / "t.parquet",
        row_group_size=2,
    )
    paths = {"path": str(coco / "instances.json"), "images": str(coco / "pictures")}
    return [
        {"generator": "medmnist", "options": {"path": str(tmp_path / "set.npz")}},
        {"generator": "huggingface", "options": {"path": str(tmp_path / "t.parquet")}},
        {"generator": "webdataset", "options": {"path": str(shards)}},
        {"generator": "coco", "options": {**paths, "take": "boxes"}},
    ]


def test_the_stage_writes_the_same_bytes_in_one_process_and_in_two(
    tmp_path, shards, coco, monkeypatch
):
    from raresight.pipeline.dataset import schema

    monkeypatch.setattr(schema, "SHARD_BYTES", 20 * SIDE * 20 * 3)
    params = tmp_path / "params.yaml"
    section = {"image_size": [SIDE, 20], "positive": None}
    section["sources"] = sources(tmp_path, shards, coco)
    params.write_text(json.dumps({"generate": section}))
    hashes = []
    for workers in (1, 2):
        dataset = Dataset(generate.run(params, tmp_path / f"data{workers}", workers=workers))
        assert dataset.image_shape == (SIDE, 20, 3)
        assert len(dataset) == 84 + 9 + 7 + 3
        hashes.append([shard.sha256 for shard in dataset.description.shards])
        assert sha256(dataset.folder / dataset.description.shards[0].file) == hashes[-1][0]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 5 + 1 + 1 + 1  # of 20 images at most
