"""Recording a CARLA stream: whole or not at all, and never over another record."""

import pytest
from program import invoke

from raresight.generators.carla.record import Replay
from raresight.pipeline.commands import carla_record
from raresight.pipeline.runtime.errors import DeviceError, OutputError

STAGED = {"server": None, "ticks": 3, "size": 16, "seed": 1, "crossing": 0.5}


@pytest.mark.engine("street")
def test_a_staged_stream_is_recorded(tmp_path):
    folder = carla_record.run(tmp_path / "raw/carla", **STAGED)
    assert len(Replay(folder)) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["carla"]
    with pytest.raises(OutputError, match="exists: remove it first"):
        carla_record.run(folder, **STAGED)


@pytest.mark.engine("street")
def test_a_recording_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(carla_record.record, "_row", fail)
    with pytest.raises(KeyboardInterrupt):
        carla_record.run(tmp_path / "carla", **STAGED)
    assert list(tmp_path.iterdir()) == []


def test_without_the_client_the_line_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("raresight.generators.base.find_spec", lambda _: None)
    with pytest.raises(DeviceError, match=r"pip install 'raresight\[carla\]'"):
        carla_record.run(tmp_path / "carla", **{**STAGED, "server": "localhost:2000"})
    assert list(tmp_path.iterdir()) == []


def test_the_command_ends_with_the_errors_code(tmp_path):
    (tmp_path / "carla").mkdir()
    result = invoke("carla-record", tmp_path / "carla", "--staged")
    assert result.exit_code == OutputError.exit_code
    assert "exists" in result.stderr


@pytest.mark.parametrize("sources", [[], ["--staged", "--server", "localhost:2000"]])
def test_a_stream_comes_from_one_place(tmp_path, sources):
    result = invoke("carla-record", tmp_path / "carla", *sources)
    assert result.exit_code == 2
    assert "either --server HOST:PORT or --staged" in result.stderr


@pytest.mark.engine("street")
def test_the_command_says_what_it_wrote(tmp_path):
    folder = tmp_path / "carla"
    result = invoke("carla-record", folder, "--staged", "--ticks", 3, "--size", 16)
    assert result.exit_code == 0, result.stderr
    assert len(Replay(folder)) == 3
    assert (result.stdout, result.stderr) == ("", f"wrote 3 ticks below {folder}\n")
