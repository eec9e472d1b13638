"""A short training by the product, and how well its net ranks the images of a split."""

from pathlib import Path
from typing import Any

import numpy as np


def tested(images: Any, params: Any, data: Path, *splits: str) -> list[float]:
    """The average precision of the positive class on each of ``splits``, after a training on
    ``images`` (``TrainingImages``) by ``params`` (the section ``train``)."""
    import torch
    from sklearn.metrics import average_precision_score

    from raresight.pipeline.models.classifier import in_batches, predict
    from raresight.pipeline.training.job import Job
    from raresight.pipeline.training.runtime.distributed import ProcessGroup

    originals, cpu = images.originals, torch.device("cpu")
    inputs = images.inputs(params, images.rows("train"), cpu)
    job = Job(
        params=params, replicate=1, inputs=inputs, data=data, resume="never", group=ProcessGroup()
    )
    trainer, history = job.fit(job.start())
    trainer.eval_model.load_state_dict(history.weights)
    index = originals.classes.index(originals.positive)

    def average_precision(rows: np.ndarray) -> float:
        batches = (
            torch.from_numpy(originals.images.take(rows[part]))
            for part in in_batches(np.arange(len(rows)), originals.image_shape)
        )
        found = torch.cat([scores for _, scores in predict(trainer.eval_model, batches)]).numpy()
        return float(average_precision_score(originals.targets[rows] == index, found[:, index]))

    return [average_precision(images.rows(split)) for split in splits]
