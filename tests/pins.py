"""What each generator draws from fixed seeds, as digests that outlive the code that made them.

    python tests/pins.py         after a change that was meant: records the new digests

A generator's digests may change only together with its ``stream`` number (and a line in
CHANGELOG.md that names it) or the versions of the libraries that decide its bytes.
"""

import hashlib
import json
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from kept_otherwise import keep_otherwise
from PIL import Image

from raresight.generators import GENERATORS
from raresight.generators.base import Record
from raresight.generators.carla import open_stream, record
from raresight.pipeline.core import seeds

FILE = Path(__file__).with_name("pins.json")
SIDE, EACH = 32, 3
RENDERED = ("carla", "conveyor", "street")  # on whatever OpenGL there is: no two draw alike
FORMATS = ("medmnist", "huggingface", "webdataset", "coco")
LIBRARIES = (
    "numpy",
    "numba",
    "opencv-python-headless",
    "pillow",
    "matplotlib",
    "mujoco",
    "panda3d",
)


def known_versions(names) -> dict[str, str]:
    """The versions of libraries, and the processor's vector units, which round as they are wide."""
    found = {}
    for name in sorted({*names}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return found | {"simd": " ".join(sorted({*simd["baseline"], *simd["found"]}))}


def options(name: str, folder: Path) -> dict[str, Any]:
    """Options for those that read files, and the files, made here from nothing but numbers."""
    if name in ("folder", "table", *FORMATS):
        for number, label in enumerate(("cat", "dog")):
            path = folder / "pictures" / label / "1.png"
            path.parent.mkdir(parents=True)
            ramp = np.arange(SIDE * SIDE * 3, dtype=np.uint32) * (7 + number) % 256
            Image.fromarray(ramp.astype(np.uint8).reshape(SIDE, SIDE, 3)).save(path)
        if name in FORMATS:
            pictures = {label: folder / "pictures" / label / "1.png" for label in ("cat", "dog")}
            return keep_otherwise(folder, pictures)[name]
        if name == "folder":
            return {"path": str(folder / "pictures")}
        table = folder / "pictures" / "labels.csv"
        table.write_text("file,label\ncat/1.png,cat\ndog/1.png,dog\n")
        return {"path": str(table)}
    if name == "carla":
        with open_stream(None, size=SIDE, seed=1, crossing=0.5) as stream:
            record.write(stream, folder / "record", 8)
        return {"path": str(folder / "record")}
    return {}


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def draw(name: str) -> dict[str, Any]:
    """The digests of a few samples of each class of a generator."""
    kind = GENERATORS[name]
    with tempfile.TemporaryDirectory() as folder:
        generator = kind(kind.options.model_validate(options(name, Path(folder))), SIDE)
        if kind.countable:
            records = [
                Record(id=f"{label}-{k}", label=label)
                for label in sorted(generator.classes)
                for k in range(EACH)
            ]
        else:
            records = [record for stream in generator.streams(name) for record in stream]
        samples = [generator.sample(r, seeds.rng(1, "pins", r.id)) for r in records]
    images = np.stack([sample.image for sample in samples])
    masks = [b"" if s.mask is None else np.packbits(s.mask).tobytes() for s in samples]
    factors = [{k: _plain(v) for k, v in sorted(s.factors.items())} for s in samples]
    found: dict[str, Any] = {
        "stream": kind.stream,
        "versions": known_versions(set(LIBRARIES) & {*kind.libraries, "numpy"}),
        "labels": [sample.label for sample in samples],
        "factors": _digest(json.dumps(factors).encode()),
    }
    fields = images.reshape(len(images), 8, SIDE // 8, 8, SIDE // 8, 3)
    found["means"] = fields.mean(axis=(2, 4, 5)).round(1).tolist()
    if name not in RENDERED:
        found |= {"pixels": _digest(images.tobytes()), "masks": _digest(*masks)}
    return found


def _plain(value: float | str | None) -> float | str | None:
    # Twelve digits: the last bits of a sine are the processor's own.
    return float(f"{value:.12g}") if isinstance(value, (int, float)) else value


def refused(name: str, old: dict[str, Any], new: dict[str, Any], changelog: str) -> str | None:
    """Why a change of digests is no change that was meant."""
    if old["versions"] != new["versions"] or old == new:
        return None
    if new["stream"] <= old["stream"]:
        return f"{name} draws other bytes: raise its `stream` above {old['stream']}"
    if f"stream {new['stream']} of {name}" not in changelog:
        return f"CHANGELOG.md does not name 'stream {new['stream']} of {name}'"
    return None


def main() -> None:
    old = json.loads(FILE.read_text()) if FILE.is_file() else {}
    changelog = FILE.parents[1].joinpath("CHANGELOG.md").read_text()
    new = {name: draw(name) for name in sorted(GENERATORS)}
    problems = [refused(name, old[name], new[name], changelog) for name in new if name in old]
    if any(problems):
        sys.exit("\n".join(filter(None, problems)))
    FILE.write_text(json.dumps(new).replace(', "', ',\n "') + "\n")


if __name__ == "__main__":
    main()
