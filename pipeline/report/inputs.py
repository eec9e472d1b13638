"""What the page is made from: the data of every stage before it, as its files hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline.cleaning.table import Cleaning
from raresight.pipeline.core.arrow import places_in
from raresight.pipeline.core.params import Section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.report.images.made import Enlarged
from raresight.pipeline.report.params import ReportParams
from raresight.pipeline.runtime.errors import DataError

Columns = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """Everything that the page is made from.

    ``asked`` are the resolved sections of params.yaml; ``results`` and ``training`` the contents of
    evaluate's and train's results.json; ``card`` and ``fingerprint`` those of the model;
    ``augmented`` augment's report; ``splits`` the split's summary, ``images`` its counts;
    ``cleaning`` and ``enlarged`` what those stages wrote, None where one did not run;
    ``predictions`` are evaluate's tables by name, ``slices`` the rows of slices.tsv,
    ``reliability`` (``raw`` and ``calibrated``) columns of tables, and ``curves`` those of each
    training, the model's first.
    ``factors`` says what the factors mean, where their generator does; ``identity`` names all that
    the page is made from, and ``judgement`` is the MD5 by which dvc.lock lists evaluate's results.
    """

    params: ReportParams
    asked: Mapping[str, Section]
    originals: Dataset
    copies: Dataset
    results: Mapping[str, Any]
    training: Mapping[str, Any]
    card: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    augmented: Mapping[str, Any]
    images: Mapping[str, Any]
    splits: Mapping[str, Any]
    cleaning: Cleaning | None
    enlarged: Enlarged | None
    predictions: Mapping[str, pa.Table]
    slices: Sequence[Mapping[str, str]]
    reliability: Mapping[str, Columns]
    curves: Sequence[Columns]
    factors: Mapping[str, str]
    identity: str
    judgement: str

    @property
    def task(self) -> Task:
        return Task(classes=self.originals.classes, positive=self.originals.positive)

    @property
    def intervals(self) -> IntervalSettings:
        """How evaluate made its intervals, which those of the page have to agree with."""
        return IntervalSettings(**self.results["intervals"])

    @property
    def places(self) -> list[Mapping[str, Any]]:
        """The figures at every deployment prevalence; none without a positive class."""
        if "deployment" not in self.results:
            return []
        return list(self.results.get("deployment_at", {"": self.results["deployment"]}).values())

    @cached_property
    def test(self) -> Predictions:
        return self.outcome("test")

    def outcome(self, name: str) -> Predictions:
        """What was predicted of the test images in the table ``name``."""
        table, classes = self.predictions[name], np.asarray(self.task.classes)
        try:
            scores = np.stack([table[f"score.{label}"].to_numpy() for label in classes], axis=1)
        except KeyError as error:
            raise DataError(
                f"the predictions of {name} lack the column {error}. Run `raresight evaluate`."
            ) from None
        if not ((scores >= 0) & (scores <= 1)).all():
            raise DataError(
                f"the predictions of {name} have scores that are not from 0 to 1. "
                "Run `raresight evaluate`."
            )
        groups = np.unique(table["group"].to_numpy().astype(str), return_inverse=True)[1]
        return Predictions(
            task=self.task,
            targets=self._places(table, "label", name),
            scores=scores,
            predicted=self._places(table, "predicted", name),
            groups=groups,
        )

    def _places(self, table: pa.Table, column: str, name: str) -> np.ndarray:
        """The class in a column as an index, int64 (n,); DataError where it is none."""
        found = places_in(table[column], self.task.classes)
        if (found < 0).any():
            raise DataError(
                f"the predictions of {name} have a {column} that is none of the classes "
                f"{', '.join(self.task.classes)}. Run `raresight evaluate`."
            )
        return found
