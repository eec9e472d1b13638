"""Room on the disk is asked for before a stage begins, and what is short is said in figures."""

import shutil
from types import SimpleNamespace

import pytest
import torch

from raresight.pipeline.core import space
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.runtime.errors import OutputError
from raresight.pipeline.stages import generate
from raresight.pipeline.training.runtime import resume


@pytest.fixture
def nearly_full(monkeypatch):
    monkeypatch.setattr(space, "free_bytes", lambda path: 1_234_567)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1.26e9, "1.3 GB"),
        (5e18, "5000.0 PB"),
    ],
)
def test_bytes_in_words(count, text):
    assert space.in_words(count) == text


def test_free_is_what_the_nearest_folder_has_that_is_there(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    assert abs(space.free_bytes(tmp_path / "not/yet/there") - free) < 0.2 * free


def test_what_has_no_room_does_not_begin_and_leaves_the_old_output(nearly_full, tmp_path):
    def write(text, needed):
        with stage_outputs(tmp_path / "out", needed=needed) as (folder,):
            (folder / "part.txt").write_text(text)

    write("whole", 1_234_567)
    with pytest.raises(OutputError, match=r"out needs about 1\.2 MB, .* 1\.2 MB free"):
        write("more", 1_234_568)
    assert (tmp_path / "out/part.txt").read_text() == "whole"


def test_a_stage_knows_what_it_will_write(project, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(space, "free_bytes", lambda path: asked.append(path) or 100)
    with pytest.raises(OutputError, match=r"generated needs about .* and its disk has 100 bytes"):
        generate.run(project / "params.yaml", tmp_path / "data")
    assert len(asked) == 1


def test_a_checkpoint_without_room_is_not_begun(nearly_full, tmp_path):
    state = {"weights": torch.zeros(400_000)}  # 1.6 MB
    with pytest.raises(OutputError, match=r"needs about 1\.6 MB"):
        resume.save(tmp_path / "kept/replicate-1", state, SimpleNamespace())
    assert not (tmp_path / "kept/replicate-1").exists()
