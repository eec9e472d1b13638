"""What a table of predictions holds, and everything that may be wrong with one.

| column | meaning |
| --- | --- |
| ``id`` | names the image; each once |
| ``label`` | its actual class |
| ``score.CLASS`` | in [0, 1], one column a class; they sum to 1 |
| ``score`` | instead of those, where there are two classes: the score of the positive one |
| ``group`` | optional: images of one group, such as a patient, are not independent |
| ``source_id`` | optional: the group where there is no column of that name; else it is the id |
| ``pixels`` | optional: a digest of the image |
| ``predicted`` | optional: the class that was answered |
| ``factor.NAME`` | optional: numbers or words that results are sliced by |

Other columns are passed over.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas
import pyarrow as pa

from raresight.pipeline.evaluation import texts
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.runtime.errors import DataError, listing, suggest

SCORE = "score"
_PREFIX = "score."
_FACTOR = "factor."
_SUM_TOLERANCE = 1e-3
_ROUNDING = 0.005  # of a score with two digits
_TRUE_OR_FALSE = ({"0", "1"}, {"false", "true"}, {"False", "True"})


@dataclass(frozen=True, kw_only=True)
class PredictionsTable:
    """Scores (n, K) of images in the order of the file, and what is known about them.

    ``classes`` are sorted, as the columns of ``scores`` are. ``targets`` is int (n,), the actual
    class, None in an unlabelled table; ``pixels`` is None where no digest of the images is known.
    ``factors`` are float (n,) or str (n,), NaN or "" where unknown. ``scored`` is the class that a
    single column ``score`` is about, None where every class has its own. ``predicted``, int (n,),
    are the answers, None where the table does not say them.
    """

    classes: tuple[str, ...]
    ids: np.ndarray
    group_names: np.ndarray
    targets: np.ndarray | None
    pixels: np.ndarray | None
    scores: np.ndarray
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    scored: str | None = None
    predicted: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """The actual classes, int (n,), of a labelled table."""
        if self.targets is None:
            raise ValueError("the table is not labelled")
        return self.targets

    @property
    def groups(self) -> np.ndarray:
        """int (n,): 0, 1, ... for each group."""
        return np.unique(self.group_names, return_inverse=True)[1]

    def take(self, rows: np.ndarray) -> "PredictionsTable":
        def part(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[rows]

        return PredictionsTable(
            classes=self.classes,
            ids=self.ids[rows],
            group_names=self.group_names[rows],
            targets=part(self.targets),
            pixels=part(self.pixels),
            scores=self.scores[rows],
            factors={name: values[rows] for name, values in self.factors.items()},
            scored=self.scored,
            predicted=part(self.predicted),
        )


def parse(
    table: pa.Table,
    where: str,
    *,
    positive: str | None = None,
    labelled: bool = True,
    like: PredictionsTable | None = None,
) -> PredictionsTable:
    """Check a table and take it apart; ``where`` names it in messages.

    ``positive`` is needed for a ``score`` column whose labels are not 0 and 1 (or false and true).
    A table ``like`` another has to be about the same classes.
    Raises DataError with every problem and its row, the first row being row 1.
    """
    _check_columns(table, where, labelled)
    texts.check_lengths(table, where)
    ids = _texts(table, "id")
    labels = _texts(table, "label") if labelled else None
    scored = None
    if SCORE in table.column_names:
        classes, scored = _two_classes(labels, where, positive, like)
        scores = _both(_numbers(table, SCORE), classes, scored)
    else:
        classes, scores = _by_class(table)
    if like is not None and classes != like.classes:
        raise DataError(
            f"{where} is about the classes {', '.join(classes)}, not about "
            f"{', '.join(like.classes)}."
        )
    problems = [*_id_problems(ids), *texts.problems(table), *_score_problems(table, scores)]
    if labels is not None:
        problems += _label_problems(labels, classes)
    _refuse(problems, where)
    answers = _texts(table, "predicted") if "predicted" in table.column_names else None
    return PredictionsTable(
        classes=classes,
        ids=ids,
        group_names=_group_names(table, ids),
        targets=None if labels is None else np.searchsorted(np.asarray(classes), labels),
        pixels=_texts(table, "pixels") if "pixels" in table.column_names else None,
        scores=scores,
        factors={
            name.removeprefix(_FACTOR): _factor(table, name)
            for name in table.column_names
            if name.startswith(_FACTOR)
        },
        scored=scored,
        predicted=_known(answers, classes),
    )


def _both(score: np.ndarray, classes: Sequence[str], scored: str) -> np.ndarray:
    """Scores (n, 2) from those of the class ``scored``, (n,)."""
    return np.stack([score if name == scored else 1 - score for name in classes], axis=1)


def _by_class(table: pa.Table) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes that have a column of scores, sorted, and the scores (n, K)."""
    columns = sorted(name for name in table.column_names if name.startswith(_PREFIX))
    scores = np.stack([_numbers(table, name) for name in columns], axis=1)
    return tuple(name.removeprefix(_PREFIX) for name in columns), scores


def _group_names(table: pa.Table, ids: np.ndarray) -> np.ndarray:
    for name in ("group", "source_id"):
        if name in table.column_names:
            return _texts(table, name)
    return ids


def _known(answers: np.ndarray | None, classes: Sequence[str]) -> np.ndarray | None:
    """The answers as class numbers; None where some are no class of the table."""
    if answers is None or not np.isin(answers, classes).all():
        return None
    return np.searchsorted(np.asarray(classes), answers)


