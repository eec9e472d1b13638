"""CONTRIBUTING.md's recipe for a loss, followed in a copy: one file of the product is touched."""

import filecmp
import re
import shutil
import subprocess
import sys

from imports import ROOT

LOSSES = "pipeline/training/optim/losses.py"
TABLE = "LOSSES = Registry[Loss](\n    {\n"


def copy_of_the_code(folder):
    for name in ("pipeline", "generators", "raresight", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("params.yaml", "setup.cfg", "pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, folder / name)


def test_a_loss_is_a_class_and_a_line_in_one_file(tmp_path):
    copy_of_the_code(tmp_path)
    page = (tmp_path / "CONTRIBUTING.md").read_text().split("## How to add a loss")[1]
    pattern = re.compile(r"```python\n.*?^(class .*?)```", flags=re.DOTALL | re.MULTILINE)
    code = pattern.search(page).group(1)
    assert f"`{LOSSES}`" in page
    text = (tmp_path / LOSSES).read_text()
    assert text.count(TABLE) == 1
    added = text.replace(TABLE, f'{code}\n\n{TABLE}        "poly": Poly,\n')
    (tmp_path / LOSSES).write_text(added)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/training/test_loss_contract.py", "-k", "poly and not toy"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed", done.stdout)
    touched = [
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.joinpath("pipeline").rglob("*.py")
        if not filecmp.cmp(path, ROOT / path.relative_to(tmp_path), shallow=False)
    ]
    assert touched == [LOSSES]
