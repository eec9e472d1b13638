"""What enlarging a rare class gives, beside nothing, plain copies and new real images.

``python -m benchmarks.enlarging [pathology flow digits] [--seeds 3] [--json FILE]``. ``pathology``:
drawn tissue of 32 pixels, 100 dividing cells beside 3,000 patches without one, 8 made images for
each positive (or 4 and 4), as many steps for every net of the product, judged on 600 + 3,000 new
patches; one core, half a minute an arm and seed. ``flow``: the same with 8 images of each drawn by
a flow, which is fitted in five to ten minutes. ``digits``: scikit-learn's real digits, 15 of the
rare class beside all others of 1,000, a support vector machine, flows, and stand-ins for
composites, which digits without masks have none of; the stage's rule chooses on validation. Three
minutes a seed.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks import by_seed
from benchmarks.flow_digits import flow
from benchmarks.inputs import params_document
from benchmarks.trained import tested

POSITIVE, KNOWN, OTHERS, MADE, NEW = "mitotic", 100, 3000, 8, 4
EPOCHS = 20  # without made images; with them as many steps
FLOW = {"name": "flow", "steps": 2000}  # the method, in bfloat16


@dataclass(frozen=True, kw_only=True)
class Arm:
    """``copies`` and ``made`` images of each positive, and how many times as many real ones."""

    copies: int = 0
    made: int = 0
    method: Mapping[str, Any] = field(default_factory=lambda: {"name": "composites"})
    real: int = 1


ARMS: Mapping[str, Arm] = {
    "nothing": Arm(),
    "copies": Arm(copies=MADE),
    "composites": Arm(made=MADE),
    "half copies, half composites": Arm(copies=MADE // 2, made=MADE // 2),
    f"{NEW} times as many new positives": Arm(real=1 + NEW),
}
FLOW_ARMS: Mapping[str, Arm] = {
    "nothing": Arm(),
    "copies": Arm(copies=MADE),
    "flow": Arm(made=MADE, method=FLOW),
}


def pathology_document(seed: int, arm: Arm) -> dict[str, Any]:
    """Params of an arm: what teaches, what chooses and what judges are sources of their own."""
    found = params_document()

    def source(name: str, positives: int, others: int, split: str) -> dict[str, Any]:
        return {
            "name": name, "generator": "pathology", "splits": [split],
            "counts": {POSITIVE: positives, "normal": others},
        }  # fmt: skip

    found["generate"] = {
        "seed": seed,
        "image_size": 32,
        "positive": POSITIVE,
        "sources": [
            source("seen", KNOWN * arm.real, OTHERS, "train"),
            source("judged", 200, 2000, "val"),
            source("unseen", 600, 3000, "test"),
        ],
    }
    found["augment"]["copies"] = {POSITIVE: arm.copies} if arm.copies else {}
    found["enlarge"] = {
        "seed": seed,
        "classes": {POSITIVE: arm.made} if arm.made else {},
        "method": dict(arm.method),
    }
    images = OTHERS + KNOWN * (arm.real + arm.copies + arm.made)
    epochs = round(EPOCHS * (OTHERS + KNOWN) / images)
    found["train"].update(seed=seed, epochs=epochs, batch_size=64, threads=1, early_stopping=None)
    found["train"]["batch_augment"].update(flip="both", rotate90=True, shift=4)
    found["train"]["model"].update(width=16, blocks=[1, 1, 1])
    found["train"]["optimizer"]["learning_rate"] = 5.0e-3
    found["train"]["sampler"]["max_per_class"] = None
    found["train"]["precision"] = "bfloat16"
    return found


def pathology(seed: int, arms: Mapping[str, Arm] = ARMS) -> Iterator[dict[str, Any]]:
    """A row an arm: average precision on validation and on test, and what the checks say."""
    from raresight.pipeline.core.files import read_json
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.stages import augment, enlarge, generate, split
    from raresight.pipeline.training.inputs import open_images
    from raresight.pipeline.training.params import TrainParams

    for called, arm in arms.items():
        with tempfile.TemporaryDirectory(prefix="raresight-bench-") as name:
            params, data = Path(name) / "params.yaml", Path(name) / "data"
            YAML().dump(pathology_document(seed, arm), params)
            generate.run(params, data, workers=1)
            augment.run(params, data, workers=1)
            split.run(params, data)
            enlarge.run(params, data)
            # Of a flow alone: the nets of all arms learn in float32.
            train = load_section(params, "train", TrainParams).model_copy(
                update={"precision": "float32"}
            )
            images = open_images(params, train, data)
            chosen, judged = tested(images, train, data, "val", "test")
            checks = read_json(data / "enlarged/report.json")["classes"]
            yield {"seed": seed, "arm": called, "val": chosen, "AP": judged, "checks": checks}


RARE, FEW, TRIED, DRAWS = 8, 15, (0, 1, 2, 4, 8), 3


def copies(images: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """The images, over and over: what a generator that memorizes makes."""
    noise = draw.normal(0, 0.02, (count, images.shape[1]))
    return images[np.arange(count) % len(images)] + noise


def moved(images: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Turned, scaled and shifted a little."""
    import cv2

    found = []
    for image in images[np.arange(count) % len(images)]:
        angle, scale = draw.normal(0, 9), float(np.exp(draw.normal(0, 0.08)))
        matrix: np.ndarray = cv2.getRotationMatrix2D((3.5, 3.5), angle, scale)
        matrix[:, 2] += draw.normal(0, 0.4, 2)
        found.append(cv2.warpAffine(image.reshape(8, 8), matrix, (8, 8)).ravel())
    return np.array(found)


