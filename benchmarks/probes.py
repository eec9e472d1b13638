"""Probes that ask whether a picture tells its class where what makes the class cannot be seen.

Images come in pairs, a positive and a negative; what is looked at lies at the same place in both,
so that its own shape and place tell nothing. A probe's answer is the AUC over five folds, pairs
undivided, and its standard error over them.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from raresight.generators.base import Sample

GROWN = 10 / 64  # of the side: how far the hole reaches beyond the masks
PATCH = 20 / 64  # of the side: how wide the far patch is
FOLDS = 5
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

Pairs = Sequence[tuple[Sample, Sample]]
Hole = Callable[[Sample], np.ndarray]  # the pixels (H, W) that the object may have changed


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The mean AUC over the folds and its standard error."""

    auc: float
    error: float

    def __str__(self) -> str:
        return f"{self.auc:.3f} ±{self.error:.3f}"


def of_mask(sample: Sample) -> np.ndarray:
    """The mask itself; nothing where there is none."""
    return sample.mask == 1 if sample.mask is not None else np.zeros(sample.image.shape[:2], bool)


def of_disc(sample: Sample) -> np.ndarray:
    """The circumscribed disc of a shape, on whose size and place no class decides."""
    side, f = len(sample.image), sample.factors
    y, x = np.mgrid[:side, :side] + 0.5
    radius = float(f["size"] or 0) * side / 2
    return np.hypot(x - float(f["x"] or 0) * side, y - float(f["y"] or 0) * side) <= radius


def hole_of(pair: tuple[Sample, Sample], hole: Hole) -> np.ndarray:
    """What either object may have changed, grown by GROWN, bool (H, W)."""
    both = hole(pair[0]) | hole(pair[1])
    return ndimage.distance_transform_edt(~both) <= GROWN * len(both) if both.any() else both


def cut_features(pairs: Pairs, hole: Hole) -> np.ndarray:
    """Statistics of what is left of each image without the hole of its pair, (2 n, F)."""
    return np.array(
        [
            statistics(one.image, ~cut)
            for pair in pairs
            for cut in [hole_of(pair, hole)]
            for one in pair
        ]
    )


def far_patches(pairs: Pairs, hole: Hole) -> np.ndarray:
    """The square that is farthest from the hole, nothing cut: uint8 (2 m, P, P, 3).

    Pairs in which no square lies outside of the hole are left out.
    """
    found = []
    for pair in pairs:
        cut = hole_of(pair, hole)
        top, left, side = _farthest(cut)
        if cut[top : top + side, left : left + side].any():
            continue
        found += [one.image[top : top + side, left : left + side] for one in pair]
    return np.stack(found)


def _farthest(hole: np.ndarray) -> tuple[int, int, int]:
    """Row, column and side of the square whose nearest pixel to the hole is farthest from it."""
    side = round(PATCH * len(hole))
    if not hole.any():
        return 0, 0, side
    away = ndimage.distance_transform_edt(~hole)
    windows = np.lib.stride_tricks.sliding_window_view(away, (side, side))
    row, column = np.unravel_index(np.argmax(windows.min(axis=(2, 3))), windows.shape[:2])
    return int(row), int(column), side


def patch_features(patches: np.ndarray) -> np.ndarray:
    return np.array([statistics(patch, np.ones(patch.shape[:2], bool)) for patch in patches])


