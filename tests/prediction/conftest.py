"""Projects with a judged model."""

import shutil

import judged
import numpy as np
import pytest
from kept_model import Project, make_project


@pytest.fixture(scope="session")
def kept_project(tmp_path_factory) -> Project:
    """A project that no test changes."""
    return make_project(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def own_project(kept_project, tmp_path) -> Project:
    """A copy of it to be broken."""
    shutil.copytree(kept_project.folder, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def alike_project(tmp_path_factory) -> Project:
    """A project in which all classes matter alike, and costs decide."""
    rule = "{name: cost, costs: {rare: {common: 3}}}"
    return make_project(tmp_path_factory.mktemp("alike"), None, rule)


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """The images of the dataset."""
    return judged.draw_images()
