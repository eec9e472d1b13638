"""clean: which training images look wrong, and which of them are not learned from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.cleaning.decisions import read_decisions
from raresight.pipeline.cleaning.findings import Found, Looked, of_labels, of_outliers, ranked
from raresight.pipeline.cleaning.labels import (
    Judged,
    label_faults,
    rare_classes,
    require_cleanlab,
    too_many,
)
from raresight.pipeline.cleaning.outliers import (
    NOTHING_TO_SEE,
    UNLIKE,
    by_rule,
    odd,
    pixel_distances,
)
from raresight.pipeline.cleaning.params import CleanParams
from raresight.pipeline.cleaning.planted import planted
from raresight.pipeline.cleaning.repeated import REPEATED, near_duplicates, repeats
from raresight.pipeline.cleaning.statistics import statistics
from raresight.pipeline.cleaning.table import (
    FOLDER,
    Cleaning,
    Finding,
    splits_digest,
    write_cleaning,
)
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import FACTOR
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.training.params import TrainParams

_BYTES_A_FINDING = 50  # of its line in the table, at least
_AGREED = 0.8  # the share of a class's labels below which the nets rather do not know it
_INPUTS = {"generated": "generate", "augmented": "augment", "splits": "split"}


def run(params_file: Path, data: Path, *, device: str = "auto") -> Path:
    """Write ``data/cleaning`` and return its path: an empty table where nothing is asked for."""
    params = load_section(params_file, "clean", CleanParams)
    train = load_section(params_file, "train", TrainParams)
    if params.labels is params.outliers is params.decisions is None:
        cleaning = Cleaning(findings=[], summary={"splits": None})
        read: list[Path] = []
    else:
        require_inputs(data, _INPUTS)
        read = [data / name for name in _INPUTS]
        cleaning = _look(params_file, params, train, data, device)
    needed = _BYTES_A_FINDING * len(cleaning.findings)
    with stage_outputs(data / FOLDER, inputs=read, needed=needed) as (folder,):
        write_cleaning(folder, cleaning)
    return data / FOLDER


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The training originals, n rows of them, and what was asked about them."""

    params: CleanParams
    originals: Dataset
    rows: np.ndarray
    decided: Mapping[str, str]

    @property
    def targets(self) -> np.ndarray:
        return self.originals.targets[self.rows]

    @property
    def rare(self) -> np.ndarray:
        """Of each class, whether it is rare, bool (K,)."""
        data = self.originals
        counts = np.bincount(self.targets, minlength=len(data.classes))
        return rare_classes(
            counts, None if data.positive is None else data.classes.index(data.positive)
        )

    @property
    def looked(self) -> Looked:
        data, rows = self.originals, self.rows
        files = np.full(len(rows), "")
        if "file" in data.description.factors:
            files = data.values(f"{FACTOR}file")[rows]
        return Looked(
            ids=data.ids[rows],
            files=files,
            labels=data.labels[rows],
            rare=self.rare[self.targets],
        )

    def among(self, rows: np.ndarray) -> np.ndarray:
        """Where the dataset's ``rows`` (ascending, all in train) are among those of the work."""
        return np.searchsorted(self.rows, rows)


def _look(
    params_file: Path, params: CleanParams, train: TrainParams, data: Path, device: str
) -> Cleaning:
    originals = Dataset(data / "generated")
    rows = read_splits(data / "splits").rows(originals, "train")
    decided = {}
    if params.decisions is not None:
        known, learned = originals.ids.tolist(), {*originals.ids[rows].tolist()}
        decided = read_decisions(Path(params.decisions), known, learned)
    work = _Work(params=params, originals=originals, rows=rows, decided=decided)
    found: list[Found] = []
    summary: dict[str, Any] = {"splits": splits_digest(data), "images": len(rows)}
    if params.outliers is not None:
        found += _by_rule(work, data)
    if params.labels is not None or params.outliers is not None:
        empty = [one.rows for one in found if one.why in NOTHING_TO_SEE]
        shows = ~np.isin(np.arange(len(rows)), np.concatenate([*empty, rows[:0]]))
        nets = _by_nets(params_file, work, train, data, device, shows=shows)
        found += nets.found
        summary |= nets.summary
    findings = ranked(found, work.looked, decided)
    summary |= _counts(findings)
    if (scored := planted(found, originals, rows)) is not None:
        summary["planted"] = scored
    _tell(findings, summary)
    return Cleaning(findings=findings, summary=summary)


@dataclass(frozen=True, kw_only=True)
class _Nets:
    """What nets that were trained without an image say of it, and how many there were."""

    found: list[Found]
    summary: dict[str, Any]


