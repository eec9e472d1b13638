"""A damaged Arrow file is refused: it neither ends the process nor is an error without a name."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.core.files import MANIFEST, manifest_problems, read_json, write_json
from raresight.pipeline.evaluation.predictions_table import parse
from raresight.pipeline.runtime.errors import DataError, InputMissing
from raresight.pipeline.splitting.table import make_table, write_splits

TIMES = 150
SCRIPT = Path(__file__).parents[1] / "damage.py"


def scores(rows: int = 40) -> pa.Table:
    ids = [f"image-{k}" for k in range(rows)]
    first = np.linspace(0, 1, rows)
    labels = ["cat" if k % 3 else "dog" for k in range(rows)]
    columns = {"score.cat": first, "score.dog": 1 - first, "factor.size": first}
    return pa.table({"id": ids, "label": labels, **columns})


def as_arrow(folder: Path) -> Path:
    with pa.ipc.new_file(folder / "scores.arrow", scores().schema) as writer:
        writer.write_table(scores())
    return folder / "scores.arrow"


def as_parquet(folder: Path) -> Path:
    pq.write_table(scores(), folder / "scores.parquet")
    return folder / "scores.parquet"


def as_splits(folder: Path) -> Path:
    ids = [f"image-{k}" for k in range(40)]
    write_splits(folder, make_table(ids=ids, source_ids=ids, groups=ids, splits=["train"] * 40))
    return folder / "splits.arrow"


@pytest.mark.parametrize(
    ("kind", "write"), [("table", as_arrow), ("table", as_parquet), ("splits", as_splits)]
)
def test_a_damaged_table_is_refused_or_read(kind, write, tmp_path):
    said = told(kind, write(tmp_path))
    assert said[2:] == []
    assert int(said[0]) + int(said[1]) == TIMES


def test_a_damaged_dataset_is_refused_or_read(project, tmp_path):
    shutil.copytree(project / "data/generated", tmp_path / "data")
    said = told("dataset", next((tmp_path / "data").glob("part-*.arrow")))
    assert said[2:] == []
    assert int(said[0]) > 0
    described = told("dataset", tmp_path / "data/dataset.json")
    assert described[2:] == []


def told(kind: str, path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), kind, str(path), str(TIMES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)  # -11: a segmentation fault
    return done.stdout.splitlines()


def test_offsets_that_point_elsewhere_are_refused(tmp_path):
    """By hand: the second text of four would end far beyond all of them."""
    offsets = pa.py_buffer(np.array([0, 4, 900, 5, 9], np.int32))
    texts = pa.StringArray.from_buffers(4, offsets, pa.py_buffer(b"abcdefghi"))
    with pa.ipc.new_file(tmp_path / "x.arrow", pa.schema([("id", pa.string())])) as writer:
        writer.write_batch(pa.record_batch([texts], names=["id"]))
    with pytest.raises(DataError, match=r"x\.arrow is not a readable Arrow file"):
        read_arrow(tmp_path / "x.arrow", missing="")
    with pytest.raises(InputMissing, match="Make it"):
        read_arrow(tmp_path / "y.arrow", missing="Make it.")


def test_a_text_of_a_megabyte_is_refused_before_it_is_one_in_every_row():
    table = scores()
    long = table.set_column(0, "id", pa.array(["x" * 2**20, *table["id"].to_pylist()[1:]]))
    with pytest.raises(DataError, match=r"there: row 1, column 'id': 1,048,576 characters"):
        parse(long, "there")


def test_a_manifest_of_another_shape_is_a_problem_and_no_crash(tmp_path):
    (tmp_path / "a").write_text("a")
    whole = {"bytes": 1, "sha256": "?"}
    for files in ({"a": {"bytes": 1, "sha2": "?"}}, {"a": 3}, ["a"], "a", {"../b": whole}):
        write_json(tmp_path / MANIFEST, {"files": files})
        assert len(manifest_problems(tmp_path)) == 1
    (tmp_path / MANIFEST).write_text("[" * 10_000)
    assert "is not valid JSON" in manifest_problems(tmp_path)[0]
    (tmp_path / "n.json").write_text("9" * 5000)
    with pytest.raises(DataError, match="is not valid JSON"):
        read_json(tmp_path / "n.json")
