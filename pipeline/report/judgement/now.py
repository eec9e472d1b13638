"""What the sliders' panel shows before anything is moved, so that it is right without a script.

Texts read as the page's script writes them (template/assets/panel.js); a test compares both.
"""

import math
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.evaluation.prevalence import (
    MILLION,
    Values,
    at_prevalence,
    reweight_to_prevalence,
)
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.report.judgement.operating import Stops
from raresight.pipeline.wording.numbers import DASH, number, share


@dataclass(frozen=True, kw_only=True)
class Readout:
    """A metric's value and interval, in [0, 1] and as texts, and that of never predicting it."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    between: str
    never: float | None
    never_text: str


@dataclass(frozen=True, kw_only=True)
class Now:
    """The panel's texts at one threshold and one prevalence.

    ``cells`` are tp, fn, fp and tn among a million images; ``squares`` the true positives among 100
    predicted positives.
    """

    threshold: str
    prevalence: str
    readouts: tuple[Readout, ...]
    cells: dict[str, str]
    counted: str
    says: str
    of_predicted: str
    squares: int


def panel_now(stops: Stops, *, prevalence: float, settings: IntervalSettings) -> Now:
    """The panel at the chosen threshold, where a share ``prevalence`` of images is positive."""
    tp, fp = stops.tp[stops.chosen], stops.fp[stops.chosen]
    recall, rate = tp / stops.positives, fp / stops.negatives
    values = at_prevalence(recall=recall, specificity=1 - rate, prevalence=prevalence)
    found = recall * prevalence * MILLION
    alarms = rate * (1 - prevalence) * MILLION
    positives = prevalence * MILLION
    cells = {
        "tp": found,
        "fn": positives - found,
        "fp": alarms,
        "tn": MILLION - positives - alarms,
    }
    of_predicted, squares = _of_predicted(values["precision"])
    return Now(
        threshold=stops.thresholds[stops.chosen],
        prevalence=f"{one_in(prevalence)} · {share(prevalence)}",
        readouts=_readouts(stops, values, prevalence, settings),
        cells={name: amount(value) for name, value in cells.items()},
        counted=f"Counted on the test images: {tp:,} of {stops.positives:,} found, "
        f"{fp:,} false positives among {stops.negatives:,}.",
        says=_says(values, found=found, alarms=alarms, prevalence=prevalence),
        of_predicted=of_predicted,
        squares=squares,
    )


def lines_over(stops: Stops, prevalences: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric of the sliders at ``prevalences`` (points,), at the chosen threshold; NaN where
    it is undefined."""
    recall = stops.tp[stops.chosen] / stops.positives
    rate = stops.fp[stops.chosen] / stops.negatives
    negative = 1 - prevalences
    counts = np.moveaxis(
        np.array(
            [
                [(1 - rate) * negative, rate * negative],
                [(1 - recall) * prevalences, recall * prevalences],
            ]
        ),
        -1,
        0,
    )
    found = {}
    for name in shown("sliders", positive=True):
        decided = METRICS[name].decided(counts)
        assert decided is not None  # the sliders show what the counts decide
        found[name] = decided if METRICS[name].scope == "set" else decided[:, 1]
    return found


def one_in(prevalence: float) -> str:
    """A share as one in so many."""
    images = 1 / prevalence
    return f"1 in {images:.3g}" if prevalence > 0.1 else f"1 in {_rounded(images)}"


def amount(value: float) -> str:
    """A number of images, with a decimal where there are few."""
    return f"{value:.1f}" if 0 < value < 10 else _rounded(value)


def _rounded(value: float) -> str:
    return f"{math.floor(value + 0.5):,}"


def _readouts(
    stops: Stops, values: Values, prevalence: float, settings: IntervalSettings
) -> tuple[Readout, ...]:
    tp, fp = stops.tp[stops.chosen], stops.fp[stops.chosen]
    counts = np.array([[stops.negatives - fp, fp], [stops.positives - tp, tp]])
    ends = reweight_to_prevalence(counts, prevalence=prevalence, positive="", settings=settings)
    never = at_prevalence(recall=0, specificity=1, prevalence=prevalence)
    own = stops.positives / (stops.positives + stops.negatives)
    found = []
    for name in shown("sliders", positive=True):
        value, low, high = values[name], ends[name].low, ends[name].high
        known = value is not None and low is not None and high is not None
        # Where no false positive was seen and positives are rarer than here, it is a bound.
        bound = known and ends[name].value is None and prevalence < own
        found.append(
            Readout(
                metric=name,
                value=value,
                low=low if known else None,
                high=high if known else None,
                text=f"\N{GREATER-THAN OR EQUAL TO}\N{NO-BREAK SPACE}{_number(low)}"
                if bound
                else _number(value),
                between=f"{_number(low)}{DASH}{_number(high)}" if known else "",
                never=never[name],
                never_text=_number(never[name]),
            )
        )
    return tuple(found)


def _number(value: float | None) -> str:
    """As :func:`number`, without exponents."""
    if value is not None and 1e-6 <= value < 0.0095:
        return f"{value:.{1 - math.floor(math.log10(value))}f}"
    return number(value)


def _of_predicted(precision: float | None) -> tuple[str, int]:
    if precision is None:
        return "Nothing is predicted positive.", 0
    if precision == 0:
        return "No predicted positive is right.", 0
    filled = math.floor(100 * precision + 0.5)
    verb = "is" if filled <= 1 else "are"
    return f"Of 100 predicted positives, {filled or 'less than one'} {verb} right:", filled


def _says(values: Values, *, found: float, alarms: float, prevalence: float) -> str:
    """What becomes of a million images."""
    accuracy, precision, positives = values["accuracy"], values["precision"], prevalence * MILLION
    assert accuracy is not None  # there are images
    start = f"Of a million images, {amount(positives)} are positive. "
    if precision is None:
        return f"{start}The model finds none of them, and is {share(accuracy)} accurate."
    if accuracy == 1 - prevalence:
        than = "exactly as accurate as"
    else:
        than = f"{'more' if accuracy > 1 - prevalence else 'less'} accurate than"
    one = ""
    if found > 0 and precision < 0.95:
        one = f" (1\N{NO-BREAK SPACE}in\N{NO-BREAK SPACE}{1 / precision:.{int(precision > 0.1)}f})"
    return (
        f"{start}The model predicts {amount(found + alarms)} positive, of which {amount(found)} "
        f"are right{one}, and misses {amount(positives - found)}. "
        f"It is {than} predicting that none is."
    )
