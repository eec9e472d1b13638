"""diagnose: what the last training's curves say, and what to change."""

from dataclasses import dataclass
from pathlib import Path

from raresight.pipeline.core.csv_file import read_rows
from raresight.pipeline.core.inputs import read_mapping, read_results, understood
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.training.diagnosis.diagnosis import Diagnosis, diagnose
from raresight.pipeline.training.diagnosis.divergence import Divergence
from raresight.pipeline.training.diagnosis.history import Epoch
from raresight.pipeline.training.runtime.paths import FAILURE, RESUME


@dataclass(frozen=True, kw_only=True)
class Finding(Diagnosis):
    """A replicate's diagnosis."""

    replicate: int


def run(data: Path) -> list[Finding]:
    """Judge the training that diverged last, or else the one whose outputs are there.

    Raises InputMissing when nothing was trained, DataError when the curves cannot be read.
    """
    failure = data / RESUME / FAILURE
    if failure.is_file():
        return [_diverged(failure)]
    metrics = read_results(data / "training/results.json", "train")
    found: list[Finding] = []
    for path in _curves(data / "training/curves"):
        try:
            said = diagnose(
                _epochs(path)[metrics.get("pretrain", {}).get("epochs", 0) :],
                chance=metrics["chance_loss"],
                steps_per_epoch=metrics["steps_per_epoch"],
                weights_per_image=metrics["weights_per_image"],
            )
        except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
            raise DataError(
                f"{path} holds no curves that can be judged ({error}). Run `raresight train`."
            ) from None
        found.append(Finding(**vars(said), replicate=len(found) + 1))
    return found


def _diverged(path: Path) -> Finding:
    note = read_mapping(path)
    with understood(str(path), f"Remove it (`rm {path}`), and run `raresight train` again."):
        said = diagnose(
            [Epoch(**row) for row in note["curves"]],
            chance=note["chance_loss"],
            steps_per_epoch=note["steps_per_epoch"],
            divergence=Divergence(**note["divergence"]),
        )
        return Finding(**vars(said), replicate=note["replicate"])


def _curves(folder: Path) -> list[Path]:
    """The curves of every replicate, the first one's first."""
    later = sorted(folder.glob("curves-*.tsv"), key=lambda path: int(path.stem.split("-")[1]))
    return [folder / "curves.tsv", *later]


def _epochs(path: Path) -> list[Epoch]:
    rows = read_rows(path, stage="train", delimiter="\t")
    return [
        Epoch(epoch=int(row.pop("epoch")), **{name: float(text) for name, text in row.items()})
        for row in rows
    ]
