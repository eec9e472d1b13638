"""What every column keeps: what is written is read, what is unknown stays unknown, copies carry it
as it says, and it is a field of a generator's sample.
"""

import json
import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
from imports import ROOT

from raresight.generators.base import COLUMNS as FIELDS
from raresight.generators.base import Generator, Options, Record, Sample
from raresight.pipeline.augmentation.copies import ShardCopies, copied_columns, make_rows
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.dataset.columns import BoxList, Number, PixelMap, Text
from raresight.pipeline.dataset.schema import COLUMNS, OPTIONAL, Column, Description
from raresight.pipeline.generation.collector import Collector
from raresight.pipeline.generation.corruptions import Drawer, Outliers
from raresight.pipeline.stages.augment import describe_copies

SIDE = 6
SHAPE = (SIDE, SIDE, 3)
OBJECT = (slice(1, 4), slice(2, 5))

# A column that there is not (yet): one number an image. What holds for it holds for the next one.
WEIGHT = {"weight": Column(kind=Number(np.float64), optional=True)}


def examples(column: Column) -> list:
    """Values of a kind that differ, the last of them as little as the kind can say."""
    if isinstance(column.kind, PixelMap):
        some = np.zeros((SIDE, SIDE), column.kind.dtype)
        some[OBJECT] = 1
        return [some, np.zeros((SIDE, SIDE), column.kind.dtype)]
    if isinstance(column.kind, BoxList):
        return [[(2.0, 1.0, 3.0, 3.0), (0.5, 0.0, 1.25, 2.0)], []]
    if isinstance(column.kind, Text):
        return ["left", ""]
    return [column.kind.dtype(0.25), column.kind.dtype(0)]


@pytest.fixture(params=[*OPTIONAL, *WEIGHT])
def name(request, monkeypatch) -> str:
    """Every optional column, and one that is made up."""
    if request.param in WEIGHT:
        monkeypatch.setitem(COLUMNS, request.param, WEIGHT[request.param])
        for module in ("dataset.schema", "dataset.reader", "generation.corruptions"):
            monkeypatch.setattr(f"raresight.pipeline.{module}.OPTIONAL", (*OPTIONAL, *WEIGHT))
    return request.param


@dataclass(frozen=True, kw_only=True)
class WeightedSample(Sample):
    weight: float | None = None


@pytest.fixture
def column(name) -> Column:
    return COLUMNS[name]


def same(found, value) -> bool:
    if isinstance(value, str):
        return bool(found == value)
    return np.array_equal(
        np.asarray(found, float), np.asarray(value, float).reshape(np.shape(found))
    )


def test_what_is_written_is_read_and_what_is_unknown_stays_unknown(name, column, rows, dataset):
    some, least = examples(column)
    first = rows("abab", side=SIDE, columns={name: [some, None, least, some]})
    second = rows("ab", start=4, side=SIDE)  # of a source that does not know the column at all
    made = dataset(first, second, side=SIDE, columns=(name,))
    assert made.known(name).tolist() == [True, False, True, True, False, False]
    values = made.values(name)
    assert len(values) == 6
    for row, value in ((0, some), (2, least), (3, some)):
        assert same(values[row], value)
    for row in (1, 4, 5):
        assert values[row] is None or values[row] == "" or np.isnan(values[row])
    assert (name in made.frame()) == (not isinstance(column.kind, PixelMap))
    json.dumps(made.description.kinds()[name].kind.spelled(SHAPE))


def test_a_dataset_without_the_column_has_none(name, rows, dataset):
    made = dataset(rows("ab", side=SIDE), side=SIDE)
    assert made.values(name) is None
    assert not made.known(name).any()
    assert name not in json.loads((made.folder / "dataset.json").read_text())["columns"]


def test_a_column_that_the_description_does_not_name_is_refused(name, column, rows, dataset):
    with pytest.raises(ValueError, match=f"names no column {name}"):
        dataset(rows("a", side=SIDE, columns={name: [examples(column)[0]]}), side=SIDE, columns=())


def test_unknown_and_empty_values_take_no_room(name, column, rows, dataset):
    count = 500

    def size(label: str, value) -> int:
        made = rows("a" * count, side=SIDE, columns={name: [value] * count})
        folder = dataset(made, name=label, side=SIDE, columns=(name,)).folder
        return (folder / "part-00000.arrow").stat().st_size

    plain = dataset(rows("a" * count, side=SIDE), name="without", side=SIDE).folder
    without = (plain / "part-00000.arrow").stat().st_size
    some, least = examples(column)
    # An offset or a number a row at most, of 8 bytes, a bit for what is unknown, and the schema.
    for value in (None, least):
        assert size(f"with {value is None}", value) - without < 9 * count + 1500
    if isinstance(column.kind, PixelMap):
        assert size("full", some) - without > column.kind.bytes_per_row(SHAPE) * count


def originals(name, column, rows, dataset):
    some, least = examples(column)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[OBJECT] = 1
    columns = {"mask": [mask, mask * 0, None], name: [some, least, None]}
    made = rows("aaa", side=SIDE, columns=columns, groups=["p", "p", "q"])
    described = dataset(made, side=SIDE, columns=tuple(dict.fromkeys(["mask", name])))
    return described


