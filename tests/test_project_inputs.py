"""What params name stands in dvc.yaml, or the stage does not run."""

import pytest
from imports import ROOT
from program import invoke
from ruamel.yaml import YAML

from raresight.generators import registry
from raresight.pipeline.commands import init
from raresight.pipeline.project.inputs import sync
from raresight.pipeline.stages.table import STAGES

yaml = YAML(typ="safe")

FOLDER = {"generator": "folder", "options": {"path": "data/raw/scans"}}
NAMED = {
    "generate": ({"sources": [FOLDER]}, "data/raw/scans"),
    "split": ({"keep": "kept.csv"}, "kept.csv"),
    "train": ({"model": {"name": "resnet18", "weights": "mine.pth"}}, "mine.pth"),
}


# The first of the deps of generate.
CHECKED = "    deps:\n      - data/checked\n"


@pytest.fixture
def project(tmp_path):
    """A project as the repository is one: drawn images, and nothing to be read."""
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    return tmp_path


def deps(project, stage):
    return yaml.load(project / "dvc.yaml")["stages"][stage]["deps"]


def edit(project, stage, **keys):
    document = YAML().load(project / "params.yaml")
    document[stage] = {**document[stage], **keys}
    YAML().dump(document, project / "params.yaml")


def test_the_repository_reads_nothing_of_its_users(project):
    assert sync(project / "params.yaml") == []


@pytest.mark.parametrize("stage", NAMED)
def test_what_params_name_is_listed_and_no_more_what_they_named(project, stage):
    before = (project / "dvc.yaml").read_text()
    keys, path = NAMED[stage]
    edit(project, stage, **keys)
    asked = ("--params", project / "params.yaml", "--data", project / "data")
    result = invoke(*asked, stage)
    assert result.exit_code == 2
    assert path in result.stderr
    assert invoke(*asked, "validate").exit_code == 2
    assert "raresight sync" in result.stderr
    assert invoke(*asked, "sync").stderr == f"{stage}: + {path}\n"
    assert deps(project, stage)[-1] == path
    assert sync(project / "params.yaml") == []
    assert invoke(*asked, stage).exit_code != 2  # it is 66: there are no inputs
    (project / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    assert sync(project / "params.yaml") == [f"{stage}: - {path}"]
    assert (project / "dvc.yaml").read_text() == before


def test_a_folder_that_is_listed_covers_what_lies_in_it(project):
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace(CHECKED, "    deps:\n      - data\n", 1))
    edit(project, "generate", sources=[FOLDER])
    asked = ("--params", project / "params.yaml", "--data", project / "data")
    assert invoke(*asked, "generate").exit_code == 66


def test_deps_of_ones_own_stay(project):
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace(CHECKED, CHECKED + "      - mine\n", 1))
    edit(project, "generate", sources=[FOLDER])
    sync(project / "params.yaml")
    edit(project, "generate", sources=[{**FOLDER, "options": {"path": "/elsewhere/scans"}}])
    added, gone = sync(project / "params.yaml")
    assert added.startswith("generate: + /elsewhere/scans (outside the project: DVC sees it change")
    assert gone == "generate: - data/raw/scans"
    assert "mine" in deps(project, "generate")


def test_masks_beside_the_images_and_tables_are_read_too(project):
    masks = {"path": "data/raw/scans", "masks": "../masks/{folder}/{name}.png"}
    table = {"path": "data/raw/t.csv", "images": "data/raw/all"}
    sources = [{**FOLDER, "options": masks}, {"generator": "table", "options": table}]
    edit(project, "generate", sources=sources)
    sync(project / "params.yaml")
    added = [f"data/raw/{name}" for name in ("all", "masks", "scans", "t.csv")]
    assert deps(project, "generate")[-4:] == added


def test_folders_that_are_links_are_watched_where_they_lead_to(project, tmp_path_factory):
    """DVC does not follow them; the generator does."""
    far = tmp_path_factory.mktemp("far")
    (project / "data/raw/scans/well").mkdir(parents=True)
    (project / "data/raw/scans/ill").symlink_to(far)
    edit(project, "generate", sources=[FOLDER])
    sync(project / "params.yaml")
    assert deps(project, "generate")[-2:] == [str(far), "data/raw/scans"]
    other = tmp_path_factory.mktemp("other")
    (project / "data/raw/scans/odd").symlink_to(other)
    asked = ("--params", project / "params.yaml", "--data", project / "data")
    result = invoke(*asked, "generate")
    assert result.exit_code == 2
    assert f"names {other}, which is no dep" in result.stderr


def test_a_scenario_brings_its_images_along(project):
    (project / "params").mkdir()
    for name in ("digits", "shapes"):
        (project / f"params/{name}.yaml").write_text((ROOT / f"params/{name}.yaml").read_text())
    (project / "params/default.yaml").write_text((ROOT / "params.yaml").read_text())
    assert invoke("--params", project / "params.yaml", "use", "digits").exit_code == 0
    assert "data/raw/digits" in deps(project, "generate")
    assert invoke("--params", project / "params.yaml", "use", "shapes").exit_code == 0
    assert "data/raw/digits" not in deps(project, "generate")


@pytest.mark.parametrize("name", registry.names())
def test_a_generator_that_takes_what_is_there_says_what_it_reads(name):
    """Its options name a folder or a file, and `reads` has it."""
    generator = registry.find(name)
    if not generator.countable:
        assert "here/x" in generator.options.model_construct(path="here/x").reads


def test_boxes_are_cut_from_images_that_lie_elsewhere(project):
    options = {"path": "data/raw/boxes.json", "images": "data/raw/photos", "take": "boxes"}
    edit(project, "generate", sources=[{"generator": "coco", "options": options}])
    sync(project / "params.yaml")
    assert deps(project, "generate")[-2:] == ["data/raw/boxes.json", "data/raw/photos"]


def test_a_project_of_an_earlier_version_depends_on_what_it_names_alone(tmp_path):
    init.run(tmp_path)
    text = (tmp_path / "dvc.yaml").read_text()
    split = "      - data/generated\n      - data/augmented\n    outs:\n      - data/splits"
    assert split in text
    older = text.replace(split, split.replace("    outs", "      - data/raw\n    outs"))
    (tmp_path / "dvc.yaml").write_text(older)
    assert "dvc.yaml: split.deps: - data/raw" in init.upgrade(tmp_path)
    assert (tmp_path / "dvc.yaml").read_text() == text
    assert {*yaml.load(text)["stages"]} == {*STAGES}
