"""What cleaning gives, and what it throws away, where the faults are known.

``python -m benchmarks.cleaning [SCENARIO...] [--seeds 5] [--json FILE]``. Three scenarios: real
digits (scikit-learn's, class 8 cut to 12 images, 10 % of the labels wrong) with a logistic
regression, where wrong labels go into every class and where none goes into the rare one; and drawn
stars, 2 % of all, with the product's net and its stage. Of every seed all ways of choosing what to
leave out see the same out-of-fold scores, and each is judged by the average precision on clean test
images of a model trained without what it chose. One core: six minutes a seed for stars, a second
for digits.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks import by_seed
from benchmarks.inputs import params_document
from benchmarks.trained import tested
from raresight.pipeline.cleaning.labels import Judged, label_faults, neighbor_votes, rare_classes

RARE, KEPT, WRONG = 8, 12, 0.1  # of the digits: which class, how many of it, wrong labels
POSITIVE = "star"
Flags = Mapping[str, np.ndarray]


def choices(judged: Judged, wrong: np.ndarray) -> Flags:
    """What each way would leave out, bool (n,), by its name; ``wrong`` bool (n,) is the truth."""
    from cleanlab.filter import find_label_issues

    y, scores = judged.targets, judged.scores
    ours = label_faults(judged, second_opinion="rare")
    rows = np.arange(len(y))
    loss = scores[rows, y]
    ranked = np.zeros(len(y), bool)
    ranked[np.argsort(loss, kind="stable")[: int(wrong.sum())]] = True
    # A person puts the hidden ones right; here they are left out.
    return {
        "nothing": np.zeros(len(y), bool),
        "all wrong labels (oracle)": wrong,
        "clean, second opinion for the rare": ours.wrong,
        "the same, and the hidden rare": ours.wrong | ours.hidden,
        "clean, no second opinion": label_faults(judged, second_opinion="none").wrong,
        "cleanlab, as it comes": find_label_issues(y, scores, n_jobs=1),
        "highest loss, rate known": ranked,
        "argmax disagrees": scores.argmax(1) != y,
    }


def judge(
    flagged: np.ndarray, labels: np.ndarray, truth: np.ndarray, rare: int
) -> dict[str, float | None]:
    """Precision and recall of what was flagged, bool (n,), and what became of the rare class."""
    wrong = labels != truth

    def share(of: np.ndarray, among: np.ndarray) -> float | None:
        return float(of[among].mean()) if among.any() else None

    return {
        "precision": share(wrong, flagged),
        "recall": share(flagged, wrong),
        "rare precision": share(wrong, flagged & (labels == rare)),
        "rare recall": share(flagged, wrong & (labels == rare)),
        "good rare thrown": share(flagged, ~wrong & (labels == rare)),
        "hidden rare found": share(flagged, wrong & (truth == rare)),
        "good others thrown": share(flagged, ~wrong & (labels != rare)),
    }


def digits(seed: int, *, into_rare: bool) -> Iterator[dict[str, Any]]:
    """A row for each way, of one draw of the digits."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def fitted(x: np.ndarray, y: np.ndarray, balanced: bool = False) -> Any:
        weight = "balanced" if balanced else None
        model = LogisticRegression(C=0.05, max_iter=200, class_weight=weight)
        return make_pipeline(StandardScaler(), model).fit(x, y)

    pixels, every = load_digits(return_X_y=True)
    draw = np.random.Generator(np.random.PCG64(seed))
    order = draw.permutation(len(every))
    learned, test = order[:1100], order[1100:]
    few = learned[every[learned] == RARE][:KEPT]
    learned = np.concatenate((learned[every[learned] != RARE], few))
    x, truth = pixels[learned], every[learned]
    y = truth.copy()
    for row in np.flatnonzero(draw.random(len(truth)) < WRONG):
        others = [k for k in range(10) if k != truth[row] and (into_rare or k != RARE)]
        y[row] = draw.choice(others)
    scores = np.zeros((len(y), 10))
    votes = np.zeros((len(y), 10))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for seen, held in folds.split(x, y):
        model = fitted(x[seen], y[seen])
        scores[np.ix_(held, model[-1].classes_)] = model.predict_proba(x[held])
        votes[held] = neighbor_votes(x[held], x[seen], y[seen], 10)
    rare = rare_classes(np.bincount(y, minlength=10), None)
    judged = Judged(targets=y, scores=scores, votes=votes, rare=rare)
    for name, flagged in choices(judged, y != truth).items():
        model = fitted(x[~flagged], y[~flagged], balanced=True)
        found: float | None = None
        if RARE in model[-1].classes_:
            place = list(model[-1].classes_).index(RARE)
            ranks = model.predict_proba(pixels[test])[:, place]
            found = float(average_precision_score(every[test] == RARE, ranks))
        yield {"seed": seed, "way": name, "AP": found, **judge(flagged, y, truth, RARE)}


