"""The curves of a training while it goes on."""

import os

import pytest

from raresight.pipeline.runtime.live import LiveCurves


def test_a_disk_that_refuses_the_curves_is_left_no_half_of_them(tmp_path, monkeypatch):
    curves = LiveCurves(tmp_path / "live", [])
    curves.update([{"epoch": 1, "val_loss": 0.5}])
    before = (tmp_path / "live/curves.tsv").read_text()

    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        curves.update([{"epoch": 1, "val_loss": 0.5}, {"epoch": 2, "val_loss": 0.4}])
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["curves.tsv"]
    assert (tmp_path / "live/curves.tsv").read_text() == before
