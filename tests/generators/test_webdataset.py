"""Tars that the library `webdataset` writes come in as rows."""

import io
import tarfile

import numpy as np
import pytest
from format_files import made, picture, png

from raresight.generators.base import BadImages


def test_a_webdataset_comes_with_classes_splits_and_columns(shards):
    found = made("webdataset", path=str(shards), columns={"group": "patient"})
    assert len(found) == 7
    for k in range(7):
        shard = ("train-000", "train-001", "test-0")[(k > 2) + (k > 4)]
        record, sample = found[f"{shard}.tar/a/s{k:03d}"]
        assert (sample.image == np.asarray(picture(k))).all()
        assert (record.label, record.group) == (str(k % 2), f"p{k // 2}")
        assert sample.given_split == shard.split("-")[0]
        assert sample.factors["age"] == 20 + k
        assert "notes" not in sample.factors


def test_what_of_a_tar_cannot_be_read_is_told(tmp_path, shards):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(shards / "test-0.tar", "t")
    with pytest.raises(BadImages, match="compressed has to be unpacked first"):
        made("webdataset", path=str(tmp_path / "x.tar.gz"))
    with tarfile.open(tmp_path / "two.tar", "w") as archive:
        for name in ("a.png", "a.jpg", "a.cls"):
            info = tarfile.TarInfo(name)
            info.size = len(png(0))
            archive.addfile(info, io.BytesIO(png(0)))
    with pytest.raises(BadImages, match=r"sample 'a' has 2 images among png, jpg, cls.*image: jpg"):
        made("webdataset", path=str(tmp_path / "two.tar"))
