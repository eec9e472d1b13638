"""One's own images through generate, augment and split: what belongs together stays together, and
nothing moves."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from raresight.pipeline.dataset import Dataset
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split

SPLITS = {"train", "val", "test"}
SIDE = 8
STARS = {"options": {"classes": ["circle", "star"]}}


def draw(path: Path) -> None:
    """Noise that depends on the file's own name and folder alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list("/".join(path.parts[-3:]).encode()))
    Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)


def patients(root: Path) -> Path:
    """12 patients of 20 frames, the label the patient's: the case that was met."""
    for p in range(12):
        label = "ill" if p % 3 == 0 else "healthy"
        for frame in range(20):
            draw(root / label / f"patient{p:02d}" / f"frame{frame:03d}.png")
    return root


@pytest.fixture
def made(tmp_path) -> Callable[..., dict[str, str]]:
    """Run generate, augment and split on sources; the split of each file."""

    def run(
        *sources: dict, write: bool = False, positive: str | None = None, **section
    ) -> dict[str, str]:
        params, data = tmp_path / "params.yaml", tmp_path / "data"
        document = {
            "generate": {"image_size": SIDE, "positive": positive, "sources": list(sources)},
            "augment": {},
            "split": section,
        }
        YAML().dump(document, params)
        generate.run(params, data, workers=1)
        augment.run(params, data, workers=1)
        split.run(params, data, keep=write)
        images, table = Dataset(data / "generated"), read_splits(data / "splits")
        where = dict(
            zip(table.table["id"].to_pylist(), table.table["split"].to_pylist(), strict=True)
        )
        files = images.factors["file"].tolist()
        return {file: where[id] for file, id in zip(files, images.ids, strict=True)}

    return run


def source(root: Path, **options) -> dict:
    return {"generator": "folder", "options": {"path": str(root), **options}}


def by_patient(found: dict[str, str]) -> dict[str, set[str]]:
    names = {file.split("/")[1] for file in found}
    return {name: {found[file] for file in found if f"/{name}/" in file} for name in names}


@pytest.mark.parametrize("ledger", [False, True])
def test_no_patient_is_in_two_splits(tmp_path, made, ledger):
    root = patients(tmp_path / "raw")
    # By a hash 12 patients fill three splits by luck: 17 is the first seed that has it.
    section = {"keep": str(tmp_path / "split.csv")} if ledger else {"seed": 17}
    found = made(source(root, group="parent"), **section)
    splits = by_patient(found)
    assert len(found) == 240
    assert len(splits) == 12
    assert all(len(several) == 1 for several in splits.values())
    assert set.union(*splits.values()) == SPLITS
    counts = json.loads((tmp_path / "data/splits/summary.json").read_text())["groups"]
    assert sum(counts[name]["total"] for name in SPLITS) == 12
    for name in SPLITS:
        assert counts[name]["total"] == sum(several == {name} for several in splits.values())


def test_without_a_group_they_are_torn_and_it_is_said(tmp_path, made, caplog):
    with caplog.at_level(logging.WARNING):
        found = made(source(patients(tmp_path / "raw")))
    assert all(several == SPLITS for several in by_patient(found).values())
    assert "12 subfolders of their classes" in caplog.text


def plain(root: Path, count: int = 40) -> Path:
    for label in ("cat", "dog"):
        for k in range(count):
            draw(root / label / f"{k}.png")
    return root


def moved(
    before: dict[str, str], after: dict[str, str], names: dict[str, str] | None = None
) -> int:
    """Images that are in both and in another split; ``names`` has those renamed."""
    renamed = {(names or {}).get(file, file): where for file, where in before.items()}
    shared = renamed.keys() & after.keys()
    assert len(shared) > 60
    return sum(renamed[file] != after[file] for file in shared)


@pytest.mark.parametrize("ledger", [False, True])
def test_nothing_moves(tmp_path, made, ledger):
    """Files with earlier names, files gone, another class, files renamed, a label corrected."""
    root = plain(tmp_path / "raw")
    section = {"keep": str(tmp_path / "split.csv")} if ledger else {}
    before = made(source(root), write=ledger, **section)
    assert set(before.values()) == SPLITS
    for k in range(5):
        draw(root / "cat" / f"-{k}.png")
    for k in range(3, 7):
        (root / "dog" / f"{k}.png").unlink()
    for k in range(30):
        draw(root / "ant" / f"{k}.png")
    (root / "cat" / "20.png").rename(root / "cat" / "a new name.png")
    (root / "cat" / "30.png").rename(root / "dog" / "corrected.png")
    names = {"cat/20.png": "cat/a new name.png", "cat/30.png": "dog/corrected.png"}
    assert moved(before, made(source(root), **section), names) == 0


def test_a_seed_moves_them(tmp_path, made):
    root = plain(tmp_path / "raw")
    assert moved(made(source(root), seed=1), made(source(root), seed=2)) > 0


