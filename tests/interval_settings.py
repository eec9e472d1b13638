"""How intervals are made in tests: a few resamples, where a test says nothing else."""

from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


def settings(
    confidence_level: float = 0.95, num_bootstrap: int = 200, proportion_interval: str = "wilson"
) -> IntervalSettings:
    return IntervalSettings(
        confidence_level=confidence_level,
        num_bootstrap=num_bootstrap,
        proportion_interval=proportion_interval,
    )
