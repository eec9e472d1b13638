"""The shape of the code: imports run one way, heavy libraries only where needed, files stay
short.
"""

import ast
import subprocess
import sys

import pytest
from imports import ROOT, direct, modules

ROOMS = {"augmentation", "splitting", "training", "evaluation", "dataset"}
HEAVY = {"torch", "torchvision", "sklearn", "albumentations", "pandas"}


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
        return target in ("stages", "core", "evaluation", "dataset")
    if source == "stages":
        return target in ROOMS | {"core", "generators"}
    if source == "core":
        return False
    if source == "evaluation" and target == "augmentation":
        return True  # the section names the recipe's steps
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
    users = [name for name, path in modules().items() if "import click" in path.read_text()]
    assert users == ["pipeline.cli"]


@pytest.mark.parametrize("name", sorted(modules()))
def test_files_are_short(name):
    assert len(modules()[name].read_text().splitlines()) <= 300


def heavy_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return HEAVY & {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("cli", set()),
        ("stages.generate", set()),
        ("stages.augment", set()),
        ("stages.split", set()),
        ("stages.validate", set()),
        ("stages.evaluate", set()),
        ("stages.train", {"torch", "sklearn", "pandas"}),  # sklearn brings pandas along
    ],
)
def test_importing_a_stage_loads_no_library_it_does_not_need(module, needed):
    assert heavy_after(f"import pipeline.{module}") <= needed


def test_help_loads_nothing_heavy():
    loaded = heavy_after(
        "from click.testing import CliRunner\n"
        "from pipeline.cli import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0"
    )
    assert not loaded


GLOBAL_RANDOMNESS = {"np.random.seed", "numpy.random.seed", "random.seed", "np.random.default_rng"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_global_randomness(name):
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(modules()[name].read_text()))
        if isinstance(node, ast.Call)
    }
    assert not calls & GLOBAL_RANDOMNESS
    if "torch.manual_seed" in calls:
        assert "torch.random.fork_rng" in calls