def mixed(images: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Somewhere between an image and another near it (SMOTE; Chawla et al. 2002)."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=6).fit(images).kneighbors(images, return_distance=False)
    one = np.arange(count) % len(images)
    other = near[one, draw.integers(1, 6, count)]
    found: np.ndarray = images[one] + draw.random((count, 1)) * (images[other] - images[one])
    return found


def noise(images: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """As a generator that was trained too briefly: the label is not in it."""
    return draw.uniform(0, 1, (count, images.shape[1]))


MAKERS = {
    "copies": copies,
    "moved copies": moved,
    "mixtures (SMOTE)": mixed,
    "noise": noise,
    "images of a flow": flow,
}


def digits(seed: int) -> Iterator[dict[str, Any]]:
    """A row for each maker and number of made images, with what the sweep's rule chose."""
    from sklearn.datasets import load_digits
    from sklearn.metrics import average_precision_score
    from sklearn.svm import SVC

    from raresight.pipeline.enlarging.checks import neighbors
    from raresight.pipeline.enlarging.share import choose
    from raresight.pipeline.sweeps.gains import gains

    pixels, labels = load_digits(return_X_y=True)
    pixels, rare = (pixels / 16).astype(np.float32), labels == RARE
    draw = np.random.Generator(np.random.PCG64(seed))
    pool, val, test = np.split(draw.permutation(len(labels)), [1000, 1400])
    mine, others = pool[rare[pool]], pool[~rare[pool]]
    known, new = mine[:FEW], mine[FEW:]

    def scores(more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = np.concatenate((pixels[known], more, pixels[others]))
        y = np.arange(len(x)) < FEW + len(more)
        model = SVC(C=5, gamma=0.3, class_weight="balanced").fit(x, y)
        return model.decision_function(pixels[val]), model.decision_function(pixels[test])

    def reached(found: np.ndarray, rows: np.ndarray) -> float:
        return float(average_precision_score(rare[rows], found))

    base = scores(pixels[known][:0])
    row: dict[str, Any] = {"seed": seed, "val": reached(base[0], val), "AP": reached(base[1], test)}
    yield row | {"arm": "nothing"}
    for times in (1, 2, 4):
        first, second = scores(pixels[new[: FEW * times]])
        yield {"seed": seed, "arm": f"{times}x new real ones", "val": reached(first, val),
               "AP": reached(second, test)}  # fmt: skip
    for name, maker in MAKERS.items():
        made = [maker(pixels[known], FEW * max(TRIED), draw) for _ in range(DRAWS)]
        every = [[base] * DRAWS] + [[scores(one[: FEW * k]) for one in made] for k in TRIED[1:]]
        on_val = np.array([[first for first, _ in several] for several in every])
        chosen, _ = choose(TRIED, gains(on_val, rare[val], val, seed=seed))
        near = neighbors(made[0], pixels[known], pixels[val[rare[val]]])
        for times, several in zip(TRIED[1:], every[1:], strict=True):
            yield {
                "seed": seed,
                "arm": f"{times}x {name}",
                "val": float(np.mean([reached(first, val) for first, _ in several])),
                "AP": float(np.mean([reached(second, test) for _, second in several])),
                "chosen": chosen == times,
                "neighbors": None if near is None else vars(near),
            }


def table(name: str, rows: list[dict[str, Any]]) -> Table:
    """Means over the seeds; gains over nothing and over plain copies with their standard error."""
    seeds = sorted({row["seed"] for row in rows})
    by_arm = {
        arm: np.array([[row["val"], row["AP"]] for row in rows if row["arm"] == arm])
        for arm in dict.fromkeys(row["arm"] for row in rows)
    }
    shown = Table(title=f"{name}: {len(seeds)} seeds")
    headings = ("learned from, besides", "validation", "test", "gain", "over copies", "chosen")
    for heading in (*headings, "memorized", "coverage", "recall"):
        shown.add_column(heading, justify="left" if shown.columns == [] else "right")
    for arm, values in by_arm.items():
        plain = "copies" if "copies" in by_arm else f"{max(TRIED)}x copies"
        gained = [_gain(values[:, 1] - by_arm[base][:, 1]) for base in ("nothing", plain)]
        mine = [row for row in rows if row["arm"] == arm]
        chosen = (
            f"{sum(row['chosen'] for row in mine)} of {len(mine)}" if "chosen" in mine[0] else ""
        )
        near = [row["neighbors"] for row in mine if row.get("neighbors")]
        keys = ("memorized", "coverage", "recall") if near else ()
        told = [f"{np.mean([one[key] for one in near]):.2f}" for key in keys]
        shown.add_row(arm, *(f"{one:.3f}" for one in values.mean(axis=0)), *gained, chosen, *told)
    return shown


def _gain(differences: np.ndarray) -> str:
    error = differences.std(ddof=1) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return f"{differences.mean():+.3f} ± {error:.3f}"


SCENARIOS: Mapping[str, Callable[[int], Iterator[dict[str, Any]]]] = {
    "pathology": pathology,
    "flow": partial(pathology, arms=FLOW_ARMS),
    "digits": digits,
}


def main() -> None:
    """Measure what is asked for and print it."""
    by_seed.run(
        "benchmarks.enlarging", SCENARIOS, lambda *found: [table(*found)], seeds=3, width=110
    )


if __name__ == "__main__":
    main()
