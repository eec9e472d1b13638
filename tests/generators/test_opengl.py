"""Whether an engine works is found out beside the stage, and an empty frame never passes."""

import numpy as np
import pytest

from raresight.generators import GENERATORS, opengl
from raresight.generators.base import Unavailable

ENGINES = {
    "conveyor": "raresight.generators.conveyor.picture",
    "street": "raresight.generators.street.engine",
}
EACH = [pytest.param(name, marks=pytest.mark.engine(name)) for name in ENGINES]


@pytest.fixture(autouse=True)
def try_anew(monkeypatch):
    monkeypatch.setattr(opengl, "_try", opengl._try.__wrapped__)


@pytest.mark.parametrize("name", EACH)
def test_a_working_engine_names_its_renderer(name):
    assert len(opengl.require(name, probe=ENGINES[name])) > 3


@pytest.mark.parametrize("name", EACH)
def test_without_opengl_the_packages_to_install_are_named(name, monkeypatch, tmp_path):
    """EGL without a driver, as on a bare machine: the vendor list is an empty folder."""
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_DIRS", str(tmp_path))
    with pytest.raises(Unavailable, match=r"apt-get install -y .* libegl1 libgl1 libgl1-mesa-dri"):
        opengl.require(name, probe=ENGINES[name])


@pytest.mark.parametrize(("name", "extra"), [("conveyor", "simulator"), ("street", "game-engine")])
def test_a_missing_library_is_named_with_the_line_that_installs_it(name, extra, monkeypatch):
    monkeypatch.setattr("raresight.generators.base.find_spec", lambda _: None)
    generator = GENERATORS[name](GENERATORS[name].options(), 16)
    with pytest.raises(Unavailable) as caught:
        generator.require()
    assert f"pip install 'raresight[{extra}]'" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os, signal\n    os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise OSError('no such display')", "no such display"),
        ("import os\n    os._exit(3)", "no message"),
    ],
)
def test_a_driver_that_dies_takes_only_the_trial_with_it(body, words, monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text(f"def probe():\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Unavailable, match=words):
        opengl.require("mine", probe="broken")


def test_a_driver_that_hangs_is_given_up(monkeypatch, tmp_path):
    (tmp_path / "slow.py").write_text("import time\ndef probe():\n    time.sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(opengl, "_PATIENCE", 0.5)
    with pytest.raises(Unavailable, match="no answer"):
        opengl.require("mine", probe="slow")


def test_blank_and_unlabelled_frames_are_refused():
    black, one_object = np.zeros((8, 8, 3), np.uint8), np.eye(8, dtype=np.uint16)
    drawn = np.tile(np.arange(0, 240, 10, dtype=np.uint8).reshape(8, 1, 3), (1, 8, 1))
    opengl.check_frame("it", drawn, one_object)
    with pytest.raises(Unavailable, match="blank"):
        opengl.check_frame("it", black, one_object)
    with pytest.raises(Unavailable, match="blank"):
        opengl.check_frame("it", black + 200, one_object)
    with pytest.raises(Unavailable, match="without a single labelled object"):
        opengl.check_frame("it", drawn, np.zeros((8, 8), np.uint16))
