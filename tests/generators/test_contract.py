"""What every registered generator keeps: factors inside what they are drawn from, label, mask and
boxes that agree, natural shares, and the same bytes however the work is cut.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_otherwise import keep_otherwise
from PIL import Image

from raresight.generators import GENERATORS
from raresight.generators.base import COLUMNS, Record
from raresight.generators.carla import open_stream, record
from raresight.generators.drawing.objects import box_around
from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset import Dataset, schema
from raresight.pipeline.dataset.columns import PixelMap
from raresight.pipeline.evaluation.uncertainty.intervals import wilson
from raresight.pipeline.stages import generate

SIDE = 64
OPTIONS = {  # where there is no default
    "folder": {"path": "pictures"},
    "carla": {"path": "record"},
    "table": {"path": "pictures/labels.csv"},
    "medmnist": {"path": "set.npz"},
    "huggingface": {"path": "t.parquet"},
    "webdataset": {"path": "t.tar"},
    "coco": {"path": "coco.json", "take": "boxes"},
}


@pytest.fixture(scope="module", autouse=True)
def pictures(tmp_path_factory):
    """A folder to work in, with what generators need that read files."""
    folder = tmp_path_factory.mktemp("contract")
    for label, colour in (("cat", "red"), ("dog", "blue")):
        path = folder / "pictures" / label / "1.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (SIDE, SIDE), colour).save(path)
    table = "file,label,site\ncat/1.png,cat,a\ndog/1.png,dog,b\n"
    (folder / "pictures" / "labels.csv").write_text(table)
    keep_otherwise(folder, {one: folder / "pictures" / one / "1.png" for one in ("cat", "dog")})
    with open_stream(None, size=SIDE, seed=1, crossing=0.5) as stream:
        record.write(stream, folder / "record", 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def build(name: str):
    kind = GENERATORS[name]
    return kind(kind.options.model_validate(OPTIONS.get(name, {})), SIDE)


def every(**needs):
    names = [
        n for n, kind in GENERATORS.items() if all(getattr(kind, k) == v for k, v in needs.items())
    ]
    return pytest.mark.parametrize("name", sorted(names))


def draw(generator, label: str, seed: int):
    record = Record(id=f"{label}-{seed}", label=label)
    return generator.sample(record, seeds.rng(seed, "test", record.id))


@every(countable=True)
@given(seed=st.integers(0, 2**32), which=st.integers(0, 99))
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_a_sample_is_what_its_generator_declares(name, seed, which):
    generator = build(name)
    label = sorted(generator.classes)[which % len(generator.classes)]
    sample = draw(generator, label, seed)
    assert sample.label == label
    assert (sample.image.shape, sample.image.dtype) == ((SIDE, SIDE, 3), np.uint8)
    assert set(sample.factors) <= set(generator.factors)
    given_to_it = {**sample.factors, "label": label}
    for factor, law in generator.distributions().items():
        value = sample.factors[factor]
        assert law.contains(value, given_to_it), f"{factor} = {value} is not in {law}"
    for factor, value in sample.factors.items():
        kind = str if generator.factors[factor][0] == "string" else (int, float)
        assert value is None or isinstance(value, kind), factor


@every(countable=True)
@given(seed=st.integers(0, 2**32), which=st.integers(0, 99))
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_mask_boxes_and_instances_agree(name, seed, which):
    generator = build(name)
    label = sorted(generator.classes)[which % len(generator.classes)]
    sample = draw(generator, label, seed)
    assert (sample.mask is not None) == ("mask" in generator.columns)
    assert sample.mask.dtype == np.uint8
    assert set(np.unique(sample.mask)) <= {0, 1}
    outside = sample.mask.copy()
    for x, y, width, height in sample.boxes:
        assert width > 0
        assert height > 0
        rows = slice(int(np.floor(max(0, y))), int(np.ceil(y + height)))
        columns = slice(int(np.floor(max(0, x))), int(np.ceil(x + width)))
        outside[rows, columns] = 0
    assert not outside.any(), "a pixel of the label lies in no box"
    assert (len(sample.boxes) > 0) == bool(sample.mask.any())
    if "boxes" in generator.columns and sample.mask.any():
        assert _around(sample.boxes) == box_around(_objects(sample))
    for column in generator.columns:
        values = getattr(sample, column)
        assert values is not None
        if isinstance(kind := schema.COLUMNS[column].kind, PixelMap):
            assert (values.shape, values.dtype) == ((SIDE, SIDE), kind.dtype)


def _objects(sample) -> np.ndarray:
    """The pixels of the objects that carry the label; the mask may mark only a part of each."""
    if sample.instances is None:
        return sample.mask == 1
    return np.isin(sample.instances, np.unique(sample.instances[sample.mask == 1]))


def _around(boxes) -> tuple[float, float, float, float]:
    """The box (x, y, width, height) around several."""
    x, y, width, height = np.array(boxes, float).T
    left, top = x.min(), y.min()
    return left, top, (x + width).max() - left, (y + height).max() - top


@every()
def test_classes_shares_and_factors_are_declared(name):
    generator = build(name)
    shares = generator.shares()
    assert set(shares) == set(generator.classes)
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= 0
    assert set(generator.columns) <= set(COLUMNS)
    assert generator.summary
    assert all(
        kind in ("float", "string") and meaning for kind, meaning in generator.factors.values()
    )
    assert set(generator.distributions()) <= set(generator.factors)


def test_a_factor_of_one_name_is_of_one_kind():
    kinds = {(n, kind) for g in GENERATORS.values() for n, (kind, _) in g.factors.items()}
    assert [n for n, count in Counter(n for n, _ in kinds).items() if count > 1] == []


@every(countable=True)
@pytest.mark.parametrize("count", [1000, 10_000])
def test_the_natural_shares_are_met_within_their_interval(name, count):
    generator = build(name)
    (stream,) = generator.streams("s", count=count)
    labels = Counter(record.label for record in stream)
    for label, share in generator.shares().items():
        low, high = wilson(labels[label], count, confidence=0.95)
        assert low <= share <= high, label


def params_of_all(folder: Path) -> Path:
    sources = []
    for name, kind in sorted(GENERATORS.items()):
        source = {"generator": name, "options": OPTIONS.get(name, {})}
        if kind.countable:
            labels = sorted(build(name).classes)[:2]
            source["counts"] = dict.fromkeys(labels, 3)
        sources.append(source)
    section = {"seed": 1, "image_size": SIDE, "positive": None, "sources": sources}
    path = folder / "params.yaml"
    path.write_text(json.dumps({"generate": section}))
    return path


@pytest.fixture(scope="module")
def hashes(pictures):
    """The sha256 of every shard, by its source, in one process, in two, and in reversed order."""
    params = params_of_all(pictures)

    def backwards(work, tasks, *, workers=None, executor="local"):
        done = [work(task) for task in reversed(tasks)]
        return reversed(done)

    def run(name: str, workers: int) -> dict[str, list[str]]:
        made = Dataset(generate.run(params, pictures / name, workers=workers))
        found: dict[str, list[str]] = {}
        for shard in made.description.shards:
            assert sha256(made.folder / shard.file) == shard.sha256
            found.setdefault(shard.source, []).append(shard.sha256)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "SHARD_BYTES", SIDE * SIDE * 3)  # one image a shard
        ways = {"one": run("one", 1), "two": run("two", 2)}
        patch.setattr(generate, "map_shards", backwards)
        return {**ways, "backwards": run("backwards", 1)}


@every()
@pytest.mark.parametrize("way", ["two", "backwards"])
def test_the_bytes_do_not_depend_on_how_the_work_is_cut(name, way, hashes):
    assert len(hashes["one"][name]) >= 2
    assert hashes["one"][name] == hashes[way][name]
