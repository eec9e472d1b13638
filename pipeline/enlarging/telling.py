"""What the checks of made images and the sweep of their number say, in sentences."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from raresight.pipeline.enlarging.checks import FEW
from raresight.pipeline.runtime.progress import say

if TYPE_CHECKING:
    from raresight.pipeline.enlarging.share import Choice

# Beyond these a person should look.
_COPIES, _SEAM, _TOLD_APART, _UNSEEN, _COVERED = 0.1, 0.7, 0.9, 0.9, 0.5


def tell(label: str, found: Mapping[str, Any], maker: str) -> None:
    """Say in the terminal how many were made, and what the checks found."""
    asked = f" of {found['asked']:,}" if "asked" in found else ""
    say(f"enlarge: {found['made']:,}{asked} images of '{label}' by {maker}")
    for text, serious in sentences(label, found):
        say(f"enlarge: {'warning: ' if serious else ''}{text}")


def sentences(label: str, found: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """What the checks of a class found, and whether it should worry."""
    visible, seam, near = found["visible"], found["seam"], found["neighbors"]
    if flow := found.get("flow"):
        yield (
            f"a net of {flow['parameters']:,} weights learned from {flow['learned_from']:,} images "
            f"in {flow['steps']:,} steps; its loss is {flow['loss']:.3f}",
            False,
        )
    if not found["made"]:
        yield "nothing that was made shows its label, so that nothing is learned from", True
    if visible is not None:
        yield (
            f"in {visible:.0%} the label shows as clearly as in 95% of the real ones",
            visible < _UNSEEN,
        )
    if seam is not None:
        yield (
            f"a probe tells what was pasted from untouched images: AUROC {seam:.2f} (0.5: chance)",
            seam > _SEAM,
        )
    if found["told_apart"] is not None:
        yield (
            "a probe tells made from real ones by cheap statistics: AUROC "
            f"{found['told_apart']:.2f} (0.5: chance)",
            found["told_apart"] > _TOLD_APART,
        )
    if near is None:
        few = f"{found['held_out']} validation images of '{label}' (30 are the least)"
        if found["held_out"] >= FEW:
            few = f"{found['made']} made images"
        yield f"{few} are too few to say whether these are copies, or cover the class", False
        return
    yield (
        f"{near['memorized']:.0%} lie nearer to a training image than all but 1% of validation "
        f"images do{': these are copies' if near['memorized'] > _COPIES else ''}",
        near["memorized"] > _COPIES,
    )
    yield (
        f"they cover {near['coverage']:.0%} of the validation images (training images: "
        f"{near['coverage_of_real']:.0%}), and {near['recall']:.0%} of those are among their kinds",
        near["coverage"] < _COVERED * near["coverage_of_real"],
    )


def tell_choice(choice: "Choice") -> None:
    """Say which number of made images was chosen, and what they were worth."""
    from dataclasses import asdict

    for text in choice_sentences(asdict(choice)):
        say(f"enlarge: {text}")


def choice_sentences(choice: Mapping[str, Any]) -> Iterator[str]:
    """The sweep in sentences, from the report's ``sweep``."""
    best = choice["best"]
    gain = next(one["gain"] for one in choice["tried"] if one["each"] == best)
    range_ = f"{gain['low']:+.3f} to {gain['high']:+.3f}"
    did = f"{best} made images of each real one: {gain['mean']:+.3f} average precision ({range_})"
    if choice["chosen"] == 0:
        yield f"none is surely better than nothing, so none is learned from. The best were {did}"
    elif choice["chosen"] == best:
        yield f"chosen: {did}"
    else:
        yield f"chosen: {choice['chosen']} of each real one, the best surely better than none"
    worth = choice["worth"]
    if worth is not None and choice["chosen"]:
        many = "more than " if worth["more"] else ""
        yield (
            f"these {worth['made']:,} made images did as much as {many}{worth['real']:.0f} more "
            f"real ones would ({worth['low']:.0f} to {worth['high']:.0f}): one made image was "
            f"worth {many}{worth['real'] / worth['made']:.2f} real ones"
        )
    if choice["judged_by"] < FEW:
        yield (
            f"validation holds {choice['judged_by']} positives, too few to choose by: "
            "another validation set might have chosen otherwise"
        )