def test_drawn_images_beside_real_ones_keep_their_blocks(tmp_path, made):
    drawn = {"generator": "shapes", "counts": {"star": 20, "circle": 20}, **STARS}
    root = tmp_path / "raw"
    for label in ("star", "circle"):
        for k in range(30):
            draw(root / label / f"{k}.png")

    def of_drawn() -> list[str]:
        table = read_splits(tmp_path / "data/splits").table.to_pydict()
        return [s for id, s in zip(table["id"], table["split"], strict=True) if "shapes" in id]

    made(drawn, source(root))
    before = of_drawn()
    assert [before[:20].count(name) for name in ("train", "val", "test")] == [14, 3, 3]
    made(drawn, source(root), write=True, keep=str(tmp_path / "split.csv"))
    assert of_drawn() == before


def test_drawn_images_teach_and_real_ones_judge_alone(tmp_path, made):
    drawn = {
        "generator": "shapes",
        "splits": ["train"],
        "counts": {"star": 9, "circle": 9},
        **STARS,
    }
    for label in ("star", "circle"):
        for k in range(30):
            draw(tmp_path / "raw" / label / f"{k}.png")
    made(drawn, {**source(tmp_path / "raw"), "splits": {"val": 0.5, "test": 0.5}})
    table = read_splits(tmp_path / "data/splits").table.to_pydict()
    reached = {(id.split("-")[0], s) for id, s in zip(table["id"], table["split"], strict=True)}
    assert reached == {("shapes", "train"), ("folder", "val"), ("folder", "test")}


PREMADE = {"train": 9, "val": 4, "test": 5}


def premade(root: Path) -> Path:
    for name, count in PREMADE.items():
        for label in ("healthy", "ill"):
            for k in range(count):
                draw(root / name / label / f"{k}.png")
    return root


def test_splits_that_are_there_are_kept(tmp_path, made):
    found = made(source(premade(tmp_path / "raw"), split_folders=True))
    assert len(found) == 36
    assert all(where == file.split("/")[0] for file, where in found.items())


def test_one_patient_in_two_given_splits_is_named_with_the_files(tmp_path, made):
    root = premade(tmp_path / "raw")
    rule = r"/(?P<group>[0-9]+)\.png$"  # number 3 is in every split
    with pytest.raises(DataError, match="a group stays together") as told:
        made(source(root, split_folders=True, group=rule))
    assert "group '3' is given to test (test/healthy/3.png) and to train" in str(told.value)
    assert told.value.exit_code == 65


def test_the_same_file_in_two_given_splits_is_named(tmp_path, made):
    root = premade(tmp_path / "raw")
    (root / "test/ill/again.png").write_bytes((root / "train/ill/0.png").read_bytes())
    with pytest.raises(DataError, match=r"test/ill/again.png\) and to train \(train/ill/0.png\)"):
        made(source(root, split_folders=True))


def test_exact_copies_are_kept_together_and_counted(tmp_path, made):
    root = plain(tmp_path / "raw", 50)
    for label in ("cat", "dog"):
        for k in range(50):
            (root / label / f"{k}_1.png").write_bytes((root / label / f"{k}.png").read_bytes())
    found = made(source(root))
    assert len(found) == 200
    assert all(
        found[file] == found[file.replace(".png", "_1.png")] for file in found if "_1" not in file
    )
    repeated = json.loads((tmp_path / "data/splits/summary.json").read_text())["repeated_pixels"]
    assert repeated == {name: list(found.values()).count(name) // 2 for name in SPLITS}


def test_a_small_class_is_told_of_the_ledger_and_fits_with_it(tmp_path, made):
    root = plain(tmp_path / "raw")
    for k in range(3):
        draw(root / "lynx" / f"{k}.png")
    keep = {"keep": str(tmp_path / "split.csv")}
    found = made(source(root), **keep)
    assert {found[f"lynx/{k}.png"] for k in range(3)} == SPLITS
    told = []
    for seed in range(6):
        try:
            made(source(root), seed=seed)
        except DataError as error:
            told.append(str(error))
    assert told
    assert all("class 'lynx' (images: 3, groups: 3) has none in" in text for text in told)
    assert all("`keep: data/raw/split.csv`" in text for text in told)


def test_a_class_of_one_image_is_a_choice(tmp_path, made, capsys):
    root = plain(tmp_path / "raw")
    draw(root / "lynx" / "0.png")
    keep = {"keep": str(tmp_path / "split.csv")}
    with pytest.raises(DataError, match=r"`split\.incomplete_classes: allow` learns from such"):
        made(source(root), **keep)
    found = made(source(root), **keep, incomplete_classes="allow")
    assert found["lynx/0.png"] == "train"
    assert "class 'lynx' (images: 1, groups: 1) has none in test" in capsys.readouterr().err
    with pytest.raises(DataError, match="class 'lynx'"):  # it is what would be judged
        made(source(root), **keep, incomplete_classes="allow", positive="lynx")


def test_the_ledger_is_written_when_asked_and_never_else(tmp_path, made, capsys):
    root, path = patients(tmp_path / "raw"), tmp_path / "kept/split.csv"
    first = made(source(root, group="parent"), seed=17)
    assert not path.exists()
    params = tmp_path / "params.yaml"
    with pytest.raises(ParamsError, match=r"--keep writes the file that `split\.keep` names"):
        split.run(params, tmp_path / "data", keep=True)
    document = YAML().load(params)
    document["split"]["keep"] = str(path)
    YAML().dump(document, params)
    split.run(params, tmp_path / "data")
    assert not path.exists()
    assert "12 groups are not in" in capsys.readouterr().err
    split.run(params, tmp_path / "data", keep=True)
    lines = path.read_text().splitlines()
    assert lines[0] == "group,split"
    assert len(lines) == 13
    assert len(first) == 240


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,split\np,train\n", "'group' is missing"),
        ("group,split\np,tran\n", "line 2: 'tran' is no split. Did you mean 'train'"),
        ("group,split\np,train\np,test\n", "line 3: 'p' is in train and in test"),
        ("group,split\n,train\n", "line 2: the group is empty"),
    ],
)
def test_a_ledger_that_cannot_be_used_says_where(tmp_path, made, text, message):
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        made(source(plain(tmp_path / "raw", 20)), keep=str(path))


