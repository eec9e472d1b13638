"""Whether a network was needed, in a sentence."""

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.wording.numbers import DASH, Metrics, number


def network_needed(metrics: Metrics) -> str:
    """How the model does beside the best fitted baseline, from the contents of results.json.

    Empty where there is none, as in a judgement of scores alone.
    """
    gain = metrics.get("gain_over_baselines")
    if gain is None:
        return ""
    metric, name = gain["metric"], gain["baseline"]
    told = (
        f"Without a network, the {BASELINES[name].label} reaches "
        f"{_article(METRICS[metric].label)} of {number(metrics[name][metric])}; the model has "
        f"{number(metrics['test'][metric])}"
    )
    low, high = gain.get("gain_low"), gain.get("gain_high")
    if low is None or high is None:
        return f"{told}."
    told += f", a difference of {gain['gain']:+.3f} [{low:+.3f}{DASH}{high:+.3f}]"
    if low > 0:
        return f"{told}."
    if high < 0:
        return f"{told}: it is worse than what needs no network."
    return f"{told}: it is not shown that a network was needed."


def _article(label: str) -> str:
    return f"{'an' if label[0].lower() in 'aeiou' else 'a'} {label}"
