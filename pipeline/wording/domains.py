"""What the comparison of drawn and real images says, from the contents of splits/summary.json."""

from collections.abc import Iterator, Mapping
from typing import Any

from raresight.pipeline.wording.numbers import count

SURE = 0.9  # of the area under the probe's ROC curve: nearly every image is told
_DIGITS = {"mean": 0, "contrast": 0, "saturation": 0}


def headline(found: Mapping[str, Any]) -> str:
    """How unlike they are, in one sentence."""
    told, off = found["told_apart"], found["off"]
    kinds = f"{count(found['drawn_images'])} drawn and {count(found['real_images'])} real images"
    if not off and told < SURE:
        return f"{kinds} look alike: a probe tells them apart with a ROC-AUC of {told:.2f}"
    names = ", ".join(name.replace("_", " ") for name in off) or "no single measure"
    return f"a probe tells {kinds} apart (ROC-AUC {told:.2f}); out of range: {names}"


def differences(found: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each measure whose ranges do not meet, the worst first."""
    for name in found["off"]:
        yield _difference(name, found["measures"][name])


def _difference(name: str, one: Mapping[str, Any]) -> str:
    real, drawn = (_range(name, one[kind]) for kind in ("real", "drawn"))
    text = (
        f"{name.replace('_', ' ')}: {one['outside']:.0%} of the real images are beyond what was "
        f"drawn (real {real}, drawn {drawn})"
    )
    factor = one["factor"]
    if factor is None:
        return text
    more = one["real"][1] > one["drawn"][1]
    way = "higher" if more == (factor["correlation"] > 0) else "lower"
    return (
        f"{text}; '{factor['name']}' moves it most: draw {way} values than "
        f"{factor['low']:.3g} to {factor['high']:.3g}"
    )


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, bool]]:
    """A row a measure: its name, range among real and drawn images, share beyond, whether off."""
    for name, one in found["measures"].items():
        ranges = (_range(name, one[kind]) for kind in ("real", "drawn"))
        yield name.replace("_", " "), *ranges, f"{one['outside']:.0%}", name in found["off"]


def _range(name: str, quantiles: tuple[float, ...]) -> str:
    digits = _DIGITS.get(name, 2)
    low, middle, high = (f"{value:.{digits}f}" for value in quantiles)
    return f"{middle}, {low} to {high}"


def warning(found: Mapping[str, Any]) -> str | None:
    """What `split` says of it; None where nothing is off."""
    if not found["off"]:
        return None
    seen = ""
    if list(found["judged_on"]) == ["test"]:
        seen = (
            "\nAll real images are of test: what is drawn after their likeness has seen the test. "
            "Give some of them to val."
        )
    lines = "\n".join(f"  {line}" for line in differences(found))
    return (
        f"split: drawn images teach and real ones judge, and {headline(found)}:\n{lines}{seen}\n"
        "Widen or move these ranges in generate.sources, or the real images' `fit` and `crop_to`."
    )
