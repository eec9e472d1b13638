"""The shape of the code: imports run one way, heavy libraries wait, files are short."""

import ast
import re
import subprocess
import sys

import pytest
from imports import ROOT, direct, modules
from ruamel.yaml import YAML

ROOMS = {
    *("augmentation", "splitting", "training", "evaluation", "dataset", "report"),
    *("comparison", "predictions", "tuning"),
}
HEAVY = {"torch", "torchvision", "sklearn", "albumentations", "matplotlib"}
LIGHT = {"numpy", "pandas", "scipy", "pyarrow", "pydantic", "rich", "ruamel", "cv2", "PIL", "numba"}


def room(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "generators":
        return "generators"
    return parts[1] if len(parts) > 1 else "pipeline"


def allowed(source: str, target: str) -> bool:
    if target == source or target == "pipeline":
        return True
    if source == "generators":
        return False
    if source in ("__main__", "pipeline"):
        return target in ("cli", "core")
    if source == "cli":
        return target in ("stages", "core", "terminal")
    if source == "terminal":
        return target in ROOMS | {"stages", "core"}
    if source == "stages":
        return target in ROOMS | {"core", "generators"}
    if source == "core":
        return False
    if source == "evaluation" and target == "augmentation":
        return True  # the section names the recipe's steps
    if source == "predictions" and target == "evaluation":
        return True  # a table of predictions is about a task
    if source == "comparison" and target in ("evaluation", "predictions"):
        return True  # versions are compared by the metrics that each was judged by
    if source == "tuning" and target == "training":
        return True  # it runs the beginning of a training
    if source == "report" and target == "evaluation":
        return True  # the page shows a judgement
    return target in ("core", "dataset") if source != "dataset" else target == "core"


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
        ("stages.validate", set()),
        ("stages.evaluate", set()),
        ("stages.report", set()),
        ("stages.train", {"torch", "sklearn"}),
    ],
)
def test_importing_a_stage_loads_no_library_it_does_not_need(module, needed):
    assert loaded_by(f"import raresight.pipeline.{module}") & HEAVY <= needed


def test_running_the_stages_on_pixels_loads_no_torch_and_no_sklearn(tmp_path):
    params = YAML().load(ROOT / "params.yaml")
    source = {
        "generator": "shapes",
        "role": "any",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 40, "square": 40},
    }
    params["generate"].update(image_size=8, positive=None, sources=[source])
    params["augment"]["copies"] = {"circle": 1}
    YAML().dump(params, tmp_path / "params.yaml")
    for call, needed in (
        ("generate.run(params, data, workers=1)", set()),
        ("augment.run(params, data, workers=1)", {"albumentations"}),
        ("split.run(params, data)", {"matplotlib"}),
    ):
        code = (
            f"from pathlib import Path; from raresight.pipeline.stages import {call.split('.')[0]}\n"
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