def statistics(image: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Colors, noise, edges, spectrum, packed size, borders and rows of what is ``seen`` (H, W)."""
    pixels = image[seen].astype(float)
    filled = np.where(seen[..., None], image, pixels.mean(axis=0).round()).astype(np.uint8)
    gray = filled.mean(axis=2)
    inner = ndimage.binary_erosion(seen, np.ones((3, 3)), border_value=1)
    rough = np.abs(ndimage.laplace(gray))[inner] if inner.any() else np.zeros(1)
    edges = np.hypot(*np.gradient(gray))[inner] if inner.any() else np.zeros(1)
    sides = (gray[0], gray[-1], gray[:, 0], gray[:, -1])
    bands = [gray[rows].mean() for rows in np.array_split(np.arange(len(gray)), 6)]
    return np.array(
        [
            *pixels.mean(axis=0),
            *pixels.std(axis=0),
            *np.quantile(pixels, _QUANTILES, axis=0).ravel(),
            *np.corrcoef(pixels.T + 1e-6 * np.arange(len(pixels)))[np.triu_indices(3, 1)],
            *(rough.mean(), np.median(rough), rough.max(), edges.mean(), edges.std(), edges.max()),
            *_spectrum(gray),
            len(zlib.compress(filled.tobytes(), 6)),
            *(side.mean() for side in sides),
            *(side.std() for side in sides),
            *bands,
        ]
    )


def _spectrum(gray: np.ndarray) -> list[float]:
    """The logarithm of the power in five rings of frequencies."""
    power = np.abs(np.fft.fft2(gray - gray.mean())) ** 2
    rows, columns = (np.fft.fftfreq(size) for size in gray.shape)
    ring = np.digitize(np.hypot(*np.meshgrid(rows, columns, indexing="ij")), (0.06, 0.12, 0.2, 0.3))
    return [float(np.log(power[ring == k].mean() + 1)) for k in range(5)]


def factor_features(samples: Sequence[Sample], names: Sequence[str]) -> np.ndarray:
    """Factors as numbers (n, F): words one-hot, the unknown NaN."""
    columns = []
    for name in names:
        values = [sample.factors.get(name) for sample in samples]
        if words := sorted({value for value in values if isinstance(value, str)}):
            columns += [[float(value == word) for value in values] for word in words]
        else:
            columns.append([np.nan if value is None else float(value) for value in values])
    return np.array(columns).T if columns else np.zeros((len(samples), 0))


def boosting() -> Any:
    return HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=15, random_state=0)


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def ask(features: np.ndarray, make: Callable[[], Any]) -> Answer:
    """How well a model tells positives from negatives that come in turn: ``features`` (2 n, F)."""
    known = np.nan_to_num(features)
    aucs = []
    for learned, asked, targets in _folds(len(known)):
        model = make().fit(known[learned], targets[learned])
        aucs.append(roc_auc_score(targets[asked], model.predict_proba(known[asked])[:, 1]))
    return _answer(aucs)


def ask_net(patches: np.ndarray, *, epochs: int = 6) -> Answer:
    """As :func:`ask`, by a small convolutional network on patches uint8 (2 n, P, P, 3)."""
    aucs = []
    for learned, asked, targets in _folds(len(patches)):
        scores = net(patches[learned], targets[learned], epochs=epochs)(patches[asked])
        aucs.append(roc_auc_score(targets[asked], scores))
    return _answer(aucs)


def net(
    images: np.ndarray, targets: np.ndarray, *, epochs: int
) -> Callable[[np.ndarray], np.ndarray]:
    """A small network fitted on images uint8 (n, H, W, 3); returns images -> scores (m,)."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    model = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, 1))
    x, y = _tensor(images), torch.from_numpy(targets.astype(np.float32))
    steps = epochs * (1 + (len(x) - 1) // 64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=order).split(64):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows])[:, 0], y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()

    def score(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = [model(part)[:, 0] for part in _tensor(images).split(500)]
        return torch.cat(parts).numpy()

    return score


def _tensor(images: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _folds(count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    targets = np.arange(count) % 2 == 0
    pairs = np.arange(count) // 2
    for learned, asked in GroupKFold(FOLDS).split(targets, groups=pairs):
        yield learned, asked, targets


def _answer(aucs: Sequence[float]) -> Answer:
    return Answer(auc=float(np.mean(aucs)), error=float(np.std(aucs, ddof=1) / np.sqrt(len(aucs))))


def chance_error(positives: int, negatives: int) -> float:
    """The standard error of an AUC where both classes are alike (Mann and Whitney 1947)."""
    return float(np.sqrt((positives + negatives + 1) / (12 * positives * negatives)))
