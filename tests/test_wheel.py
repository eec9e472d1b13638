"""What is installed is one package: beside a user's own `pipeline` and `generators`, and without
the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from image_folders import save
from imports import ROOT
from program import write_params

MINE = "raise ImportError('the user has packages of these names, too')\n"
DOTS = """
import numpy as np
from raresight.generators.base import Generator, Options, Record, Sample


class Dots(Generator):
    summary = "a dot, or none"
    options = Options
    classes = ("dot", "none")
    prevalence = {"dot": 0.5, "none": 0.5}

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        image = np.zeros((self.image_size, self.image_size, 3), np.uint8)
        if record.label == "dot":
            image[tuple(rng.integers(0, self.image_size, 2))] = 255
        return Sample(image=image, label=record.label)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The Python of an environment that holds the wheel and, from here, the libraries it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    source = folder / "source"  # building leaves files beside what it builds from
    copied = "git ls-files -z --cached --others --exclude-standard | xargs -0 cp -P --parents -t"
    source.mkdir()
    subprocess.run(f"{copied} {source}", shell=True, cwd=ROOT, check=True)
    subprocess.run([*build, "-w", folder, source], check=True)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    (wheel,) = folder.glob("raresight-*.whl")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet"]
    subprocess.run([*install, wheel], check=True)
    libraries = python.parents[1] / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    (libraries / "site-packages/zz_libraries.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def here(tmp_path) -> Path:
    """A folder of the user's, with packages of the names that ours have in the repository."""
    for name in ("pipeline", "generators"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(MINE)
    (tmp_path / "mine.py").write_text(DOTS)
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[raresight.generators]\ndots = mine:Dots\n")
    return tmp_path


def run(here: Path, *command, **variables) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)],
        cwd=here,
        env={**kept, "PYTHONPATH": str(here), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_imported_from_where_it_was_installed(installed, here):
    where = run(here, installed, "-c", "import raresight.pipeline as p; print(p.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parents[1])
    names = "import raresight\nfor name in raresight.__all__: getattr(raresight, name)"
    run(here, installed, "-c", names)


def test_the_wheel_has_one_top_level_package(installed, here):
    files = "from importlib.metadata import files; print(*{p.parts[0] for p in files('raresight')})"
    found = set(run(here, installed, "-c", files).split())
    assert {name for name in found if not name.startswith(("raresight-", ".."))} == {"raresight"}


def test_command_module_workers_and_a_generator_of_the_users(installed, here):
    command = installed.with_name("raresight")
    assert run(here, command, "--version") == run(here, installed, "-m", "raresight", "--version")
    source = {"generator": "dots", "counts": {"dot": 40, "none": 40}}
    write_params(here / "params.yaml", sources=[source])
    run(here, command, "generate", "--workers", 2)
    summary = run(here, command, "--json", "inspect", "data/generated")
    assert '"rows": 80' in summary


def test_a_project_is_made_and_its_stages_run_by_dvc(installed, here):
    command = installed.with_name("raresight")
    for label, count in (("ill", 12), ("well", 24)):
        for number in range(count):
            color = (number * 5, number * 7 % 256, 200 if label == "ill" else 20)
            save(here / "photos" / label / f"{number}.png", color, size=(32, 32))
    run(here, command, "init", "study", "--images", "photos")
    kept = {"PATH": f"{installed.parent}{os.pathsep}{os.environ['PATH']}"}
    run(here / "study", installed, "-m", "dvc", "--quiet", "repro", "split", **kept)
    splits = run(here / "study", command, "--json", "verify")
    assert "data/splits" in splits
    assert (here / "study" / "dvc.lock").is_file()
