"""Does the interval of ``raresight plan --more-data`` hold the truth?

``python -m benchmarks.forecasts [--worlds 20] [--seeds 5]``: learning curves of a cheap learner,
shrunken discriminant analysis on scikit-learn's digits under noise: how well it ranks a digit with
3 to 25 images of it beside 500 others foretells what it reaches with the same images and as many or
three times as many new ones, on some 900 others. In every world other images are known and another
noise lies over them, and the ten digits take their turn as the one that is looked for. One core,
half a minute.
"""

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from raresight.pipeline.sweeps.learning_curve import Forecast, back_test, forecast

SHARES, TIMES = (1 / 8, 1 / 4, 1 / 2, 1.0), (2, 4)
KNOWN, OTHERS, TRUE_SEEDS, NOISE = 25, 500, 10, 0.6


def world(number: int, num_seeds: int) -> dict[str, object]:
    """What was foretold in one world, and what came true."""
    from sklearn.datasets import load_digits
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import average_precision_score

    pixels, digits = load_digits(return_X_y=True)
    pixels, positive = pixels / 16, digits == number % 10
    draw = np.random.Generator(np.random.PCG64(number))
    pixels = pixels + draw.normal(0, NOISE, pixels.shape)  # as they are, they are too easy
    mine, others = (draw.permutation(np.flatnonzero(one)) for one in (positive, ~positive))
    pool, test = mine[: 4 * KNOWN], np.concatenate((mine[4 * KNOWN :], others[2 * OTHERS :]))

    def error(positives: np.ndarray, negatives: np.ndarray) -> float:
        rows = np.concatenate((positives, negatives))
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        model.fit(pixels[rows], positive[rows])
        found = model.decision_function(pixels[test])
        return 1 - float(average_precision_score(positive[test], found))

    known, new, beside = pool[:KNOWN], pool[KNOWN:], others[:OTHERS]
    sizes = np.array([round(share * KNOWN) for share in SHARES], float)
    orders = [draw.permutation(known) for _ in range(num_seeds)]
    errors = np.array([[error(order[: int(n)], beside) for order in orders] for n in sizes])
    truth = [
        np.mean([
            error(np.concatenate((known, draw.permutation(new)[: (times - 1) * KNOWN])), beside)
            for _ in range(TRUE_SEEDS)
        ])
        for times in TIMES
    ]  # fmt: skip
    return {
        "ahead": forecast(sizes, errors, [times * KNOWN for times in TIMES], seed=number),
        "back_test": back_test(sizes, errors, seed=number),
        "now": errors[-1].mean(),
        "truth": truth,
    }


def _row(name: str, forecasts: list[Forecast], truth: np.ndarray, now: np.ndarray) -> list[str]:
    expected = np.array([one.expected for one in forecasts])
    low, high = (np.array([getattr(one, end) for one in forecasts]) for end in ("low", "high"))
    return [
        name,
        f"{truth.mean():.3f}",
        f"{np.abs(expected - truth).mean():.3f}",
        f"{((low <= truth) & (truth <= high)).mean():.2f}",
        f"{(high - low).mean():.3f}",
        f"{np.abs(now - truth).mean():.3f}",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.forecasts")
    parser.add_argument("--worlds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings a size (default: 3)")
    asked = parser.parse_args()
    found = [world(number, asked.seeds) for number in range(asked.worlds)]
    now = np.array([one["now"] for one in found], float)
    table = Table(title=f"1 - average precision in {asked.worlds} worlds, {asked.seeds} seeds")
    for heading in ("ahead", "truth", "off by", "held", "width", "as it is: off by"):
        table.add_column(heading, justify="right")
    for place, times in enumerate(TIMES):
        truth = np.array([one["truth"][place] for one in found], float)  # type: ignore[index]
        forecasts = [one["ahead"][place] for one in found]  # type: ignore[index]
        table.add_row(*_row(f"{times}x", forecasts, truth, now))
    back = [one["back_test"] for one in found]
    table.add_row(*_row("back-test", back, now, now))  # type: ignore[arg-type]
    console = Console()
    console.width = max(console.width, 90)
    console.print(table)


if __name__ == "__main__":
    main()
