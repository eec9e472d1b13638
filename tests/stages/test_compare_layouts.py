"""compare wherever DVC can read a version: links, shared caches, worktrees, submodules, clones."""

import json

import pytest
from clone import Clone
from program import invoke
from versions import make_repository


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Versions `weak` and `strong`, both in its cache; the workspace is `strong`."""
    return make_repository(tmp_path_factory.mktemp("origin"))


@pytest.fixture
def compared(monkeypatch):
    def run(folder, *arguments, code=0):
        monkeypatch.chdir(folder)
        done = invoke("--json", "compare", *arguments)
        assert done.exit_code == code, done.output
        return done.stderr if code else json.loads(done.stdout)

    return run


def clone_of(origin, folder, *options):
    other = Clone(folder)
    other.environment = origin.environment
    origin.run("git", "clone", "-q", *options, f"file://{origin.folder}", str(folder))
    return other


def leading(report):
    return report["comparison"]["differences"][0]


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_links_into_a_shared_cache(origin, compared, tmp_path, kind):
    other = clone_of(origin, tmp_path / "other")
    other.dvc("config", "--local", "cache.dir", str(origin.folder / ".dvc/cache"))
    other.dvc("config", "--local", "cache.type", kind)
    other.dvc("checkout", "-q")
    predictions = other.folder / "data/evaluation/predictions/test.arrow"
    assert predictions.is_symlink() == (kind == "symlink")
    assert compared(other.folder, "HEAD")["about"] == "decisions"
    assert leading(compared(other.folder, "weak", "strong"))["models"] == "better"


def test_a_folder_that_is_reached_through_a_link(origin, compared, tmp_path):
    (tmp_path / "link").symlink_to(origin.folder)
    assert leading(compared(tmp_path / "link", "weak"))["models"] == "better"


def test_data_that_lies_elsewhere_behind_a_link(origin, compared, tmp_path):
    other = clone_of(origin, tmp_path / "other")
    other.dvc("config", "--local", "cache.dir", str(origin.folder / ".dvc/cache"))
    other.dvc("checkout", "-q")
    (other.folder / "data").rename(tmp_path / "disk")
    (other.folder / "data").symlink_to(tmp_path / "disk")
    assert leading(compared(other.folder, "weak"))["models"] == "better"


def test_a_worktree_of_git(origin, compared, tmp_path):
    origin.run("git", "worktree", "add", "-q", str(tmp_path / "tree"), "weak")
    try:
        other = Clone(tmp_path / "tree")
        other.environment = origin.environment
        other.dvc("config", "--local", "cache.dir", str(origin.folder / ".dvc/cache"))
        other.dvc("checkout", "-q")
        assert leading(compared(other.folder, "weak", "strong"))["models"] == "better"
        assert leading(compared(other.folder, "strong"))["models"] == "worse"
    finally:
        origin.run("git", "worktree", "remove", "--force", str(tmp_path / "tree"))


def test_a_submodule(origin, compared, tmp_path):
    outer = Clone(tmp_path / "outer")
    outer.environment = origin.environment
    outer.folder.mkdir()
    outer.run("git", "init", "-q", "-b", "main")
    allow = ("-c", "protocol.file.allow=always")
    outer.run("git", *allow, "submodule", "--quiet", "add", str(origin.folder), "inner")
    inner = Clone(outer.folder / "inner")
    inner.environment = origin.environment
    inner.dvc("config", "--local", "cache.dir", str(origin.folder / ".dvc/cache"))
    inner.dvc("checkout", "-q")
    assert (inner.folder / ".git").is_file()
    assert leading(compared(inner.folder, "weak", "strong"))["models"] == "better"


def test_a_project_in_a_subfolder_of_the_repository(compared, tmp_path):
    inner = make_repository(tmp_path / "repository", inside="project")
    assert leading(compared(inner.folder, "weak", "strong"))["models"] == "better"
    assert leading(compared(inner.folder, "weak"))["models"] == "better"


def test_a_shallow_clone_is_named_with_the_line_to_run(origin, compared, tmp_path):
    other = clone_of(origin, tmp_path / "other", "--depth", "1")
    message = compared(other.folder, "HEAD~1", code=2)
    assert "git fetch --unshallow" in message


def test_a_stage_that_ran_is_never_said_not_to_have_run(origin, compared, tmp_path):
    other = clone_of(origin, tmp_path / "other")
    message = compared(other.folder, "weak", "strong", code=66)
    assert "in no cache and no remote" in message
    assert "was not run" not in message
    message = compared(origin.folder, "empty", code=66)
    assert "its evaluate stage was not run" in message


def test_another_place_of_the_data_is_no_reason_to_train(origin, compared, monkeypatch):
    monkeypatch.chdir(origin.folder)
    done = invoke("--data", "elsewhere", "compare", "weak", "strong")
    assert done.exit_code == 66
    assert "was not run" not in done.stderr
    assert "dvc repro" not in done.stderr
    assert "--data" in done.stderr