def task_of(predictions: PredictionsTable, where: str, positive: str | None) -> Task:
    """The task that a table is about; DataError where it has no class ``positive``."""
    if positive is not None and positive not in predictions.classes:
        raise DataError(f"{where}: no class '{positive}'. {suggest(positive, predictions.classes)}")
    return Task(classes=predictions.classes, positive=positive)


def _check_columns(table: pa.Table, where: str, labelled: bool) -> None:
    names = table.column_names
    problems = [
        f"column '{name}' is missing. {suggest(name, names)}"
        for name in (("id", "label") if labelled else ("id",))
        if name not in names
    ]
    several = [name for name in names if name.startswith(_PREFIX)]
    if not several and SCORE not in names:
        problems.append(f"there is no column score.CLASS, nor 'score'. {suggest(SCORE, names)}")
    if several and SCORE in names:
        problems.append(f"'score' and {', '.join(several)} exclude each other.")
    if len(several) == 1:
        problems.append(f"only {several[0]} has scores: a class more, or one column 'score'.")
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        problems.append(f"columns occur twice: {', '.join(repeated)}.")
    if not problems and not table.num_rows:
        problems.append("there are no rows.")
    if unseen := [repr(name) for name in names if texts.CONTROL.search(name)]:
        problems.append(f"columns have control characters: {', '.join(unseen)}.")
    if problems:
        raise DataError(f"{where} is no table of predictions:\n{listing(problems)}")


def _texts(table: pa.Table, name: str) -> np.ndarray:
    """A column as str (n,); what is missing is empty, and a whole number has no point: where a cell
    is missing pandas writes 0.0 and 1.0 for the labels 0 and 1."""
    return np.array([_text(value) for value in table[name].to_pylist()], str)


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    """A column as float64 (n,); what is no number is NaN."""
    values = pandas.to_numeric(table[name].to_pandas(), errors="coerce")
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def _factor(table: pa.Table, name: str) -> np.ndarray:
    """A column of factors, as numbers where all that is known are numbers."""
    texts, numbers = _texts(table, name), _numbers(table, name)
    return texts if np.isnan(numbers[texts != ""]).any() else numbers


def _two_classes(
    labels: np.ndarray | None, where: str, positive: str | None, like: PredictionsTable | None
) -> tuple[tuple[str, ...], str]:
    """The classes of a table with one column ``score``, and the one that it is the score of."""
    if like is not None and (scored := positive or like.scored) is not None:
        return like.classes, scored
    found = sorted(set([] if labels is None else labels[labels != ""]))
    pair = next((sorted(pair) for pair in _TRUE_OR_FALSE if pair >= set(found)), None)
    if positive is None and pair is None:
        raise DataError(
            f"{where} has one column 'score': say which class it is the score of, with --positive. "
            f"Labels: {', '.join(found)}."
        )
    positive = positive or (pair or found)[1]
    others = [label for label in found if label != positive] or [
        next((label for label in pair or () if label != positive), f"not {positive}")
    ]
    if len(others) > 1:
        raise DataError(
            f"{where} has one column 'score' but the labels {', '.join(found)}: give each class "
            "a column score.CLASS, or call every class but the positive one the same."
        )
    return tuple(sorted((positive, others[0]))), positive


Problem = tuple[int, str]


def _refuse(problems: list[Problem], where: str) -> None:
    """Raise DataError where there are any: a row's together, and the rows in their order."""
    if problems:
        told = [f"row {row + 1}: {text}" for row, text in sorted(problems, key=lambda p: p[0])]
        count = f"{len(told)} problems" if len(told) > 1 else "1 problem"
        raise DataError(f"{where} has {count}:\n{listing(told)}")


def _id_problems(ids: np.ndarray) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            yield row, "the id is missing"
        elif name in first:
            yield row, f"the id '{name}' is that of row {first[name] + 1} already"
        else:
            first[name] = row


def _label_problems(labels: np.ndarray, classes: Sequence[str]) -> Iterator[Problem]:
    for row in np.flatnonzero(~np.isin(labels, classes)):
        label = labels[row]
        unknown = f"no scores for the class '{label}'. {suggest(label, classes)}"
        yield int(row), unknown if label else "the label is missing"


def _score_problems(table: pa.Table, scores: np.ndarray) -> Iterator[Problem]:
    names = [name for name in table.column_names if name == SCORE or name.startswith(_PREFIX)]
    wrong = np.zeros(len(scores), bool)
    for name in names:
        values = _numbers(table, name)
        bad = ~((values >= 0) & (values <= 1))
        wrong |= bad
        for row in np.flatnonzero(bad):
            given = table[name][int(row)].as_py()
            yield int(row), f"{name} is {given!r}, not a number from 0 to 1"
    sums = scores.sum(axis=1)
    off = np.where(wrong, 0.0, np.abs(sums - 1))
    rounded = (off > _SUM_TOLERANCE) & (off <= _ROUNDING * scores.shape[1])
    if rounded.sum() > 1:
        low, high = sums[rounded].min(), sums[rounded].max()
        yield (
            int(np.flatnonzero(rounded)[0]),
            f"the scores of this and {rounded.sum() - 1} more rows sum to {low:.4g} to {high:.4g}, "
            "not 1, as rounded ones do: write them with more digits, or divide each row by its sum",
        )
        off = np.where(rounded, 0.0, off)
    for row in np.flatnonzero(off > _SUM_TOLERANCE):
        yield int(row), f"the scores sum to {sums[row]:.4g}, not 1"
