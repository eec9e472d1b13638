"""What a judgement is based on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Task


@dataclass(frozen=True, kw_only=True)
class EvaluationInputs:
    """What a judgement is based on.

    ``targets`` holds class indices, int (n,), of ``train``, ``val`` and ``test`` originals.
    ``model`` holds scores, float (n, K), on ``val``, ``test`` and ``perturbed`` (the test images,
    in the same order, perturbed); ``baselines`` those of each entry of BASELINES on ``val`` and
    ``test``.
    ``assumed``, float (K,), are the class shares under which the model's scores are probabilities
    (None: they are not known). ``factors`` holds what is known of each test image, see
    :func:`raresight.pipeline.evaluation.slices.slice_results`; ``groups``, int (n,) from 0 up,
    which images of ``val`` and of ``test`` are of one group (none: each is of its own).
    ``folds`` is the number of models that scored ``val``, each the part that it had not learned
    from; None where the model itself did.
    """

    task: Task
    targets: Mapping[str, np.ndarray]
    model: Mapping[str, np.ndarray]
    baselines: Mapping[str, Mapping[str, np.ndarray]]
    assumed: np.ndarray | None = None
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    folds: int | None = None