def test_copies_carry_what_speaks_of_the_image_as_a_whole_and_masks_that_moved(
    name, column, rows, dataset
):
    made = originals(name, column, rows, dataset)
    flip = {"name": "HorizontalFlip", "p": 1.0}
    params = AugmentParams.model_validate(
        {"copies": {"a": 1}, "spatial": [flip], "pixel": [], "seed": 1}
    )
    shard = ShardCopies(rows=np.arange(3), label="a", copies=1, start=0, stop=3)
    copies, _ = make_rows(shard, made, params)
    assert copies.groups == ["p", "p", "q"]
    assert set(copies.columns) == set(copied_columns(made.description))
    assert describe_copies(params, made).columns == copied_columns(made.description)
    written = dataset(copies, name="copies", side=SIDE, columns=copied_columns(made.description))
    assert (name in copies.columns) == (name == "mask" or not column.kind.of_pixels)
    if name not in copies.columns:
        assert written.values(name) is None
        return
    assert written.known(name).tolist() == [True, True, False]
    for row, value in enumerate(examples(column)):
        expected = np.fliplr(value) if column.kind.of_pixels else value
        assert same(written.values(name)[row], expected)


def generator_of(name, value, *, countable: bool = True) -> Generator:
    """Draws black squares of which it says ``value``."""

    class Squares(Generator):
        classes = ("a",)
        columns = (name,)

        def sample(self, record, rng):
            image = np.zeros(SHAPE, np.uint8)
            return WeightedSample(image=image, label=record.label, **{name: value})

    Squares.countable = countable
    return Squares(Options(), SIDE)


def collected(name, generator, *, outliers: Outliers | None = None):
    records = [Record(id=f"r{k}", label="a", group="g" if k else None) for k in range(3)]
    collector = Collector(generator, 3, shape=SHAPE, columns=(name,), factors=())
    drawer = Drawer(generator=generator, records=records, seed=1, noise=None, outliers=outliers)
    for k in range(3):
        collector.put(records[k], drawer.draw(k))
    return collector.rows()


def test_what_a_generator_declares_is_collected(name, column, dataset):
    value = examples(column)[0]
    found = collected(name, generator_of(name, value))
    assert found.groups == ["r0", "g", "g"]
    made = dataset(found, side=SIDE, columns=(name,))
    assert made.known(name).all()
    assert all(same(made.values(name)[row], value) for row in range(3))


def test_what_is_drawn_is_known_and_what_is_read_in_may_not_be(name):
    with pytest.raises(ValueError, match=f"Squares declares the column {name}, but r0 has none"):
        collected(name, generator_of(name, None))
    assert collected(name, generator_of(name, None, countable=False)).columns[name] == [None] * 3


def test_where_the_image_is_replaced_nothing_is_said_of_places_in_it(name, column, dataset):
    some, least = examples(column)
    outliers = Outliers(rate=1.0, kinds=["blank"])
    rows = collected(name, generator_of(name, some), outliers=outliers)
    made = dataset(rows, side=SIDE, columns=(name,))
    assert made.images[0].any()  # gray, not black
    assert made.known(name).all()
    for row in range(3):
        assert same(made.values(name)[row], least if column.kind.of_pixels else some)


@pytest.mark.parametrize("name", [n for n in OPTIONAL if isinstance(COLUMNS[n].kind, PixelMap)])
def test_a_map_of_another_shape_is_refused_by_name(name):
    wide = np.ones((SIDE, SIDE + 1), np.uint8)
    shapes = re.escape(f"a map of shape {wide.shape}, not {SHAPE[:2]}")
    with pytest.raises(ValueError, match=f"column {name}, but r0 has {shapes}"):
        collected(name, generator_of(name, wide))


def test_optional_columns_are_the_fields_of_a_sample():
    """Where one is added, its entry in COLUMNS and its field in Sample are all it takes."""
    assert OPTIONAL == FIELDS
    sample = Sample(image=np.zeros(SHAPE, np.uint8), label="a")
    assert all(hasattr(sample, name) for name in OPTIONAL)


def test_what_is_always_there_is_never_null(rows, dataset):
    made = dataset(rows("ab"))
    with pa.memory_map(str(made.folder / "part-00000.arrow")) as file:
        schema = pa.ipc.open_file(file).schema
    assert {field.name: field.nullable for field in schema} == {
        name: False for name, column in COLUMNS.items() if not column.optional
    }


def test_the_documentation_lists_every_column_with_its_type():
    page = (ROOT / "docs/dataset.md").read_text()
    listed = dict(re.findall(r"^\| `([a-z_*.]+)` \| (.+?) \|", page, flags=re.MULTILINE))
    spelled = {
        name: column.kind.spelled((SIDE, SIDE, 3)).replace(f"{SIDE}, {SIDE}", "H, W")
        for name, column in COLUMNS.items()
    }
    assert {name: listed.get(name) for name in spelled} == spelled


def test_dataset_json_names_the_type_of_every_column(rows, dataset):
    made = dataset(rows("ab"), factors={"size": "float", "tint": "string"})
    raw = json.loads((made.folder / "dataset.json").read_text())
    assert raw["columns"]["image"] == "uint8 [8, 8, 3]"
    assert raw["columns"]["factor.size"] == "float64"
    assert list(raw["columns"]) == list(made.description.kinds())
    assert Description.read(made.folder) == made.description
    assert replace(made.description, seed=2) != made.description
