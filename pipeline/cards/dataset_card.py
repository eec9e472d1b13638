"""The card of a dataset: what is in it, where it comes from, and who opens it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raresight.pipeline.cards.facts import DatasetFacts
from raresight.pipeline.cards.markdown import document, items, section, stated, table
from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.dataset.schema import SPLITS
from raresight.pipeline.wording.numbers import count, share

_FEW = 100  # positives, from which a recall is known to some 10 points
_MEANINGS = {
    "mask": "which pixels carry the label",
    "boxes": "boxes of the objects that carry the label: x, y, width, height in pixels",
    "instances": "the number of the object in each pixel",
    "depth": "distance from the camera in metres",
}


def dataset_card(
    card: CardParams,
    facts: DatasetFacts,
    *,
    opened_by: str | None = None,
    front_matter: Mapping[str, Any] | None = None,
) -> str:
    """Markdown with Hugging Face's front matter; ``opened_by`` and further ``front_matter`` are
    those of a format that it lies beside.
    """
    description = facts.description
    title = f"Images of {', '.join(description.classes)}"
    if card.name:
        title = f"The images of {card.name}"
    parts = (
        section("What is in it", *_contents(facts)),
        section("Where it comes from", sources(facts), _versions(facts)),
        stated("Purpose", card.purpose, "purpose"),
        section("How to open it", opened_by or ""),
        section("Limits", items(_limits(facts))),
        stated("License", card.data_license, "data_license"),
        stated("Contact", card.contact, "contact"),
        section("Citation", card.citation or ""),
    )
    found: dict[str, Any] = {} if card.data_license is None else {"license": card.data_license}
    found |= {
        "pretty_name": title,
        "task_categories": ["image-classification"],
        "tags": ["raresight", "imbalanced"],
        "size_categories": [_size(_total(facts))],
    }
    return document(found | dict(front_matter or {}), title, parts)


def _total(facts: DatasetFacts) -> int:
    return sum(sum(tally.values()) for tally in facts.originals.values())


def _size(images: int) -> str:
    """The hub's word for a number of rows."""
    words = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "n>10M")
    return words[sum(images >= 10**power for power in range(3, 8))]


def _contents(facts: DatasetFacts) -> Iterator[str]:
    description = facts.description
    height, width, channels = description.image_shape
    positive = description.positive
    rare = f" '{positive}' is the class that results are about." if positive is not None else ""
    yield (
        f"{count(_total(facts))} images of {width} x {height} pixels and {channels} channels, of "
        f"{count(len(description.classes))} classes.{rare}"
    )
    yield images_by_split(facts)
    if facts.copies:
        yield f"Besides, {count(facts.copies)} augmented copies of the train split."
    known = [f"`{name}`: {_MEANINGS[name]}" for name in description.columns if name in _MEANINGS]
    if description.factors:
        known.append(
            f"factors of each image: {', '.join(f'`{one}`' for one in description.factors)}"
        )
    if known:
        yield "What is known of the images besides their label, where it is:\n\n" + items(known)


def images_by_split(facts: DatasetFacts) -> str:
    """A table of the originals of each class, and the share of the positive one."""
    classes, positive = facts.description.classes, facts.description.positive
    header = ["split", *classes, *([] if positive is None else [f"share of {positive}"])]
    return table(header, [_row(facts, split, classes, positive) for split in SPLITS])


def _row(
    facts: DatasetFacts, split: str, classes: Sequence[str], positive: str | None
) -> list[str]:
    tally = facts.originals.get(split, {})
    row = [split, *(count(tally.get(label, 0)) for label in classes)]
    if positive is not None:
        total = sum(tally.values())
        row.append(share(tally.get(positive, 0) / total) if total else "")
    return row


def sources(facts: DatasetFacts) -> str:
    """Where the images come from: each source's generator and what it was asked for."""
    return items(_source(one) for one in facts.description.sources)


def _source(source: Mapping[str, Any]) -> str:
    asked = [
        f"{key} {_short(source[key])}"
        for key in ("count", "counts", "prevalence", "splits")
        if source.get(key) is not None
    ]
    told = f" ({'; '.join(asked)})" if asked else ""
    return f"`{source['name']}`: generator `{source.get('generator', 'unknown')}`{told}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one:g}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value}"


def _versions(facts: DatasetFacts) -> str:
    told = ", ".join(f"{name} {number}" for name, number in facts.description.versions.items())
    return f"Made with seed {facts.description.seed} by {told}." if told else ""


def _limits(facts: DatasetFacts) -> Iterator[str]:
    yield (
        "Images of one `group` (patient, camera, video; the image itself where nothing is known) "
        "are in one split: a new division has to keep that."
    )
    positive = facts.description.positive
    if positive is not None and (rare := facts.originals.get("test", {}).get(positive, 0)) < _FEW:
        yield f"{count(rare)} test images are '{positive}': a recall from them is uncertain."
