"""What the files of a project say, as far as they are there, for a card to tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import SPLITS, Description
from raresight.pipeline.evaluation.decisions.kept import KeptDecision


def no_real_image(dataset: Dataset) -> bool:
    """Whether every image was drawn."""
    return "real" not in set(dataset.origins.tolist())


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """``description`` is dataset.json's; ``originals`` the images of each class by split, and
    ``copies`` how many augmented ones are learned from, too; ``drawn`` says that no image is real.
    """

    description: Description
    originals: Mapping[str, Mapping[str, int]]
    copies: int
    drawn: bool

    @classmethod
    def of_summary(
        cls, dataset: Dataset, images: Mapping[str, Mapping[str, Mapping[str, int]]]
    ) -> "DatasetFacts":
        """Of the originals and the ``images`` of the split's summary.json."""
        return cls(
            description=dataset.description,
            drawn=no_real_image(dataset),
            originals={
                split: {label: tally["originals"] for label, tally in classes.items()}
                for split, classes in images.items()
                if split in SPLITS
            },
            copies=sum(tally["copies"] for tally in images["train"].values()),
        )


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """``model`` is model.json; ``decision`` what evaluate kept, ``results`` its results.json,
    ``dataset`` what it was trained on; None where that is not known.
    """

    model: Mapping[str, Any]
    decision: KeptDecision | None = None
    results: Mapping[str, Any] | None = None
    dataset: DatasetFacts | None = None