def stars_document(seed: int) -> dict[str, Any]:
    """2,000 images to learn from with planted faults, and a clean test set."""
    found = params_document()

    def source(name: str, counts: dict[str, int], splits: Any, **faults: Any) -> dict[str, Any]:
        options = {"classes": [*counts], "size": [0.65, 0.9]}
        options |= {"clutter": [0, 1], "occlusion": [0, 0.1]}
        return {
            "name": name, "generator": "shapes", "options": options, "counts": counts,
            "splits": splits, **faults,
        }  # fmt: skip

    rates = {"circle": {POSITIVE: 0.01}, "square": {POSITIVE: 0.01}}
    rates |= {POSITIVE: {"circle": 0.05, "square": 0.05}}
    faults = {
        "label_noise": {"name": "class_conditional", "rates": rates},
        "outliers": {
            "rate": 0.02,
            "kinds": ["wrong_domain", "blank", "over_exposed", "duplicated"],
        },
    }
    others = {"circle": 980, "square": 980}
    found["generate"] = {
        "seed": seed,
        "image_size": 32,
        "positive": POSITIVE,
        "sources": [
            source("seen", {POSITIVE: 40, **others}, ["train"], **faults),
            source("judged", {POSITIVE: 40, "circle": 200, "square": 200}, ["val"]),
            source("unseen", {POSITIVE: 300, "circle": 1500, "square": 1500}, ["test"]),
        ],
    }
    found["augment"]["copies"] = {}
    found["train"].update(seed=seed, epochs=20, batch_size=64, threads=1)
    found["train"]["batch_augment"].update(flip="both", rotate90=True, shift=3)
    found["train"]["model"].update(width=8, blocks=[1, 1])
    found["train"]["optimizer"]["learning_rate"] = 5.0e-3
    found["train"]["sampler"]["max_per_class"] = None
    found["clean"] = {"seed": seed, "labels": "advise", "outliers": "advise", "epochs": 40}
    return found


