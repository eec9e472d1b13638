"""raresight predict: the same answers as evaluate's, from files as they lie on disk."""

import csv
import json
import subprocess
import sys
from functools import partial
from io import StringIO

import judged
import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from imports import ROOT
from PIL import Image
from program import invoke

from raresight.generators.folder import Folder, FolderOptions
from raresight.generators.image_file import read_image
from raresight.pipeline import cli
from raresight.pipeline.commands.external_scores import read_table
from raresight.pipeline.core import parallel
from raresight.pipeline.prediction import reading

SPLIT = np.array(judged.SPLITS)


def predict(project, *arguments, out="out.csv"):
    path = out if out == "-" else project.folder / out
    return invoke(*project.options, "predict", *arguments, "--out", path, "--workers", 1)


def rows(path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_images_of_the_test_set_are_answered_as_evaluate_answered_them(own_project):
    done = predict(own_project, own_project.photos, out="out.parquet")
    assert done.exit_code == 0, done.output
    found = pyarrow.parquet.read_table(own_project.folder / "out.parquet").to_pandas()
    assert [path.rsplit("/")[-1] for path in found["file"]] == [f"{id}.png" for id in judged.IDS]
    expected = judged.predictions(own_project.data, "test").to_pandas()
    test = found[SPLIT == "test"]
    for name in ("score", "probability"):
        for label in ("common", "rare"):
            column = f"{name}.{label}"
            np.testing.assert_allclose(test[column], expected[column], rtol=1e-5)
    assert test["answer"].tolist() == expected["predicted"].tolist()
    assert found["id"].is_unique


def test_a_dataset_is_predicted_with_its_ids_labels_and_groups(own_project):
    done = predict(own_project, own_project.data / "generated", "--prevalence", 0.01)
    assert done.exit_code == 0, done.output
    found = rows(own_project.folder / "out.csv")
    assert [row["id"] for row in found] == judged.IDS
    assert [row["label"] for row in found] == judged.LABELS
    assert [row["group"] for row in found] == judged.IDS
    # Fewer are as probable where the class is rarer, and each is less so.
    kept, rarer = ([row[name] for row in found] for name in ("answer", "answer_at_prevalence"))
    assert kept.count("rare") > rarer.count("rare")
    for row in found:
        before, after = row["probability.rare"], row["probability_at_prevalence.rare"]
        assert float(after) < float(before)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow", ".jsonl"])
def test_later_labels_are_judged_by_evaluate(own_project, suffix):
    out = f"scores{suffix}"
    assert predict(own_project, own_project.data / "generated", out=out).exit_code == 0
    judge = ("evaluate", "--predictions", own_project.folder / out, "--threshold", 0.5)
    done = invoke(*own_project.options, "--json", *judge, "--positive", "rare")
    assert done.exit_code == 0, done.output
    table = read_table(own_project.folder / out).to_pandas()
    called = table["score.rare"].astype(float) >= 0.5
    right = (called == (table["label"] == "rare")).mean()
    assert json.loads(done.stdout)["test"]["accuracy"] == pytest.approx(right)


def test_every_number_of_workers_writes_the_same_bytes(kept_project, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_MOST", 16)  # several chunks
    tables = []
    for workers in (1, 2):
        out = tmp_path / f"{workers}.csv"
        options = ("--out", out, "--workers", workers)
        done = invoke(*kept_project.options, "predict", kept_project.photos, *options)
        assert done.exit_code == 0, done.output
        tables.append(out.read_bytes())
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") == judged.COUNT + 1
    # --executor ray takes the same chunks to a cluster's processes, and they come back in order.
    asked = []

    def there(work, tasks, *, workers):
        asked.append((len(tasks), workers))
        return map(work, tasks)

    monkeypatch.setattr(parallel, "map_on_ray", there)
    options = ("--out", tmp_path / "ray.csv", "--workers", 2, "--executor", "ray")
    assert invoke(*kept_project.options, "predict", kept_project.photos, *options).exit_code == 0
    assert (tmp_path / "ray.csv").read_bytes() == tables[0]
    assert asked == [(-(-judged.COUNT // 16), 2)]


def test_a_list_on_stdin_and_a_table_on_stdout(kept_project):
    files = [f"{kept_project.photos / id}.png" for id in judged.IDS[:3]]
    run = partial(CliRunner().invoke, cli.cli, input="\n".join(files))
    done = run([*map(str, kept_project.options), "predict", "-", "--out", "-"])
    assert done.exit_code == 0, done.stderr
    found = list(csv.DictReader(StringIO(done.stdout)))
    assert [row["file"] for row in found] == files
    assert "3 images" in done.stderr
    told = run([*map(str, kept_project.options), "--json", "predict", files[0], "--out", "-"])
    assert json.loads(told.stdout)["file"] == files[0]


def test_a_table_lists_files_and_what_is_known_of_them(own_project):
    folder = own_project.photos
    files = [folder / f"{name}.png" for name in judged.IDS[:4]]
    table = "path;label;patient;group\n" + "".join(
        f"{file.name};{'rare' if k else ''};p{k};g{k // 2}\n" for k, file in enumerate(files)
    )
    (folder / "todo.csv").write_text(table)
    assert predict(own_project, folder / "todo.csv").exit_code == 0
    found = rows(own_project.folder / "out.csv")
    assert [row["file"] for row in found] == [str(file) for file in files]
    assert [row["label"] for row in found] == ["", "rare", "rare", "rare"]
    assert [row["group"] for row in found] == ["g0", "g0", "g1", "g1"]
    predict(own_project, *files, out="plain.csv")
    plain = rows(own_project.folder / "plain.csv")
    assert [row["id"] for row in plain] == [row["id"] for row in found]
    assert [row["score.rare"] for row in plain] == [row["score.rare"] for row in found]

    (folder / "ids.jsonl").write_text(f'{{"file": "{files[0].name}", "id": "mine"}}\n')
    predict(own_project, folder / "ids.jsonl")
    (row,) = rows(own_project.folder / "out.csv")
    assert row["id"] == "mine"
    assert "label" not in row
    for text, told in (
        ("a,b\n1,2\n", "none of its columns (a, b) is called `file`"),
        (f"file\n{files[0].name}\n{files[0].name}\n", "lists files more than once"),
        ("file,id\n,1\n", "row 1 has no file"),
    ):
        (folder / "bad.csv").write_text(text)
        done = predict(own_project, folder / "bad.csv")
        assert done.exit_code == 65
        assert told in done.stderr


def test_unreadable_files_are_all_named_and_no_table_is_written(own_project):
    photos = own_project.photos
    (photos / "a.png").write_bytes(b"nothing")
    (photos / "b.png").write_bytes((photos / "image-000.png").read_bytes()[:60])
    (photos / "c.png").symlink_to("nowhere")
    out = own_project.folder / "out.csv"
    out.write_text("earlier")
    done = predict(own_project, photos)
    assert done.exit_code == 65
    for name in ("a.png", "b.png", "c.png"):
        assert f"{photos}/{name}: " in done.stderr
    assert "3 files cannot be read, and --max-unreadable allows 0" in done.stderr
    assert out.read_text() == "earlier"
    assert not list(own_project.folder.glob(".*"))
    done = predict(own_project, photos, "--max-unreadable", 3)
    assert done.exit_code == 0
    assert "left out 3 files" in done.stderr
    assert f"{photos}/a.png: not an image that Pillow knows" in done.stderr
    assert len(rows(out)) == judged.COUNT


def test_what_lies_among_images_is_passed_over_unless_it_was_named(own_project):
    (own_project.photos / "labels.csv").write_text("file,label")
    done = predict(own_project, own_project.photos)
    assert done.exit_code == 0, done.output
    assert "passed over 1 file that is no image" in done.stderr
    done = predict(own_project, own_project.photos / "labels.csv")
    assert done.exit_code == 65


def test_two_files_of_one_content_have_two_ids(own_project):
    first = own_project.photos / "image-000.png"
    (own_project.photos / "twin.png").write_bytes(first.read_bytes())
    assert predict(own_project, own_project.photos).exit_code == 0
    by_name = {row["file"].rsplit("/")[-1]: row for row in rows(own_project.folder / "out.csv")}
    assert by_name["twin.png"]["id"] == by_name["image-000.png"]["id"] + "-2"


def test_what_is_unlike_is_flagged_and_by_what(own_project):
    strange = own_project.folder / "strange"
    strange.mkdir()
    Image.new("RGB", (12, 12), "white").save(strange / "blank.png")
    done = predict(own_project, strange)
    (row,) = rows(own_project.folder / "out.csv")
    assert row["unlike"] == "true"
    assert float(row["unlike.pixels"]) > 1
    assert "1 is unlike the training images" in done.stderr


@pytest.mark.parametrize(
    ("mode", "size", "color"),
    [
        ("RGB", (40, 30), "red"),
        ("L", (12, 12), 90),
        ("RGBA", (9, 20), (1, 2, 3, 0)),
        ("P", (7, 7), 3),
    ],
)
def test_a_file_is_read_as_the_training_images_were(tmp_path, mode, size, color):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        Image.new(mode, size, color).save(tmp_path / label / "x.png")
    source = Folder(FolderOptions(path=str(tmp_path)), 16)
    record = source.streams("raw")[0][0]
    trained_on = source.sample(record, np.random.default_rng(0)).image
    np.testing.assert_array_equal(read_image(record.path, 16), trained_on)
    chunk = reading.Chunk(files=[str(record.path)], shape=(16, 16))
    np.testing.assert_array_equal(reading.read_chunk(chunk).pixels[0], trained_on)


def test_what_is_not_there_is_named(kept_project, tmp_path):
    done = predict(kept_project, tmp_path / "no", kept_project.photos, tmp_path / "none")
    assert done.exit_code == 66
    assert f"{tmp_path}/no\n" in done.stderr
    assert f"{tmp_path}/none" in done.stderr
    (tmp_path / "empty").mkdir()
    assert predict(kept_project, tmp_path / "empty").exit_code == 65
    assert predict(kept_project, kept_project.photos, out="out.xlsx").exit_code == 2
    done = predict(kept_project, kept_project.photos, "--model", tmp_path / "empty")
    assert done.exit_code == 66


def test_a_dataset_of_another_size_is_refused(kept_project, tmp_path, monkeypatch):
    monkeypatch.setattr(judged, "SIDE", 8)
    judged.write_generated(tmp_path, "rare")
    done = predict(kept_project, tmp_path)
    assert done.exit_code == 65
    assert "holds images of 8 x 8 x 3, but the model takes 12 x 12 x 3" in done.stderr


def test_a_prevalence_without_a_positive_class_is_refused(alike_project):
    assert predict(alike_project, alike_project.photos).exit_code == 0
    done = predict(alike_project, alike_project.photos, "--prevalence", 0.1)
    assert done.exit_code == 2
    assert "this model has none" in done.stderr


def test_it_loads_no_more_than_it_needs(kept_project, tmp_path):
    """Worker processes start quickly and stay small; nor has the command what it does not use."""
    lists = "import raresight.pipeline.prediction.reading, sys; print(*sys.modules)"
    there = ("predict", kept_project.photos, "--out", tmp_path / "out.csv", "--workers", 1)
    command = [str(part) for part in (*kept_project.options, *there)]
    runs = (
        f"import sys; from raresight.pipeline.cli import cli; cli({command}, standalone_mode=False)"
    )
    loaded = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for code in (lists, f"{runs}; print(*sys.modules)")
    ]
    assert "numpy" in loaded[0]
    assert not {"torch", "pandas", "sklearn", "pyarrow"}.intersection(loaded[0])
    assert "torch" in loaded[1]
    assert not {"pandas", "sklearn", "scipy", "matplotlib", "torchvision"}.intersection(loaded[1])
