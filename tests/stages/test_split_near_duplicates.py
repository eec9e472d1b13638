"""Photos that are there twice, as a re-encoded copy: what `split.near_duplicates` makes of them."""

import csv
import json
import re

import numpy as np
import pytest
from pictures import picture
from PIL import Image
from ruamel.yaml import YAML

from raresight.pipeline.dataset import Dataset
from raresight.pipeline.evaluation.checks.near_duplicates import near_duplicates
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.wording import checks
from raresight.pipeline.wording.near_duplicates import of_split

PHOTOS = 15  # of each class


def photo(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed, 24)).save(path, quality=80)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Every photo as PNG and as JPEG, two of the latter under the other label: read in, once."""
    root = tmp_path_factory.mktemp("photos")
    labels = ("healthy", "ill")
    for k in range(2 * PHOTOS):
        photo(root / f"raw/{labels[k % 2]}/{k}.png", k)
        photo(root / f"raw/{labels[(k + (k in (8, 9))) % 2]}/{k}.jpg", k)
    photo(root / "raw/ill/3.bmp", 3)  # another file of the same pixels
    source = {"generator": "folder", "options": {"path": str(root / "raw")}}
    params = {"generate": {"image_size": 24, "sources": [source]}, "augment": {}, "split": {}}
    YAML().dump(params, root / "params.yaml")
    generate.run(root / "params.yaml", root / "data", workers=1)
    augment.run(root / "params.yaml", root / "data", workers=1)
    return root


@pytest.fixture
def run(read, tmp_path):
    """The split of each file with such a section."""

    def splits(*, write=False, **section):
        document = YAML().load(read / "params.yaml")
        YAML().dump({**document, "split": section}, tmp_path / "params.yaml")
        split.run(tmp_path / "params.yaml", read / "data", keep=write)
        table = read_splits(read / "data/splits").table.to_pydict()
        where = dict(zip(table["id"], table["split"], strict=True))
        images = Dataset(read / "data/generated")
        files = images.factors["file"].tolist()
        return {file: where[id] for file, id in zip(files, images.ids, strict=True)}

    return splits


def stem(file):
    return file.rpartition("/")[2].partition(".")[0]


def torn(found):
    """The photos of which two copies are in use, in different splits."""
    places = {stem(file): set() for file in found}
    for file, where in found.items():
        places[stem(file)] |= {where} - {"unused"}
    return {name for name, several in places.items() if len(several) > 1}


def listed(read):
    with (read / "data/splits/near_duplicates.csv").open() as file:
        return [*csv.DictReader(file)]


def test_they_are_reported_by_default_and_all_are_listed(read, run, capsys):
    found = run()
    told = capsys.readouterr().err
    rows = listed(read)
    assert {stem(row["first"]) for row in rows} == {str(k) for k in range(2 * PHOTOS)}
    assert all(stem(row["first"]) == stem(row["second"]) for row in rows)
    across = [row for row in rows if row["first_split"] != row["second_split"]]
    assert {stem(row["first"]) for row in across} == torn(found)
    assert rows[: len(across)] == across  # what matters first
    assert f"{len(across)} pairs of images that show the same are in different splits" in told
    assert "2 pairs show the same under different labels" in told
    assert "9.png (ill" in told
    counts = json.loads((read / "data/splits/summary.json").read_text())["near_duplicates"]
    assert counts["across_splits"] == len(across)
    assert counts["compared"] == len(found)
    assert counts["different_labels"] == 2
    sides = [(row[side], row[f"{side}_split"]) for row in across for side in ("first", "second")]
    assert counts["test_images"] == len({file for file, where in sides if where == "test"}) > 0
    # The verdict says it.
    results = {"near_duplicates": near_duplicates(read / "data/splits")}
    results["counts"] = {"test": {"ill": 10, "healthy": counts["test_images"]}}
    (head, weight), why = checks.in_verdict(results)
    share = counts["test_images"] / (10 + counts["test_images"])
    seen, total, percent = re.findall(r"\d+(?:\.\d+)?", head)
    assert (int(seen), int(total)) == (counts["test_images"], 10 + counts["test_images"])
    assert float(percent) == pytest.approx(100 * share, abs=0.06)
    assert weight == "bold"
    assert "better than on new images" in why
    page = of_split(counts)
    assert f"{counts['pairs']} pairs show the same, {len(across)} of them in different" in page


def test_together_no_two_splits_share_one_and_none_moves(read, run, tmp_path):
    keep = {"keep": str(tmp_path / "split.csv")}
    before = run(**keep, write=True)
    assert torn(before)
    # Those that are placed stay where they are.
    assert run(**keep, near_duplicates="together") == before
    # The copies are new: they follow.
    names = dict(zip(Dataset(read / "data/generated").ids, before, strict=True))
    lines = (tmp_path / "split.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines[1:] if names[line.partition(",")[0]].endswith(".png")]
    (tmp_path / "split.csv").write_text("".join([lines[0], *kept]))
    found = run(**keep, near_duplicates="together")
    assert not torn(found)
    pngs = [file for file in found if file.endswith(".png")]
    assert {file: found[file] for file in pngs} == {file: before[file] for file in pngs}
    table = read_splits(read / "data/splits").table
    assert len(set(table["group"].to_pylist())) == 2 * PHOTOS  # and are resampled as one
    # Nothing is placed: they are balanced as one.
    (tmp_path / "split.csv").unlink()
    found = run(**keep, near_duplicates="together")
    assert not torn(found)
    assert near_duplicates(read / "data/splits") is None
    assert set(found.values()) == {"train", "val", "test"}
    with pytest.raises(ParamsError, match="only `keep` says which"):
        run(near_duplicates="together")


def test_dropped_one_of_each_is_left_out_and_tests_stay_whole(read, run):
    before, found = run(), run(near_duplicates="drop")
    assert not torn(found)
    changed = {file for file in found if found[file] != before[file]}
    assert changed == {file for file, where in found.items() if where == "unused"}
    assert {stem(file) for file in changed} == torn(before)
    assert all(before[file] != "test" for file in changed)


def test_refused_they_are_named_and_what_was_there_stays(read, run, tmp_path):
    across = torn(run())
    manifest = (read / "data/splits/manifest.json").read_bytes()
    with pytest.raises(DataError, match=r"split\.near_duplicates: refuse") as told:
        run(near_duplicates="refuse")
    assert told.value.exit_code == 65
    assert str(told.value).count(" = ") == 10
    table = (read / "data/split_near_duplicates.csv").read_text()
    assert all(f"/{name}.png" in table for name in across)
    assert (read / "data/splits/manifest.json").read_bytes() == manifest


def test_drawn_images_are_not_compared(read, run, tmp_path):
    source = {"generator": "shapes", "counts": {"circle": 30, "square": 30}}
    source["options"] = {"classes": ["circle", "square"]}
    params = {"generate": {"image_size": 24, "sources": [source]}, "augment": {}, "split": {}}
    YAML().dump(params, tmp_path / "params.yaml")
    generate.run(tmp_path / "params.yaml", tmp_path / "data", workers=1)
    augment.run(tmp_path / "params.yaml", tmp_path / "data", workers=1)
    split.run(tmp_path / "params.yaml", tmp_path / "data")
    counts = json.loads((tmp_path / "data/splits/summary.json").read_text())["near_duplicates"]
    assert counts == {
        "choice": "report", "compared": 0, "pairs": 0, "across_splits": 0, "test_images": 0,
        "different_labels": 0,
    }  # fmt: skip
    assert not (tmp_path / "data/splits/near_duplicates.csv").exists()
    assert np.all(Dataset(tmp_path / "data/generated").origins == "synthetic")
