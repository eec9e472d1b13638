"""Nothing tells the class but what makes the class.

Pairs of one random stream and two classes are equal away from the object; a probe that looks far
from the object finds nothing; and every factor that the class decides on is declared.
"""

import json

import numpy as np
import pytest
from scipy import ndimage, stats

from benchmarks import probes
from raresight.generators import GENERATORS
from raresight.generators.base import Record
from raresight.generators.distributions import Conditional
from raresight.generators.drawing.objects import shuffled
from raresight.pipeline.core import seeds

SIDE = 64
DRAWN = sorted(n for n, kind in GENERATORS.items() if kind.countable)
SIMULATED = {"conveyor", "street"}  # scenes drawn until one comes out as asked: no pairs
FLAT = sorted(set(DRAWN) - SIMULATED)

# Pixels from the object at which its halo, its blur and its soft rim have ended; a figure's
# cleared halo is up to 1.2 times as wide as the figure is long.
REACH = {"pathology": 16, "shapes": 2, "glyphs": 6, "textures": 6}
HOLES = {"shapes": probes.of_disc}
SMALL = {
    "glyphs": {"height": [0.15, 0.25]},
    "shapes": {"size": [0.1, 0.25]},
}  # where the object usually fills the image


def build(name, **options):
    kind = GENERATORS[name]
    return kind(kind.options.model_validate_json(json.dumps(options)), SIDE)


def two_classes(generator):
    """The rarest class and the most frequent one; of equal ones the first and the last."""
    shares = generator.shares()
    first, *_, last = sorted(generator.classes, key=lambda label: (shares[label], label))
    return first, last


def draw(generator, label, key):
    return generator.sample(Record(id=key, label=label), seeds.rng(5, "class", key))


def mark_engines(names):
    engines = {name: pytest.mark.engine(name) for name in SIMULATED}
    return [pytest.param(n, marks=engines[n]) if n in engines else n for n in names]


@pytest.mark.parametrize("name", FLAT)
def test_a_pair_of_one_stream_is_equal_away_from_the_object(name):
    generator, hole = build(name), HOLES.get(name, probes.of_mask)
    first, second = two_classes(generator)
    nearby = 0
    for k in range(60):
        pair = draw(generator, first, str(k)), draw(generator, second, str(k))
        both = hole(pair[0]) | hole(pair[1])
        differ = (pair[0].image != pair[1].image).any(axis=-1)
        away = ndimage.distance_transform_edt(~both) if both.any() else np.full(both.shape, 0.0)
        assert not differ[away > REACH[name]].any(), f"record {k}"
        nearby += differ.any()
    assert nearby > 50  # the classes do differ, where they may


def far_probe(name, *, count, leak=0):
    """The AUC of a far patch, and the standard error it has by chance: ``count`` pairs, of which
    positives are ``leak`` levels lighter."""
    generator = build(name, **SMALL.get(name, {}))
    first, second = two_classes(generator)
    pairs = [
        (draw(generator, first, f"p{k}"), draw(generator, second, f"n{k}")) for k in range(count)
    ]
    patches = probes.far_patches(pairs, HOLES.get(name, probes.of_mask))
    found = len(patches) // 2
    assert found > count / 2
    patches[::2] = np.minimum(patches[::2].astype(int) + leak, 255)
    answer = probes.ask(probes.patch_features(patches), probes.logistic)
    return answer.auc, probes.chance_error(found, found)


@pytest.mark.parametrize("name", mark_engines(DRAWN))
def test_a_probe_far_from_the_object_finds_nothing(name):
    """Within four standard errors of an AUC of classes that are alike."""
    auc, error = far_probe(name, count=60 if name in SIMULATED else 300)
    assert abs(auc - 0.5) < 4 * error


def test_the_probe_finds_a_leak_where_there_is_one():
    auc, error = far_probe("pathology", count=150, leak=40)
    assert auc > 0.5 + 6 * error


@pytest.mark.parametrize("name", mark_engines(DRAWN))
def test_what_the_class_decides_on_is_declared(name):
    """Every other factor is drawn alike: two-sample Kolmogorov-Smirnov, or chi-square of words.

    0.0001 over all factors and generators together, so that chance alone never fails it.
    """
    generator = build(name)
    declared = {*generator.label_factors, *generator.outcomes}
    assert declared <= set(generator.factors)
    laws = generator.distributions()
    declared |= {n for n, law in laws.items() if isinstance(law, Conditional)}
    count = 30 if name in SIMULATED else 150
    first, second = two_classes(generator)
    drawn = [
        [draw(generator, label, f"{label}{k}").factors for k in range(count)]
        for label in (first, second)
    ]
    for factor in set(generator.factors) - declared:
        one, two = (
            [values[factor] for values in factors if values[factor] is not None]
            for factors in drawn
        )
        assert bool(one) == bool(two), factor
        if not one:
            continue
        if generator.factors[factor][0] == "string":
            words = sorted({*one, *two})
            table = np.array([[side.count(word) for word in words] for side in (one, two)])
            p = stats.chi2_contingency(table).pvalue if len(words) > 1 else 1.0
        else:
            p = stats.ks_2samp(one, two).pvalue
        assert p > 1e-4 / 100, factor


def test_shuffled_objects_keep_their_pixels_and_lose_their_order():
    rng = np.random.default_rng(3)
    scene = np.kron(np.array([[0, 7], [2, 9]], np.uint16), np.ones((3, 3), np.uint16))
    orders = set()
    for _ in range(60):
        found = shuffled(scene, rng)
        assert found.dtype == scene.dtype
        assert (found == 0).tolist() == (scene == 0).tolist()
        numbers = [int(found[scene == n][0]) for n in (2, 7, 9)]
        assert all((found == n).sum() == 9 for n in numbers)
        assert sorted(numbers) == [1, 2, 3]
        orders.add(tuple(numbers))
    assert len(orders) == 6
