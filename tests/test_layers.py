"""The shape of the code: imports run one way, heavy libraries wait, files are short."""

import ast
import inspect
import re
import subprocess
import sys

import pytest
from full_params import full_params
from imports import ROOT, closure, direct, modules
from ruamel.yaml import YAML

from raresight.pipeline.runtime import errors
from raresight.pipeline.stages.table import STAGES

HEAVY = {"torch", "torchvision", "sklearn", "albumentations", "matplotlib"}
LIGHT = {"numpy", "pandas", "scipy", "pyarrow", "pydantic", "rich", "ruamel", "cv2", "PIL", "numba"}

BASE = {"core", "runtime"}
DATA = {*BASE, "dataset"}
# What each room may import, besides itself. `pipeline` is the package's own file, with the version.
ROOMS = {
    "runtime": set(),
    "core": {"runtime"},
    "dataset": BASE,
    "generation": {*DATA, "generators"},
    "augmentation": DATA,
    "splitting": DATA,
    "domains": DATA,
    "models": DATA,
    # It trains without each part of the training images in turn, and asks about that part.
    "cleaning": {*DATA, "splitting", "models", "training"},
    # It fits a generator, and chooses how many by short trainings.
    "enlarging": {*DATA, "cleaning", "models", "training", "sweeps"},
    "training": {*DATA, "splitting", "models", "wording"},  # it says where it resumes, or diverged
    "sweeps": {*DATA, "models", "training"},  # it runs short trainings
    "tuning": {*DATA, "models", "training"},  # it runs the beginning of a training
    # The section names the recipe's steps; the stage's inputs are split images and a model.
    "evaluation": {*DATA, "augmentation", "splitting", "models"},
    # New images are read as training images are, and answered as the evaluation decided.
    "prediction": {*DATA, "generators", "models", "evaluation"},
    "exports": {*DATA, "splitting"},  # images with their splits, for other programs
    "comparison": {*DATA, "evaluation"},  # versions are compared by the metrics of each
    "wording": {*BASE, "evaluation", "comparison"},
    # The page shows a judgement, or two of them compared.
    "report": {*DATA, "splitting", "cleaning", "enlarging", "evaluation", "comparison", "wording"},
    "doctor": {*BASE, "generation", "generators", "models"},  # what these keep, draw with, run on
    "cards": {*DATA, "evaluation", "wording"},  # what a model or a dataset is, for the hub
}
EVERY = {*ROOMS, "generators"}
ROOMS |= {
    "generators": set(),
    "stages": EVERY,
    "project": {*BASE, "stages"},
    "commands": {*EVERY, "stages", "project"},
    "terminal": {*EVERY - {"report"}, "stages", "commands"},
    "cli": {"stages", "project", "commands", "terminal", *BASE},
    "pipeline": {"cli", *BASE},
    # The public face.
    "raresight": {*EVERY, "stages", "commands", "terminal", "pipeline", "cli"},
}


def room(name: str) -> str:
    """The room of a module: a folder of ``pipeline/``, or what lies beside them."""
    parts = name.split(".")[1:]
    if not parts or parts[0] not in ("pipeline", "generators"):
        return "raresight"
    return parts[1] if parts[0] == "pipeline" and len(parts) > 1 else parts[0]


def allowed(source: str, target: str) -> bool:
    return target in {source, "pipeline", "raresight"} or target in ROOMS[source]


def test_every_room_has_its_line_in_the_table():
    assert {room(name) for name in modules()} == set(ROOMS)


@pytest.mark.parametrize("name", sorted({*ROOMS} - {"pipeline", "generators", "raresight"}))
def test_every_room_is_in_the_house_of_contributing(name):
    assert f"    pipeline/{name}/ " in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_run_one_way(name):
    wrong = {target for target in direct(name) if not allowed(room(name), room(target))}
    assert not wrong


def test_no_import_circles():
    graph = {name: {t for t in direct(name) if not name.startswith(f"{t}.")} for name in modules()}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            path.append(name)
            for target in graph[name]:
                if modules()[target].name != "__init__.py":
                    visit(target)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


# What the stages' code may take from the room that dvc.yaml leaves out: errors and their texts,
# bars that pass on what they count, processes and clusters that pass on what was computed.
HARMLESS = {
    *(name for name, value in vars(errors).items() if inspect.isclass(value)),
    "suggest",
    "listing",
    "track",
    "bar",
    "say",
    "rate_column",
    "start_worker",
    "stop_when_it_suits",
    "map_on_ray",
    "flush",
    "c_function",
    "WINDOWS",
    # curves of a training that runs, in a file that is no output
    *("LiveCurves", "require_loggers", "FOLDER"),
}


def test_what_a_stage_takes_from_runtime_is_known_to_decide_no_byte():
    files = set().union(*(closure(f"raresight.pipeline.stages.{name}") for name in STAGES))
    used = set()
    for path in files:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Import):
                assert not any("pipeline.runtime" in alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and "pipeline.runtime" in (node.module or ""):
                used |= {alias.name for alias in node.names}
    assert used <= HARMLESS


def test_click_is_imported_by_the_command_line_alone():
    uses = re.compile(r"^\s*(import|from) click\b", re.MULTILINE)
    users = [name for name, path in modules().items() if uses.search(path.read_text())]
    assert {room(name) for name in users} == {"cli"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_files_are_short(name):
    assert len(modules()[name].read_text().splitlines()) <= 300


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules a fresh interpreter holds after running ``code``."""
    script = f"import sys\n{code}\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split("LOADED ")[1].split()}


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("cli", set()),
        ("stages.generate", set()),
        ("stages.augment", set()),
        ("stages.split", set()),
        ("stages.clean", set()),
        ("stages.enlarge", set()),
        ("commands.validate", set()),
        ("stages.evaluate", set()),
        ("stages.report", set()),
        ("stages.train", {"torch", "sklearn"}),
    ],
)
def test_importing_a_stage_loads_no_library_it_does_not_need(module, needed):
    assert loaded_by(f"import raresight.pipeline.{module}") & HEAVY <= needed


def test_running_the_stages_on_pixels_loads_no_torch_and_no_sklearn(tmp_path):
    params = full_params()
    source = {
        "generator": "shapes",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 40, "square": 40},
    }
    params["generate"].update(image_size=8, positive=None, sources=[source])
    params["augment"]["copies"] = {"circle": 1}
    YAML().dump(params, tmp_path / "params.yaml")
    for call, needed in (
        ("generate.run(params, data, workers=1)", set()),
        ("augment.run(params, data, workers=1)", {"albumentations"}),
        ("split.run(params, data)", set()),
        ("clean.run(params, data)", set()),
    ):
        code = (
            "from pathlib import Path\n"
            f"from raresight.pipeline.stages import {call.split('.')[0]}\n"
            f"folder = Path({str(tmp_path)!r})\n"
            f"params, data = folder / 'params.yaml', folder / 'data'\n{call}"
        )
        assert loaded_by(code) & HEAVY <= needed


def test_help_is_instant_because_it_loads_nothing():
    loaded = loaded_by(
        "from raresight.pipeline.cli import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit as end: assert not end.code"
    )
    assert "click" in loaded
    assert not loaded & (HEAVY | LIGHT)


# Functions of the global generators; classes, which hold a state of their own, have capitals.
GLOBAL_RANDOMNESS = re.compile(r"(np\.random|numpy\.random|random)\.[a-z]")


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_global_randomness(name):
    tree = ast.parse(modules()[name].read_text())
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {call for call in calls if GLOBAL_RANDOMNESS.match(call)}
    if "torch.manual_seed" in calls:
        assert "torch.random.fork_rng" in calls
