"""A project of one's own: what `init` writes, and what `upgrade` changes."""

import os

import numpy as np
import pytest
from image_folders import save
from imports import ROOT
from program import invoke
from ruamel.yaml import YAML

from raresight.pipeline.commands import init, validate
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.project import template
from raresight.pipeline.project.revisions import check_revision
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.stages.table import STAGES

yaml = YAML(typ="safe")


@pytest.fixture
def images(tmp_path):
    """Nine healthy and three diseased images of 40 x 50 pixels."""
    rng = np.random.default_rng(0)
    for label, count in (("healthy", 9), ("diseased", 3)):
        for number in range(count):
            color = tuple(rng.integers(0, 256, 3).tolist())
            save(tmp_path / "photos" / label / f"{number}.png", color, size=(40, 50))
    return tmp_path / "photos"


def test_the_pipeline_of_a_project_is_that_of_the_repository():
    """Renew it: `template.of_repository` of dvc.yaml, into pipeline/project/stages.yaml."""
    ours = template.of_repository((ROOT / "dvc.yaml").read_text())
    assert template.text("dvc.yaml") == ours
    stages = yaml.load(ours)["stages"]
    assert list(stages) == list(template.revisions())
    for name, stage in stages.items():
        assert stage["cmd"] == f"raresight {name}"
        keys = [name] if STAGES[name].section else None  # None: the whole file
        assert stage["params"][0] == {"revisions.yaml": keys}
        # No code, and everything else as in the repository.
        own = yaml.load((ROOT / "dvc.yaml").read_text())["stages"][name]
        data = [dep for dep in own["deps"] if not dep.startswith(("pipeline", "generators"))]
        assert stage.get("deps", []) == data
        assert stage["outs"] == own["outs"]


def test_a_project_of_ones_images_is_complete_and_short(images, tmp_path):
    init.run(tmp_path / "p", images=images)
    params = yaml.load(tmp_path / "p" / "params.yaml")
    assert params["generate"]["image_size"] == 32  # the largest of 32, 64, ... within 50
    assert params["generate"]["positive"] == "diseased"  # of two classes the rarer
    assert params["evaluate"]["deployment_prevalence"] == 0.25  # 3 of 12, by hand
    assert len((tmp_path / "p" / "params.yaml").read_text().splitlines()) <= 21
    # No image is turned or mirrored that nobody said may be.
    sections = validate.run(tmp_path / "p" / "params.yaml")
    moves = sections["train"].batch_augment
    assert (moves.flip, moves.rotate90, sections["augment"].spatial) == ("none", False, [])
    assert (tmp_path / "p" / ".git").is_dir()
    assert (tmp_path / "p" / ".dvc").is_dir()
    assert len([*(tmp_path / "p" / "data/raw/images").rglob("*.png")]) == 12
    assert yaml.load(tmp_path / "p" / "revisions.yaml") == template.revisions()


def test_its_params_are_valid_and_its_images_are_read(images, tmp_path, monkeypatch):
    init.run(tmp_path / "p", images=images, link=True)
    monkeypatch.chdir(tmp_path / "p")
    validate.run(tmp_path / "p" / "params.yaml")
    generate.run(tmp_path / "p" / "params.yaml", tmp_path / "p" / "data", workers=1)
    one = next((tmp_path / "p/data/raw/images").rglob("0.png"))
    assert one.stat().st_nlink == 2  # a hard link takes no room


def test_folders_of_splits_are_taken_as_such(images, tmp_path):
    for shade, name in enumerate(("train", "test")):
        (tmp_path / "all" / name).mkdir(parents=True)
        os.rename(images / ("healthy"), tmp_path / "all" / name / "healthy")
        save(images / "healthy" / "x.png", (1, 2, 3), size=(40, 50))
        save(tmp_path / "all" / name / "diseased" / "1.png", (9, 9, shade), size=(40, 50))
    init.run(tmp_path / "p", images=tmp_path / "all")
    (source,) = yaml.load(tmp_path / "p" / "params.yaml")["generate"]["sources"]
    assert source["options"]["split_folders"] is True


