"""What there is to know of a metric."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raresight.pipeline.evaluation.metrics.confusion import Counts, Parts, ratio

# Where a metric may be shown.
View = Literal[
    "table",  # the terminal's table of the model beside the baselines
    "card",  # a card on the page
    "deployment",  # at deployment prevalence, terminal and page
    "prevalences",  # the terminal's line for each of several prevalences
    "sliders",  # the page's panel of threshold and prevalence
    "per_class",  # the page's line for each class
    "calibration",  # the page's table of how far scores are probabilities
    "compare",  # versions are compared by it
    "seeds",  # mean and spread over trainings
    "headline",  # metrics.json, which DVC's tables show
]
# What kind of interval it gets: pipeline/evaluation/uncertainty/methods.py has them.
Family = Literal[
    "proportion", "mean_of_proportions", "roc_auc", "average_precision", "bootstrap", "calibration"
]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric.

    ``label`` is its name in a text, ``short`` in a narrow table. ``undefined`` says why it may be,
    with ``{label}`` for the class it is about. ``family`` is what kind of interval it gets, and
    ``higher_is_better`` in which direction it is optimized, ``lowest`` the least it can be.

    It is computed from one of these. Counts are (..., K, K), actual by predicted, leading axes
    being resamples; the result is (..., K), each class against the rest, where ``scope`` is
    ``class`` (the positive class's value is then that of the set), and (...) where it is ``set``.

    - ``parts``: counts to (successes, trials) of a proportion, which its interval is made from;
    - ``of_counts``: counts to values;
    - ``of_ranking``: positives and negatives at each level, (..., levels) each, to values (...);
    - ``of_scores``: targets (n,) and scores (n, K) to whether each row is right, bool (n,);
    - ``mean_of``: another metric of scope ``class``, averaged plainly or ``weighted`` by the images
      of each class;
    - none: what pipeline/evaluation/metrics/calibration.py measures of probabilities.

    ``min_classes`` is how many classes it takes. ``formula`` is the metric in the page's script, an
    expression of the numbers ``tp``, ``fp``, ``fn`` and ``tn``; for the sliders, where it has to be
    monotone in recall and specificity, as its interval is made from their ends.

    ``rare`` names the views that show it where there is a positive class, ``alike`` those where all
    classes matter alike.
    """

    label: str
    meaning: str
    undefined: str
    family: Family
    short: str = ""
    scope: Literal["class", "set"] = "class"
    parts: Callable[[Counts], Parts] | None = None
    of_counts: Callable[[Counts], np.ndarray] | None = None
    of_ranking: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    of_scores: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    mean_of: str | None = None
    weighted: bool = False
    min_classes: int = 1
    higher_is_better: bool = True
    lowest: float = 0.0
    formula: str | None = None
    rare: tuple[View, ...] = ()
    alike: tuple[View, ...] = ()

    @property
    def title(self) -> str:
        """The label as it begins a line."""
        return self.label[0].upper() + self.label[1:]

    @property
    def narrow(self) -> str:
        return self.short or self.label

    def decided(self, counts: Counts) -> np.ndarray | None:
        """The value by confusion ``counts`` (..., K, K); None where it takes more than these."""
        if self.of_counts is not None:
            return self.of_counts(counts)
        return None if self.parts is None else ratio(*self.parts(counts))