def stars(seed: int) -> Iterator[dict[str, Any]]:
    """A row for each way, and one of the outliers by kind, by the product's own net."""
    from raresight.pipeline.cleaning import judging
    from raresight.pipeline.cleaning.params import CleanParams
    from raresight.pipeline.cleaning.table import read_cleaning
    from raresight.pipeline.core.params import load_section
    from raresight.pipeline.stages import augment, clean, generate, split
    from raresight.pipeline.training.inputs import open_images
    from raresight.pipeline.training.params import TrainParams

    kept: list[judging.Judgement] = []

    def noted(*given: Any, **options: Any) -> judging.Judgement | None:
        kept.append(ask(*given, **options))
        return kept[-1]

    ask: Callable[..., Any] = judging.ask
    with tempfile.TemporaryDirectory(prefix="raresight-bench-") as name:
        params, data = Path(name) / "params.yaml", Path(name) / "data"
        YAML().dump(stars_document(seed), params)
        for stage in (generate, augment):
            stage.run(params, data, workers=1)
        split.run(params, data)
        judging.ask = noted
        try:
            clean.run(params, data, device="cpu")
        finally:
            judging.ask = ask
        summary = read_cleaning(data / "cleaning").summary
        yield {"seed": seed, "way": "outliers", **summary["planted"]["outliers"]}
        train = load_section(params, "train", TrainParams)
        section = load_section(params, "clean", CleanParams)
        assert section.seed == seed
        images = open_images(params, train, data)
        rows, index = kept[0].rows, images.originals.classes.index(POSITIVE)
        classes = np.asarray(images.originals.classes)
        truth = np.searchsorted(classes, images.originals.true_labels[rows])
        y = images.originals.targets[rows]
        counts = np.bincount(y, minlength=len(classes))
        judged = Judged(
            targets=y, scores=kept[0].scores, votes=kept[0].votes, rare=rare_classes(counts, index)
        )
        reached: dict[tuple[str, ...], float] = {}
        for way, flagged in choices(judged, y != truth).items():
            gone = images.originals.ids[rows[flagged]].tolist()
            if (known := tuple(gone)) not in reached:
                reached[known] = tested(replace(images, left_out=gone), train, data, "test")[0]
            yield {
                "seed": seed,
                "way": way,
                "AP": reached[known],
                **judge(flagged, y, truth, index),
            }


SCENARIOS: Mapping[str, Callable[[int], Iterator[dict[str, Any]]]] = {
    "digits": lambda seed: digits(seed, into_rare=True),
    "digits, none into the rare class": lambda seed: digits(seed, into_rare=False),
    "stars": stars,
}
_SHOWN = ("precision", "recall", "rare precision", "rare recall", "good rare thrown",
          "hidden rare found", "good others thrown")  # fmt: skip


def table(name: str, rows: list[dict[str, Any]]) -> Table:
    """Means over the seeds; gains of average precision over nothing with their standard error."""
    ways = dict.fromkeys(row["way"] for row in rows if row["way"] != "outliers")
    base = {row["seed"]: row["AP"] for row in rows if row["way"] == "nothing"}
    shown = Table(title=f"{name}: {len(base)} seeds")
    for heading in ("left out", *_SHOWN, "AP", "gain"):
        shown.add_column(heading, justify="left" if heading == "left out" else "right")
    for way in ways:
        mine = [row for row in rows if row["way"] == way]
        gains = np.array([row["AP"] - base[row["seed"]] for row in mine if row["AP"] is not None])
        error = gains.std(ddof=1) / len(gains) ** 0.5 if len(gains) > 1 else 0.0
        values = [[row[key] for row in mine if row[key] is not None] for key in _SHOWN]
        average = np.mean([row["AP"] for row in mine if row["AP"] is not None])
        shown.add_row(
            way,
            *(f"{np.mean(one):.2f}" if one else "-" for one in values),
            f"{average:.3f}",
            f"{gains.mean():+.3f} ± {error:.3f}",
        )
    return shown


def _outliers(rows: list[dict[str, Any]]) -> str:
    mine = [row for row in rows if row["way"] == "outliers"]
    kinds = sorted({kind for row in mine for kind in row["recall"]})
    found = {
        kind: np.mean([row["recall"][kind] for row in mine if kind in row["recall"]])
        for kind in kinds
    }
    by_kind = ", ".join(f"{kind} {value:.2f}" for kind, value in found.items())
    precision = np.mean([row["precision"] for row in mine])
    thrown = np.mean([row["good_thrown"] for row in mine])
    return f"outliers: precision {precision:.2f}, good flagged {thrown:.3f}; found: {by_kind}"


def _shown(name: str, rows: list[dict[str, Any]]) -> list[Table | str]:
    found: list[Table | str] = [table(name, rows)]
    if any(row["way"] == "outliers" for row in rows):
        found.append(_outliers(rows))
    return found


def main() -> None:
    """Measure what is asked for and print it."""
    by_seed.run("benchmarks.cleaning", SCENARIOS, _shown, seeds=5, width=150)


if __name__ == "__main__":
    main()
