"""What a recipe does to some classes only, and what it may do unseen: doubts, not errors.

A transform that only copies of one class go through marks that class: the model learns the mark.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from raresight.pipeline.augmentation.params import AugmentParams, Step

# They put whole pixels to other places: none is changed, mixed or lost.
EXACT = frozenset({"HorizontalFlip", "VerticalFlip", "RandomRotate90", "Transpose", "D4"})


@dataclass(frozen=True, kw_only=True)
class ClassSpecific:
    """``classes`` that are copied more often than others, and the ``steps`` that mark them.

    Each step is its place in the section and its name, such as ``pixel[0] GaussNoise``.
    """

    classes: tuple[str, ...]
    steps: tuple[str, ...]


def favored(params: AugmentParams, classes: Collection[str]) -> tuple[str, ...]:
    """Those of ``classes``, sorted, with more copies of each original than the least copied one."""
    copies = {label: params.copies.get(label, 0) for label in {*classes, *params.copies}}
    fewest = min(copies.values(), default=0)
    return tuple(sorted(label for label, count in copies.items() if count > fewest))


def class_specific(
    params: AugmentParams, classes: Collection[str], *, in_training: Collection[str] = ()
) -> ClassSpecific | None:
    """The steps that reach some of ``classes`` more than others; None where there are none.

    ``in_training`` are the exact moves that training puts every class through (see
    ``BatchAugmentParams.exact_moves``): copies that are moved so look like any other image.
    """
    steps = tuple(
        f"{kind}[{number}] {step.name}"
        for kind, found in (("spatial", params.spatial), ("pixel", params.pixel))
        for number, step in enumerate(found)
        if step.p > 0 and step.name not in in_training
    )
    labels = favored(params, classes)
    return ClassSpecific(classes=labels, steps=steps) if labels and steps else None


def can_lose_label(params: AugmentParams) -> bool:
    """Whether copies are to be checked: a step may move pixels out of the picture, or hide them."""
    return params.min_label_share > 0 and any(map(_loses_pixels, params.spatial))


def _loses_pixels(step: Step) -> bool:
    return step.p > 0 and step.name not in EXACT


def doubts(
    params: AugmentParams,
    classes: Collection[str],
    *,
    in_training: Collection[str],
    without_masks: Sequence[str],
) -> Iterator[str]:
    """What is allowed but hardly meant, a sentence each.

    ``classes`` are all there are, as far as they are known; ``without_masks`` names the sources
    that say of no image which pixels carry its label.
    """
    if (found := class_specific(params, classes, in_training=in_training)) is not None:
        yield (
            f"augment.copies: {_quoted(found.classes)} copied more often than the rest, and only "
            f"copies go through {', '.join(f'augment.{step}' for step in found.steps)}, so the "
            "model can tell the class by that instead of by what it shows. Do it to every class: "
            "color in train.batch_augment (brightness, contrast, saturation), flips and quarter "
            "turns there too (flip, rotate90); or copy every class equally often."
        )
    if any(params.copies.values()) and can_lose_label(params) and without_masks:
        yield unchecked(params, without_masks)


def unchecked(params: AugmentParams, sources: Sequence[str]) -> str:
    """That copies of these sources are kept whether or not they still show their label."""
    names = ", ".join(dict.fromkeys(s.name for s in params.spatial if _loses_pixels(s)))
    return (
        f"augment.min_label_share: {', '.join(sources)}: no masks, so no copy can be checked: "
        f"each is kept, whatever {names} leaves of its label. Look at the copies, or use exact "
        f"moves only ({', '.join(sorted(EXACT))}); `min_label_share: 0` says that no copy needs "
        "to be checked."
    )


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(f"'{label}'" for label in labels) + (" is" if len(labels) == 1 else " are")
