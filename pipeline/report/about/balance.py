"""How many images of each class there were: as drawn, with copies, and as an epoch showed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Images of one class (None where only shares are known), and their share in [0, 1]."""

    label: str
    images: int | None
    share: float


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The classes at one stage of the way."""

    title: str
    amounts: tuple[Amount, ...]


def balances(
    images: Mapping[str, Any], shares: Mapping[str, float], classes: Sequence[str]
) -> tuple[Balance, ...]:
    """Training images before and after augmentation, and as learned from.

    ``images`` is that of the split's summary.json (by split, class and kind); ``shares`` are those
    of the classes in an epoch.
    """
    train = images["train"]
    before = {label: train[label]["originals"] for label in classes}
    after = {label: sum(train[label].values()) for label in classes}
    found = [_balance("as drawn", before)]
    if after != before:
        found.append(_balance("with augmented copies", after))
    seen = tuple(Amount(label=label, images=None, share=shares[label]) for label in classes)
    return (*found, Balance(title="as one epoch shows them", amounts=seen))


def _balance(title: str, counts: Mapping[str, int]) -> Balance:
    total = max(1, sum(counts.values()))
    amounts = (
        Amount(label=label, images=count, share=count / total) for label, count in counts.items()
    )
    return Balance(title=title, amounts=tuple(amounts))