def read_ledger(project):
    rows = (project / "data/raw/split.csv").read_text().splitlines()
    return dict(line.rsplit(",", 1) for line in rows[1:])


def test_where_each_image_goes_is_kept_from_the_beginning(images, tmp_path, monkeypatch):
    init.run(tmp_path / "p", images=images)
    kept = read_ledger(tmp_path / "p")
    assert len(kept) == 12
    monkeypatch.chdir(tmp_path / "p")
    params, data = tmp_path / "p/params.yaml", tmp_path / "p/data"
    generate.run(params, data, workers=1)
    augment.run(params, data, workers=1)
    split.run(params, data)
    table = read_splits(data / "splits").table.to_pydict()
    assert dict(zip(table["id"], table["split"], strict=True)) == kept
    diseased = Dataset(data / "generated").ids[:3].tolist()  # the first class
    assert {kept[id] for id in diseased} == {"train", "val", "test"}  # three of it: one in each
    # A file that is not kept yet, by `split --keep`, is no reason to read the images again.
    stages = yaml.load(tmp_path / "p/dvc.yaml")["stages"]
    assert stages["generate"]["deps"] == ["data/checked", "data/raw/images"]
    assert "data/raw/split.csv" in stages["split"]["deps"]


def test_a_class_too_small_to_be_split_is_a_stated_choice(images, tmp_path, capsys):
    save(images / "rare" / "1.png", (5, 5, 5), size=(40, 50))
    init.run(tmp_path / "p", images=images, positive="diseased")
    text = (tmp_path / "p/params.yaml").read_text()
    assert yaml.load(text)["split"]["incomplete_classes"] == "allow"
    assert "learned from and not judged: rare." in text
    init.run(tmp_path / "q", images=images, positive="rare")  # it may never be allowed
    assert "'rare' is what is judged, and has no image for" in capsys.readouterr().err
    assert "incomplete_classes" not in (tmp_path / "q/params.yaml").read_text()


