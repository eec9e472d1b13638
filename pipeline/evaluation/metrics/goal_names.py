"""The metrics that a goal can be set for."""

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown

DEPLOYED = "_deployed"  # after a metric's name: at the deployment prevalence


def goal_names(*, positive: bool) -> tuple[str, ...]:
    """Those of the test set that every task of a kind has, and those at deployment prevalence."""
    own = [
        name
        for name, metric in METRICS.items()
        if metric.family != "calibration" and metric.min_classes == 1
    ]
    if not positive:
        return tuple(name for name in own if METRICS[name].scope == "set" or METRICS[name].mean_of)
    deployed = [f"{name}{DEPLOYED}" for name in shown("deployment", positive=True)]
    return (*(name for name in own if METRICS[name].mean_of is None), *deployed)
