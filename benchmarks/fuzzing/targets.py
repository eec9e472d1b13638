"""What is fuzzed: a function of bytes, the files to begin from, and which errors are answers."""

import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from raresight.generators.image_file import read_image
from raresight.generators.reading.png import plain_png
from raresight.generators.real.tables import READERS, BadTable, read_table
from raresight.pipeline.commands import validate
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import DESCRIPTION
from raresight.pipeline.evaluation.predictions_table import parse
from raresight.pipeline.runtime.errors import RaresightError
from raresight.pipeline.stages import generate

PARAMS = """
generate:
  seed: 1
  image_size: 8
  positive: square
  sources:
    - generator: shapes
      options: {classes: [circle, square], grounds: [plain]}
      counts: {circle: 3, square: 2}
augment: {seed: 1, copies: {square: 2}, spatial: [{name: HorizontalFlip, p: 0.5}]}
split: {seed: 1, ratios: {train: 0.6, val: 0.2, test: 0.2}}
clean: {}
enlarge: {}
train: {seed: 1, epochs: 2, model: {name: small_cnn, width: 4, blocks: [1]}}
evaluate: {seed: 1, slices: {min_images: 5}, threshold: {name: recall, target: 0.9}}
report: {}
"""
# What our own code must not raise, whatever a file holds; decoders of others may.
_OURS = (AttributeError, IndexError, KeyError, NameError, TypeError, ZeroDivisionError)


@dataclass(frozen=True, kw_only=True)
class Target:
    """``read`` takes bytes and raises an ``answers`` error where they are refused; ``seeds`` makes
    what to begin from in a folder; ``longest`` bytes are tried."""

    read: Callable[[Path, bytes], None]
    seeds: Callable[[Path], Iterator[bytes]]
    longest: int
    answers: tuple[type[Exception], ...] = (RaresightError,)


def _generated(folder: Path) -> Path:
    params = folder / "params.yaml"
    params.write_text(PARAMS)
    generate.run(params, folder / "data", workers=1)
    return folder / "data" / "generated"


def _dataset_seeds(folder: Path) -> Iterator[bytes]:
    made = _generated(folder)
    for place, name in enumerate(_dataset_files(made)):
        yield bytes([place]) + (made / name).read_bytes()


def _dataset_files(folder: Path) -> list[str]:
    return [DESCRIPTION, *sorted(path.name for path in folder.glob("*.arrow"))]


def _read_dataset(folder: Path, content: bytes) -> None:
    """A data set of which one file, that of the first byte, holds the others."""
    made, place = folder / "data" / "generated", folder / "read"
    if not made.is_dir():
        _generated(folder)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(made, place)
    names = _dataset_files(made)
    (place / names[content[0] % len(names)]).write_bytes(content[1:])
    found = Dataset(place)
    found.frame()
    found.images[range(len(found))]
    for column in (found.masks, found.boxes, found.instances, found.depth):
        if column is not None:
            [column[row] for row in range(len(found))]
    assert (found.targets < len(found.classes)).all()
    assert len(found.factors) == len(found.ids) == len(found.given_splits)


def _table_seeds(folder: Path) -> Iterator[bytes]:
    import pandas
    import pyarrow as pa
    from pyarrow import feather, parquet

    scores = [0.9, 0.2, 0.4, 0.7]
    frame = pandas.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "label": ["ill", "well", "ill", "well"],
            "score.ill": scores,
            "score.well": [1 - one for one in scores],
            "group": ["1", "1", "2", "2"],
            "factor.size": [1.5, 2.0, None, 4.0],
        }
    )
    text, place = frame.to_csv(index=False), folder / "seed"
    others = {".tsv": frame.to_csv(index=False, sep="\t"), ".txt": text.replace(",", ";")}
    for kind, suffix in enumerate(READERS):
        if suffix == ".parquet":
            parquet.write_table(pa.Table.from_pandas(frame), place)
        elif suffix in (".arrow", ".feather"):
            feather.write_feather(frame, str(place), compression="uncompressed")
        elif suffix in (".jsonl", ".ndjson"):
            place.write_text(frame.to_json(orient="records", lines=True))
        else:
            place.write_text(others.get(suffix, text))
        yield bytes([kind]) + place.read_bytes()
    binary = frame.rename(columns={"score.ill": "score"}).drop(columns=["score.well", "group"])
    yield b"\0" + binary.assign(label=["1", "0", "1", "0"]).to_csv(index=False).encode()


def _read_table(folder: Path, content: bytes) -> None:
    """A table of scores whose kind the first byte says."""
    path = folder / f"table{[*READERS][content[0] % len(READERS)]}"
    path.write_bytes(content[1:])
    try:
        found = parse(read_table(path), str(path))
    finally:
        path.unlink()
    assert np.isfinite(found.scores).all()
    assert ((found.scores >= -0.01) & (found.scores <= 1.01)).all()
    assert (found.labels < len(found.classes)).all()


def _params_seeds(folder: Path) -> Iterator[bytes]:
    yield PARAMS.encode()
    root = Path(__file__).resolve().parents[2]
    for path in (root / "params.yaml", *sorted((root / "params").glob("*.yaml"))):
        yield path.read_bytes()


def _read_params(folder: Path, content: bytes) -> None:
    path = folder / "params.yaml"
    path.write_bytes(content)
    sections = validate.run(path)
    json.dumps(validate.plain(sections), allow_nan=False)
    validate.resolved(sections)


def _image_seeds(folder: Path) -> Iterator[bytes]:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (9, 7, 3), np.uint8)
    deep = rng.integers(0, 65536, (5, 6), np.uint16)
    pictures = {
        "color": (Image.fromarray(pixels), ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")),
        "deep": (Image.fromarray(deep), ("PNG", "TIFF")),
        "levels": (Image.fromarray(pixels).quantize(8), ("PNG", "GIF", "TIFF", "BMP")),
        "bits": (Image.fromarray(pixels).convert("1"), ("PNG", "TIFF", "BMP")),
        "seen through": (Image.fromarray(pixels).convert("RGBA"), ("PNG", "WEBP", "TIFF")),
        "inks": (Image.fromarray(pixels).convert("CMYK"), ("JPEG", "TIFF")),
    }
    for picture, kinds in pictures.values():
        for kind in kinds:
            file = io.BytesIO()
            picture.save(file, kind)
            yield file.getvalue()


def _read_image(folder: Path, content: bytes) -> None:
    """An image as both ways read it; what decoders raise is an answer, whatever it is."""
    with contextlib.suppress(MemoryError):
        try:
            found = read_image(content, 8)
        except _OURS as error:
            if _raised_by_us(error):
                raise
            return
        except Exception:
            return
        assert found.shape == (8, 8, 3)
        assert found.dtype == np.uint8
    quick = plain_png(content)
    if quick is not None:
        slow = Image.open(io.BytesIO(content))
        assert (np.asarray(slow.convert("RGB")) == quick).all()


def _raised_by_us(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "raresight" in trace.tb_frame.f_globals.get("__name__", "")


TARGETS: Mapping[str, Target] = {
    "dataset": Target(read=_read_dataset, seeds=_dataset_seeds, longest=20_000),
    "table": Target(
        read=_read_table, seeds=_table_seeds, longest=6_000, answers=(RaresightError, BadTable)
    ),
    "params": Target(read=_read_params, seeds=_params_seeds, longest=12_000),
    "image": Target(read=_read_image, seeds=_image_seeds, longest=4_000),
}


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: a file is written for each try."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
