"""Keys of params.yaml that had another name: the old one is refused, and the new one named."""

from collections.abc import Mapping

_SCHEDULE = {
    "by": "interval",
    "final_share": "min_lr_ratio",
    "start_share": "start_factor",
    "rise": "pct_start",
    "restarts": "num_restarts",
    "stretch": "t_mult",
    "warmup.shape": "name",
    "warmup.start_share": "start_factor",
}

RENAMED: Mapping[str, str] = {
    "generate.sources.role": "splits",
    "generate.sources.label_noise.kind": "name",
    "train.initialisation": "initialization",
    "train.regularisation": "regularization",
    "train.regularization.biases_and_norms": "decay_bias_and_norm",
    "train.replicates": "num_seeds",
    "train.keep": "checkpoint",
    **{f"train.schedule.{old}": new for old, new in _SCHEDULE.items()},
    "enlarge.surroundings": "method",
    "evaluate.confidence": "confidence_level",
    "evaluate.proportions": "proportion_interval",
    "evaluate.resamples": "num_bootstrap",
    "evaluate.threshold.rule": "name",
}

# What else to know where the values changed as well.
VALUES: Mapping[str, str] = {
    "generate.sources.role": (
        "Leave it out instead of any, write [train, val] instead of train_only, and [test] instead "
        "of test_only."
    ),
    "enlarge.surroundings": "Write `method: {name: composites, surroundings: 4}`.",
}