def test_what_looks_grouped_is_said_and_kept_together_when_asked(tmp_path, caplog):
    rng = np.random.default_rng(1)
    for k in range(24):
        label = ("healthy", "ill")[k // 2 % 2]
        color = tuple(rng.integers(0, 256, 3).tolist())
        save(tmp_path / "photos" / label / f"patient{k // 2:02d}" / f"{k % 2}.png", color)
    init.run(tmp_path / "p", images=tmp_path / "photos")
    assert "look as if several belonged together" in caplog.text
    assert "`group: parent`" in caplog.text
    assert len(read_ledger(tmp_path / "p")) == 24
    caplog.clear()
    init.run(tmp_path / "q", images=tmp_path / "photos", group="parent")
    assert caplog.text == ""
    assert sorted(read_ledger(tmp_path / "q")) == [f"patient{k:02d}" for k in range(12)]


def test_a_table_of_images_is_a_beginning(images, tmp_path):
    """Columns are recognized by what people call them, and patients stay together."""
    (images / "mask.png").write_bytes((images / "healthy/0.png").read_bytes())
    lines = ["image_path;diagnosis;patient_id;age"]
    for k, path in enumerate(sorted(images.glob("*/*.png"))):
        label = path.parent.name
        lines.append(f"{label}/{path.stem};{label};p{label}{k // 2};{k}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    project = tmp_path / "p"
    result = invoke("init", project, "--table", tmp_path / "labels.csv", "--images", images)
    assert result.exit_code == 0, result.stderr
    (source,) = yaml.load(project / "params.yaml")["generate"]["sources"]
    named = {"file": "image_path", "label": "diagnosis", "group": "patient_id"}
    assert source["options"] == {"path": "data/raw/images/labels.csv", "columns": named}
    assert len([*(project / "data/raw/images").rglob("*.png")]) == 12  # and no file of no row
    assert len(read_ledger(project)) == len({line.split(";")[2] for line in lines[1:]})
    deps = yaml.load(project / "dvc.yaml")["stages"]["generate"]["deps"]
    assert deps == ["data/checked", "data/raw/images"]
    validate.run(project / "params.yaml")


def test_what_a_table_lacks_is_asked_for(images, tmp_path):
    (tmp_path / "t.csv").write_text("where,what\nhealthy/1.png,healthy\ndiseased/1.png,ill\n")
    asked = ["init", tmp_path / "p", "--table", tmp_path / "t.csv"]
    result = invoke(*asked)
    assert result.exit_code == 65
    assert "--column file=NAME --column label=NAME" in result.stderr
    named = ["--column", "file=where", "--column", "label=what"]
    assert invoke(*asked, *named, "--images", images).exit_code == 0
    assert invoke(*asked, "--column", "where").exit_code == 2
    result = invoke("init", tmp_path / "q", "--table", tmp_path / "t.csv", "--column", "labl=what")
    assert result.exit_code == 2
    assert "Did you mean 'label'" in result.stderr


def test_a_scenario_is_another_beginning(tmp_path):
    init.run(tmp_path / "a")
    init.run(tmp_path / "b", scenario="shapes")
    assert (tmp_path / "a/params.yaml").read_text() == (ROOT / "params.yaml").read_text()
    assert (tmp_path / "b/params.yaml").read_text() == (ROOT / "params/shapes.yaml").read_text()


def test_what_cannot_be_is_refused_and_nothing_is_written(images, tmp_path):
    with pytest.raises(ParamsError, match=r"no class 'diseasd'.*Did you mean 'diseased'"):
        init.run(tmp_path / "p", images=images, positive="diseasd")
    with pytest.raises(ParamsError, match=r"no scenario 'shape'.*Did you mean 'shapes'"):
        init.run(tmp_path / "p", scenario="shape")
    with pytest.raises(ParamsError, match="give one"):
        init.run(tmp_path / "p", scenario="shapes", images=images)
    with pytest.raises(InputMissing, match="not a folder"):
        init.run(tmp_path / "p", images=tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="class"):
        init.run(tmp_path / "p", images=tmp_path / "empty")
    assert not (tmp_path / "p").exists()


def test_a_project_is_never_overwritten(tmp_path):
    init.run(tmp_path / "p")
    before = (tmp_path / "p" / "params.yaml").read_bytes()
    with pytest.raises(ParamsError, match="already"):
        init.run(tmp_path / "p", scenario="shapes")
    assert (tmp_path / "p" / "params.yaml").read_bytes() == before


def test_another_revision_is_refused_until_the_project_is_upgraded(tmp_path):
    init.run(tmp_path)
    place = tmp_path / "revisions.yaml"
    place.write_text(place.read_text().replace("train: ", "train: 9"))
    check_revision(tmp_path / "params.yaml", "generate")
    result = invoke("--params", tmp_path / "params.yaml", "train")
    assert result.exit_code == 2
    assert "revision 9" in result.stderr
    assert "raresight upgrade" in result.stderr
    # A stage that the project's dvc.yaml has of an older version lacks an output.
    pipeline = tmp_path / "dvc.yaml"
    pipeline.write_text(
        pipeline.read_text().replace("      - data/decision\n", "      - data/mine\n", 1)
    )
    changed = init.upgrade(tmp_path)
    assert any(line.startswith("train: revision 9") for line in changed)
    assert "dvc.yaml: evaluate.outs: data/decision" in changed
    outs = yaml.load(pipeline)["stages"]["evaluate"]["outs"]
    assert "data/decision" in outs
    assert "data/mine" in outs
    check_revision(tmp_path / "params.yaml", "train")
    assert init.upgrade(tmp_path) == []


def test_upgrade_needs_a_project(tmp_path):
    with pytest.raises(InputMissing, match="no project"):
        init.upgrade(tmp_path)
