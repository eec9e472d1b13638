"""A number with its interval, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One figure of a report.

    ``value`` is None where the figure is undefined; ``low`` and ``high`` are its interval, None
    where there is none. ``reason`` says why a value or an interval is missing; without a reason
    no interval was asked for.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


def as_dict(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Flat, for JSON: ``name``, ``name_low``, ``name_high``; reasons under ``undefined``.

    A missing interval with a reason has null ends; one that was not asked for has none.
    """
    flat: dict[str, Any] = {}
    for name, estimate in estimates.items():
        flat[name] = estimate.value
        if estimate.interval or (estimate.reason and estimate.value is not None):
            flat |= {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    reasons = {name: estimate.reason for name, estimate in estimates.items() if estimate.reason}
    return flat | ({"undefined": reasons} if reasons else {})
