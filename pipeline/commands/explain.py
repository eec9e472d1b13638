"""explain: the mistakes that the model was surest of, beside the pixels that they came from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from raresight.pipeline.commands.explained_picture import Explained, write_explained
from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.prediction.explaining import attributions, require_captum
from raresight.pipeline.prediction.predictor import Predictor, open_predictor
from raresight.pipeline.report.images.mistakes import surest
from raresight.pipeline.runtime.errors import DataError

KINDS = {"fp": "false positives", "fn": "false negatives", "wrong": "mistakes"}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How many mistakes of each kind were made and are ``drawn`` in the picture ``out``.

    ``in_mask`` is the mean share of what speaks for the class that lies on the object, over those
    drawn whose mask is known, and ``mask`` the share of the image that their masks fill, which is
    what chance would give; None where no mask is known.
    """

    out: str
    made: dict[str, int]
    drawn: dict[str, int]
    in_mask: float | None
    mask: float | None


def run(data: Path, out: Path, *, most: int, device: str = "auto") -> Summary:
    """Draw at most ``most`` mistakes of each kind into the PNG ``out``.

    Of the project's test images at the kept threshold. Raises DeviceError without captum,
    InputMissing where nothing was evaluated.
    """
    require_captum()
    require_inputs(data, {"generated": "generate", "evaluation/predictions": "evaluate"})
    predictor, dataset = open_predictor(data / "model", device), Dataset(data / "generated")
    path = data / "evaluation/predictions/test.arrow"
    table = read_arrow(path, missing="Run `raresight evaluate` first.")
    made = _mistakes(predictor, table)
    rows = dict(zip(dataset.ids.tolist(), range(len(dataset)), strict=True))
    if missing := [one for one in table["id"].to_pylist() if one not in rows]:
        raise DataError(
            f"{missing[0]} was judged, but is not in {dataset.folder}. Run `dvc repro`."
        )
    explained = {
        KINDS[kind]: [
            _explained(predictor, dataset, table, place, rows[table["id"][place].as_py()])
            for place in places[:most].tolist()
        ]
        for kind, (places, _) in made.items()
    }
    write_explained(explained, out)
    shares = [one.share_in_mask for found in explained.values() for one in found]
    known = [share for share in shares if share is not None]
    return Summary(
        out=str(out),
        made={KINDS[kind]: len(places) for kind, (places, _) in made.items()},
        drawn={name: len(found) for name, found in explained.items()},
        in_mask=float(np.mean([share for share, _ in known])) if known else None,
        mask=float(np.mean([area for _, area in known])) if known else None,
    )


def _mistakes(predictor: Predictor, table: pa.Table) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Places in the table of predictions and scores, by kind, the surest first."""
    classes, task = np.asarray(predictor.classes), predictor.decision.task
    scores = np.stack([table[f"score.{label}"].to_numpy() for label in classes], axis=1)
    targets, predicted = (
        np.searchsorted(classes, table[name].to_numpy().astype(str))
        for name in ("label", "predicted")
    )
    return surest(scores, targets, predicted, positive=task.positive_index)


def _explained(
    predictor: Predictor, dataset: Dataset, table: pa.Table, place: int, row: int
) -> Explained:
    """For the positive class, or for the class that was predicted."""
    positive = predictor.decision.task.positive_index
    actual, predicted = (table[name][place].as_py() for name in ("label", "predicted"))
    target = predictor.classes.index(predicted) if positive is None else positive
    image = dataset.images[row]
    return Explained(
        image=image,
        mask=None if dataset.masks is None else dataset.masks[row],
        attribution=attributions(predictor, image[None], np.array([target]))[0],
        actual=actual,
        predicted=predicted,
        score=float(table[f"score.{predictor.classes[target]}"][place].as_py()),
    )