def _by_nets(
    params_file: Path,
    work: _Work,
    train: TrainParams,
    data: Path,
    device: str,
    *,
    shows: np.ndarray,
) -> _Nets:
    """Labels that scores contradict, of the images that show anything (``shows``, bool (n,)), and
    what is unlike its class; torch is loaded here."""
    from raresight.pipeline.cleaning.judging import ask

    params, targets = work.params, work.targets
    if params.labels is not None:
        require_cleanlab()
    gone = [id for id, decision in work.decided.items() if decision == "drop"]
    judged = ask(params_file, params, train, data, device=device, left_out=gone)
    if judged is None:
        label = work.originals.positive or "each class"
        reason = f"'{label}' is in one group of training images: it cannot be held out as well"
        say(f"clean: labels are not looked at: {reason}")
        return _Nets(found=[], summary={"folds": None, "reason": reason})
    place = work.among(judged.rows)
    found: list[Found] = []
    agreement: dict[str, float] = {}
    if params.labels is not None:
        known = Judged(
            targets=targets[place], scores=judged.scores, votes=judged.votes, rare=work.rare
        )
        agreement = _agreement(work, known)
        faults = label_faults(known, second_opinion=params.second_opinion).among(shows[place])
        # A hidden one is left out only where its label looks false at its own share, too.
        doubted = too_many(faults.wrong, targets[place], params.max_dropped)
        dropped = faults.wrong & ~doubted & (params.labels == "drop")
        found += of_labels(faults, place, work.originals.classes, dropped=dropped)
        _tell_doubts(work, place[faults.wrong & doubted])
    if params.outliers is not None:
        found += _unlike(work, place[shows[place]], judged.distances[shows[place]])
    return _Nets(
        found=found,
        summary={"folds": judged.folds, "epochs": judged.epochs, "judged": len(judged.rows)}
        | ({"agreement": agreement} if agreement else {}),
    )


def _agreement(work: _Work, known: Judged) -> dict[str, float]:
    """Of each class, with what share of its labels the nets agree, all classes weighed alike; said
    where that is so little that what they say of labels is worth little."""
    agreed = known.balanced.argmax(axis=1) == known.targets
    found = {
        label: float(agreed[known.targets == k].mean())
        for k, label in enumerate(work.originals.classes)
        if (known.targets == k).any()
    }
    for label, share in found.items():
        if share < _AGREED:
            say(
                f"clean: the nets agree with {share:.0%} of the labels '{label}': unless that many "
                "are false, they do not know it, and good images are listed. Train longer "
                "(clean.epochs), or keep `labels: advise`"
            )
    return found


def _unlike(work: _Work, place: np.ndarray, far: np.ndarray) -> list[Found]:
    """What is unlike its class, of the images at ``place`` (m,), by what the nets see in it, whose
    distances ``far`` (m,) are, or by its pixels."""
    targets, which = work.targets[place], np.zeros(len(work.rows), bool)
    scores = np.zeros(len(work.rows))
    pixels = statistics(work.originals.images[row] for row in work.rows[place].tolist())
    for distance in (far, pixel_distances(pixels, targets)):
        which[place] |= odd(distance, targets)
        rank = np.argsort(np.argsort(distance)) / max(len(place) - 1, 1)
        scores[place] = np.maximum(scores[place], rank)
    return of_outliers({UNLIKE: (which, scores)}, drop=work.params.outliers == "drop")


def _tell_doubts(work: _Work, rows: np.ndarray) -> None:
    """Say of which classes too many labels look false to be believed."""
    for label in np.unique(work.originals.labels[work.rows[rows]]).tolist():
        say(
            f"clean: more than {work.params.max_dropped:.0%} of the labels '{label}' look false: "
            "the nets rather do not know the class, and none is left out for that. Train longer "
            "(clean.epochs), or look at the list"
        )


def _by_rule(work: _Work, data: Path) -> list[Found]:
    """Blank and over-exposed images, and those that are there already, exactly or nearly."""
    images = work.originals.images
    pixels = (images[row] for row in work.rows.tolist())
    broken = by_rule(pixels, work.targets)
    again = repeats(images, work.rows)
    sure = np.ones(len(work.rows))
    kinds = {**broken, REPEATED: again}
    drop = work.params.outliers == "drop"
    found = of_outliers({why: (which, sure) for why, which in kinds.items()}, drop=drop)
    return [*found, near_duplicates(data / "splits", work.originals.ids[work.rows])]


def _counts(findings: list[Finding]) -> dict[str, Any]:
    """How many images were found for which reason, and how many are left out, by class."""
    by_why: dict[str, int] = {}
    dropped: dict[str, int] = {}
    for one in findings:
        for why in one.why.split(", "):
            by_why[why] = by_why.get(why, 0) + 1
        if one.decision == "drop":
            dropped[one.label] = dropped.get(one.label, 0) + 1
    return {"found": by_why, "dropped": dropped}


def _tell(findings: list[Finding], summary: Mapping[str, Any]) -> None:
    found = ", ".join(f"{count:,} {why}" for why, count in summary["found"].items())
    dropped = sum(summary["dropped"].values())
    say(
        f"clean: {len(findings):,} of {summary['images']:,} training images look wrong"
        f"{f' ({found})' if found else ''}; {dropped:,} are not learned from"
    )
