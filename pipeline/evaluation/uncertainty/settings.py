"""How intervals are made: one object that every interval of an evaluation follows."""

from dataclasses import dataclass

from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS, Interval


@dataclass(frozen=True, kw_only=True)
class IntervalSettings:
    """What params.yaml says of intervals (``evaluate``; its defaults stand there).

    Every interval has ``confidence_level``; those of proportions are made by
    ``proportion_interval``, one of PROPORTIONS, and what has no interval in closed form gets one
    from ``num_bootstrap`` resamples.
    """

    confidence_level: float
    num_bootstrap: int
    proportion_interval: str

    @property
    def num_for_moments(self) -> int:
        """Resamples where their mean or standard deviation is wanted, which takes a tenth.

        200 are plenty for these, where the ends of an interval take 1,000 or more (Efron and
        Tibshirani, An Introduction to the Bootstrap, 1993, sections 6.4 and 13.3).
        """
        return max(50, self.num_bootstrap // 10)

    def proportion(
        self, successes: float, trials: float, *, confidence_level: float | None = None
    ) -> Interval | None:
        """The interval of a proportion; None without trials."""
        return PROPORTIONS[self.proportion_interval](
            successes, trials, confidence=confidence_level or self.confidence_level
        )
