"""From a folder of images to a model in use: every command, and what it prints.

``python examples/new_project.py FOLDER [--images 600] [--epochs N]`` draws photos of metal parts,
some of them scratched, into FOLDER, and then does what somebody would who has such photos.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 64
SCRATCHED = 0.15
NEW = 8  # photos that come later

IN_ONNX = """
import csv
import numpy
import onnxruntime
import raresight

rows = list(csv.DictReader(open("scores.csv")))
images = numpy.stack([raresight.read_image(row["file"], 64) for row in rows])
session = onnxruntime.InferenceSession("parts.onnx")
score, probability, answer = session.run(None, {"images": images})
told = [max(float(row[f"score.{name}"]) for name in ("good", "scratched")) for row in rows]
print("the same scores:", numpy.allclose(score.max(axis=1), told, atol=1e-4))
"""
IN_DATASETS = """
from datasets import load_dataset

hub = load_dataset("hub")
print({split: rows.num_rows for split, rows in hub.items()})
print(hub["train"].features["label"], hub["train"][0]["image"].size)
"""
COMMANDS = (
    "raresight init parts --images photos",
    "cd parts",
    "dvc repro > repro.log 2>&1",
    "raresight evaluate --show | head -n 8",
    "raresight predict ../new --out scores.csv",
    "head -n 4 scores.csv",
    "raresight export model --format onnx --out parts.onnx",
    f"python -c '{IN_ONNX}'",
    "raresight export data --format parquet --out hub",
    f"python -c '{IN_DATASETS}'",
)


def draw(rng: np.random.Generator, *, scratched: bool) -> Image.Image:
    """A brushed metal surface under some light; a scratch is a thin bright line across a part."""
    lines = rng.normal(0, 12, (SIDE, 1, 1)) + rng.normal(0, 6, (SIDE, SIDE, 1))
    light = np.linspace(*rng.uniform(100, 170, 2), SIDE)[None, :, None]
    gray = np.clip(lines + light + rng.normal(0, 4, 3), 0, 255).astype(np.uint8)
    image = Image.fromarray(gray).filter(ImageFilter.GaussianBlur(0.6))
    if scratched:
        x, y = rng.uniform(8, SIDE - 8, 2)
        angle, length = rng.uniform(0, np.pi), rng.uniform(14, 30)
        across, down = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
        ends = (x - across, y - down, x + across, y + down)
        ImageDraw.Draw(image).line(ends, fill=tuple(rng.integers(190, 250, 3).tolist()), width=2)
    return image


def take_photos(folder: Path, count: int) -> None:
    """``photos`` with a subfolder a class, and ``new`` with photos that nobody has looked at."""
    rng = np.random.default_rng(1)
    for number in range(count + NEW):
        scratched = bool(rng.random() < SCRATCHED)
        label = "scratched" if scratched else "good"
        place = folder / "photos" / label if number < count else folder / "new"
        place.mkdir(parents=True, exist_ok=True)
        draw(rng, scratched=scratched).save(place / f"{number:04d}.png")


def run(command: str, folder: Path) -> None:
    """Print a command as a shell shows it, and then what it prints, empty lines left out."""
    print(f"\n$ {command}", flush=True)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "DVC_NO_ANALYTICS": "1",
        "HF_HOME": str(folder / ".cache"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = [line.rstrip() for line in done.stdout.strip().splitlines()]
    print("\n".join(line for line in lines if line), flush=True)
    if done.returncode:
        raise SystemExit(f"`{command}` failed with {done.returncode}")


def main(arguments: list[str] | None = None) -> None:
    """Draw the photos, and go the road."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--epochs", type=int, help="fewer than init asks for, for a quick look")
    asked = parser.parse_args(arguments)
    take_photos(asked.folder, asked.images)
    here = asked.folder
    for command in COMMANDS:
        if command.startswith("cd "):
            print(f"\n$ {command}")
            here = here / command.removeprefix("cd ")
            params = here / "params.yaml"
            if asked.epochs:
                text = re.sub(r"epochs: \d+", f"epochs: {asked.epochs}", params.read_text())
                params.write_text(text)
            continue
        run(command, here)


if __name__ == "__main__":
    main()
