"""What the benchmarks work on: params, datasets, the same images as PNG files, and commands."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ruamel.yaml import YAML

from raresight.pipeline.commands import validate
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages import generate

ROOT = Path(__file__).resolve().parents[1]


def write_params(path: Path, changes: Mapping[str, Mapping[str, Any]]) -> Path:
    """The project's params.yaml with some keys of its sections replaced."""
    document = params_document()
    for section, values in changes.items():
        document[section].update(values)
    YAML(typ="safe").dump(document, path)
    return path


def params_document() -> dict[str, Any]:
    """The project's params.yaml as it stands, every default written out."""
    return validate.plain(validate.run(ROOT / "params.yaml"))


def pathology(side: int, **amount: Any) -> dict[str, Any]:
    """The generate section for patches of ``side`` pixels; ``amount`` says how many."""
    source = {"generator": "pathology", **amount}
    return {"image_size": side, "sources": [source]}


def draw(params: Path, data: Path) -> Dataset:
    """The dataset that the generate stage makes of the params."""
    return Dataset(generate.run(params, data))


def write_pngs(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """An ImageFolder: one subfolder a class, one PNG an image."""
    for label in np.unique(labels):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number:07d}.png")


def seconds_of(*command: str, folder: Path, caches: Path) -> float:
    """Wall-clock seconds of a command run in ``folder``.

    DVC's state goes below ``caches``. Raises CalledProcessError, with what the command said, when
    it fails.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(caches),
    }
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise subprocess.CalledProcessError(
            done.returncode, command, output=done.stdout + done.stderr
        )
    return seconds


def dvc(*arguments: str, folder: Path, caches: Path) -> float:
    """Seconds of a dvc command, its own start included."""
    return seconds_of(sys.executable, "-m", "dvc", *arguments, folder=folder, caches=caches)
