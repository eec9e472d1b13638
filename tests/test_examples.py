"""The examples run from top to bottom, as a reader would run them."""

import subprocess
import sys

import nbformat
import pytest
from imports import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()  # raises CellExecutionError with the traceback of the cell that failed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_readme_leads_to_it(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert f"examples/{path.name}" in (ROOT / "README.md").read_text()


def test_a_newcomer_comes_from_a_folder_of_photos_to_a_model_in_use(tmp_path):
    """init, dvc repro, predict, export; the files opened in onnxruntime and in datasets."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("datasets")
    road = [sys.executable, ROOT / "examples/new_project.py", tmp_path]
    done = subprocess.run(
        [*road, "--images", "120", "--epochs", "2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "predict: 8 images" in done.stdout
    assert "the same scores: True" in done.stdout
    assert "no answer differs" in done.stdout
    assert "'train': 84, 'validation': 18, 'test': 18" in done.stdout
