"""What is installed is one package: beside a user's own `pipeline` and `generators`, and without
the checkout."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from imports import ROOT
from PIL import Image
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
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (libraries / "site-packages/zz_libraries.pth").write_text("\n".join(ours))
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


def commands(page: str, heading: str) -> list[str]:
    """The lines of code in a section of a page of docs/."""
    section = (ROOT / "docs" / page).read_text().split(f"# {heading}\n")[1].split("\n## ")[0]
    return [line[4:] for line in section.splitlines() if line.startswith("    ")]


def photograph(folder: Path) -> None:
    """14 diseased and 30 healthy pictures, told apart by their color."""
    rng = np.random.default_rng(0)
    for label, count, red in (("diseased", 14, 90), ("healthy", 30, 0)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 160, (40, 50, 3)) + np.array([red, 0, 0])
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{number}.png")


def test_the_page_on_ones_own_images_runs_as_it_is_written(installed, here):
    """From images to the page in three commands, to another place by DVC, and experiments."""
    photograph(here / "pictures")
    (here / "bin").mkdir()
    shim = here / "bin/dvc"  # the libraries come from elsewhere, without their commands
    shim.write_text(f'#!/bin/sh\nexec {installed} -m dvc "$@"\n')
    shim.chmod(0o755)
    who = {f"GIT_{w}_{k}": "t@t" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    path = os.pathsep.join(map(str, (installed.parent, here / "bin", os.environ["PATH"])))
    variables = {**who, "PATH": path, "HOME": str(here), "DVC_NO_ANALYTICS": "1"}
    first = commands("own-images.md", "Your own images")
    assert len(first) == 3
    run(here, "bash", "-ec", "\n".join(first), **variables)
    project = here / "scans"
    assert "<h1" in (project / "data/report/index.html").read_text()
    params = (project / "params.yaml").read_text().splitlines()
    assert len(params) == 21
    travel = commands("own-images.md", "Images travel")
    back = travel.index("dvc exp run --temp --set-param +split.seed=2 split")
    said = run(project, "bash", "-ec", "\n".join(travel[:back]), **variables)
    assert "Running stage" not in said
    assert said.rstrip().endswith("Data and pipelines are up to date.")
    elsewhere = here / "elsewhere"
    assert len([*(elsewhere / "data/raw/images").rglob("*.png")]) == 44
    assert (elsewhere / "data/report/index.html").is_file()
    said = run(elsewhere, "bash", "-ec", "\n".join(travel[back:]), **variables)
    assert said.count("Ran experiment(s)") == 2
    assert "Running stage 'generate'" not in said