def test_classes_that_look_the_same_are_refused_across_sources(tmp_path, made):
    draw(tmp_path / "a/cat/1.png")
    draw(tmp_path / "a/dog/1.png")
    draw(tmp_path / "b/Cat/1.png")
    draw(tmp_path / "b/dog/1.png")
    with pytest.raises(DataError, match="'Cat' and 'cat' look the same"):
        made(source(tmp_path / "a"), {**source(tmp_path / "b"), "name": "other"})


def test_what_was_left_out_stands_in_the_output(tmp_path, made):
    root = plain(tmp_path / "raw")
    (root / "cat/Thumbs.db").write_text("x")
    made(source(root))
    left = json.loads((tmp_path / "data/generated/left_out.json").read_text())
    assert list(left["folder"]["no_image"]) == [str(root / "cat/Thumbs.db")]


def test_many_bad_files_are_all_in_a_file(tmp_path, made):
    root = plain(tmp_path / "raw")
    for k in range(15):
        (root / "cat" / f"{k}.png").write_text("no image")
    with pytest.raises(DataError, match="All 15 are listed in") as told:
        made(source(root))
    assert str(told.value).count("not an image that Pillow knows") == 10
    assert len((tmp_path / "data/generate_problems.txt").read_text().splitlines()) == 15


def clinic(root: Path, split: bool = False) -> dict:
    """The source of a table with 30 patients of two images: diagnosis, patient, scanner and age."""
    lines = ["image;diagnosis;patient;scanner;age" + ";split" * split]
    for k in range(60):
        draw(root / "images" / f"{k}.png")
        patient, ill = k // 2, k // 2 % 3 == 0
        row = [f"{k}", "ill" if ill else "healthy", f"p{patient}", "ab"[patient % 2], f"{k},5"]
        lines.append(";".join(row + ["training" if patient < 20 else "test"] * split))
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return listed(root)


def listed(root: Path) -> dict:
    """The source of the table as it lies there."""
    columns = {"file": "image", "label": "diagnosis", "group": "patient"}
    options = {"path": str(root / "labels.csv"), "images": str(root / "images")}
    return {"generator": "table", "options": {**options, "columns": columns}}


def test_a_table_brings_labels_groups_and_factors(tmp_path, made):
    found = made(clinic(tmp_path / "raw"), keep=str(tmp_path / "split.csv"))
    assert len(found) == 60
    assert all(found[f"{2 * p}"] == found[f"{2 * p + 1}"] for p in range(30))
    images = Dataset(tmp_path / "data/generated")
    factors = images.factors.set_index("file")
    assert images.description.factors["age"] == "float"
    assert factors.loc["7", ["scanner", "age"]].tolist() == ["b", 7.5]
    assert images.groups.tolist().count("p3") == 2


def test_splits_of_a_table_are_kept_and_a_patient_in_two_is_named(tmp_path, made):
    with pytest.raises(DataError, match="has none in val: its images were all given to other"):
        made(clinic(tmp_path / "raw", split=True))
    table = tmp_path / "raw/labels.csv"
    table.write_text(table.read_text().replace("p19;b;38,5;training", "p19;b;38,5;val"))
    with pytest.raises(DataError, match=r"'p19' is given to train \(39\) and to val \(38\)"):
        made(listed(tmp_path / "raw"))


def test_one_factor_of_two_kinds_is_refused(tmp_path, made):
    source_ = clinic(tmp_path / "raw")
    other = tmp_path / "other"
    draw(other / "1.png")
    (other / "labels.csv").write_text("file,label,age\n1.png,ill,old\n")
    second = {"generator": "table", "name": "b", "options": {"path": str(other / "labels.csv")}}
    with pytest.raises(DataError, match="factor 'age' is float in source 'table' and string in"):
        made(source_, second)
