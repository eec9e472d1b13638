"""What was found of each image, put in the order in which it is worth a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.cleaning.labels import LabelFaults
from raresight.pipeline.cleaning.table import Decision, Finding

HIDDEN, LABEL = "hidden rare image", "label"
# The most worth a look first: one hidden rare image is worth more than many common ones.
_ORDER = (HIDDEN, "rare label", LABEL, "rest")


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The n images that were looked at: ``ids``, ``files``, ``labels`` str (n,); ``rare`` bool
    (n,), whether their label is of a rare class."""

    ids: np.ndarray
    files: np.ndarray
    labels: np.ndarray
    rare: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Found:
    """One kind of finding: ``why``, where (``rows`` int (m,)), how sure (``scores`` float (m,)),
    and what becomes of it without a person; ``suggested`` str (m,), "" where no label is in doubt.
    """

    why: str
    rows: np.ndarray
    scores: np.ndarray
    decision: Decision
    suggested: Sequence[str]


def of_labels(
    faults: LabelFaults, rows: np.ndarray, classes: Sequence[str], *, dropped: np.ndarray
) -> list[Found]:
    """The label faults of the images at ``rows`` (m,), the hidden ones apart; ``dropped`` bool (m,)
    says which of them are left out."""
    kinds = ((HIDDEN, faults.hidden), (LABEL, faults.wrong & ~faults.hidden))
    decisions: tuple[tuple[Decision, np.ndarray], ...] = (("drop", dropped), ("review", ~dropped))
    return [
        Found(
            why=why,
            rows=rows[at],
            scores=faults.score[at],
            decision=decision,
            suggested=[classes[k] for k in faults.suggested[at].tolist()],
        )
        for why, which in kinds
        for decision, part in decisions
        for at in [np.flatnonzero(which & part)]
    ]


def of_outliers(kinds: Mapping[str, tuple[np.ndarray, np.ndarray]], *, drop: bool) -> list[Found]:
    """Outliers by kind: which of n images, bool (n,), and how sure, float (n,)."""
    return [
        Found(
            why=why,
            rows=np.flatnonzero(which),
            scores=scores[which],
            decision="drop" if drop else "review",
            suggested=[""] * int(which.sum()),
        )
        for why, (which, scores) in kinds.items()
    ]


def ranked(found: Sequence[Found], looked: Looked, decided: Mapping[str, str]) -> list[Finding]:
    """A finding an image, hidden rare ones first, then rare labels, other labels, and the rest.

    What a person ``decided``, by id, stands; an image about which only they said something is
    listed, too.
    """
    by_row: dict[int, list[tuple[Found, int]]] = {}
    for one in found:
        for place, row in enumerate(one.rows.tolist()):
            by_row.setdefault(row, []).append((one, place))
    row_of = {id: row for row, id in enumerate(looked.ids.tolist())} if decided else {}
    for id in decided:
        by_row.setdefault(row_of[id], [])
    drafts = [_finding(row, parts, looked, decided) for row, parts in by_row.items()]
    drafts.sort(key=lambda draft: (draft[0], -draft[1].score, draft[1].id))
    return [Finding(**{**vars(one), "rank": number}) for number, (_, one) in enumerate(drafts, 1)]


def _finding(
    row: int, parts: Sequence[tuple[Found, int]], looked: Looked, decided: Mapping[str, str]
) -> tuple[int, Finding]:
    """The finding of an image, without its rank, and how early it comes."""
    id = str(looked.ids[row])
    whys = list(dict.fromkeys(one.why for one, _ in parts))
    kind = HIDDEN if HIDDEN in whys else LABEL if LABEL in whys else "rest"
    if kind == LABEL and looked.rare[row]:
        kind = "rare label"
    advised = "drop" if any(one.decision == "drop" for one, _ in parts) else "review"
    return _ORDER.index(kind), Finding(
        id=id,
        file=str(looked.files[row]),
        label=str(looked.labels[row]),
        suggested=next((one.suggested[k] for one, k in parts if one.suggested[k]), ""),
        why=", ".join(whys) or "decided",
        score=max((float(one.scores[k]) for one, k in parts), default=1.0),
        rank=0,
        decision=decided.get(id, advised),  # type: ignore[arg-type]
    )
