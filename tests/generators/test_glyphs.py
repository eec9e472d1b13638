"""Characters: the right ones, of fonts and of a hand, in their place, and through a scanner."""

import json
import shutil

import numpy as np
import pytest
from pydantic import ValidationError

from raresight.generators.base import BadImages, Record
from raresight.generators.drawing import fonts, hand, pen
from raresight.generators.glyphs import Glyphs, GlyphsOptions
from raresight.pipeline.core import seeds

CLEAN = {
    **dict.fromkeys(("x", "y", "rotation", "slant", "bend", "bold", "tint"), (0, 0)),
    "mottle": (0, 0),
    **{"clutter": (0, 0), "blur": (0, 0), "noise": (0, 0), "paper": (1, 1), "ink": (0, 0)},
    "aspect": (1, 1),
}


def build(side=64, **options):
    return Glyphs(GlyphsOptions.model_validate_json(json.dumps(options)), side)


def draw(generator, label, k=0):
    record = Record(id=f"{label}-{k}", label=label)
    return generator.sample(record, seeds.rng(1, "test", record.id))


@pytest.mark.parametrize("source", ["bundled", "hand"])
def test_a_normalized_digit_fills_the_height_and_width_asked_for(source):
    generator = build(
        fonts=[source], normalized=True, height=(0.75, 0.75), width=(0.5, 0.5), **CLEAN
    )
    for label in "02345689":  # a one and a seven may be upright lines
        ((x, y, width, height),) = draw(generator, label).boxes
        assert height == pytest.approx(0.75 * 64, abs=1.5)
        assert width == pytest.approx(0.5 * 64, abs=2.5)
        assert x + width / 2 == pytest.approx(32, abs=1.5)
        assert y + height / 2 == pytest.approx(32, abs=1.5)


def test_capitals_are_as_high_as_asked_and_small_letters_lower():
    generator = build(classes=("H", "o", "g"), height=(0.5, 0.5), **CLEAN)
    heights = {
        label: np.mean([draw(generator, label, k).boxes[0][3] for k in range(8)]) for label in "Hog"
    }
    assert heights["H"] == pytest.approx(32, abs=2)
    assert heights["o"] < 0.85 * heights["H"]
    below = draw(generator, "g").boxes[0]
    assert below[1] + below[3] > draw(generator, "H").boxes[0][1] + 32  # it hangs down


def test_ink_lies_where_the_mask_is():
    sample = draw(build(fonts=["bundled", "hand"], **CLEAN), "5")
    dark = sample.image[..., 0] < 128
    assert np.array_equal(dark, sample.mask == 1)


def test_the_covered_share_of_an_outline_is_its_area():
    """The zero of DejaVu Sans Mono has an outer and an inner loop (and a stroke in it): the area by
    the shoelace formula, holes negative, equals the sum of the covered shares."""
    path = next(path for path in fonts.bundled() if path.name == "DejaVuSerif.ttf")
    lines = fonts.outline(path, "0")
    area = abs(np.sum(lines[:, 0] * lines[:, 3] - lines[:, 2] * lines[:, 1]) / 2)
    assert pen.drawn(lines * 0.5 + 0.25, 0.0, False, 128).sum() == pytest.approx(
        area * 64**2, rel=1e-3
    )


def test_a_bold_character_is_larger_by_its_border_and_a_thin_one_smaller():
    path = fonts.bundled()[0]
    lines = fonts.outline(path, "1") * 0.6 + 0.2
    thin, plain, bold = (pen.drawn(lines, reach, False, 128).sum() for reach in (-0.01, 0.0, 0.01))
    border = sum(np.hypot(*(line[:2] - line[2:])) for line in lines) * 128
    assert bold - plain == pytest.approx(border * 0.01 * 128, rel=0.15)
    assert plain - thin == pytest.approx(border * 0.01 * 128, rel=0.15)


def test_a_pen_covers_a_line_as_wide_as_itself():
    covered = pen.drawn(np.array([[0.25, 0.5, 0.75, 0.5]]), 0.05, True, 100)
    assert covered.sum() == pytest.approx(50 * 10 + np.pi * 5**2, rel=0.01)  # a bar and two caps


def test_a_scan_counts_the_points_of_each_square():
    points = np.zeros((8, 8))
    points[:4, :4] = np.eye(4)  # a quarter of the first square
    points[4:, 4:] = 0.5  # half covered counts as black
    points[:4, 4:] = 0.49
    assert pen.scan(points, 2).tolist() == [[0.25, 0.0], [0.0, 1.0]]


def test_a_scanned_digit_has_the_seventeen_levels_of_its_squares():
    scanner = {"pixels": 8, "bitmap": 4}
    generator = build(side=8, fonts=["hand"], scanner=scanner, normalized=True, **CLEAN)
    levels = {int(v) for label in "0123456789" for v in np.unique(draw(generator, label).image)}
    assert levels <= {int(255 * (1 - black / 16) + 0.5) for black in range(17)}
    assert len(levels) > 10


@pytest.mark.parametrize("label", hand.FORMS)
def test_every_form_of_a_digit_stays_near_its_box(label):
    for lines in hand.strokes(label):
        assert lines.min() > -0.1
        assert lines.max() < 1.1
        assert np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]).max() < 0.2


def test_bending_keeps_lines_together():
    lines = hand.strokes("8")[0]
    lattice = seeds.rng(1, "test", 1).uniform(-1, 1, (2, pen.LATTICE, pen.LATTICE))
    bent = pen.bend(lines, lattice, 0.2)
    assert np.array_equal(bent[:-1, 2:], bent[1:, :2])
    assert 0.01 < np.abs(bent - lines).max() <= 0.2


def test_a_factor_may_depend_on_the_character():
    pens = {
        "conditional": {"given": "label", "cases": {"1": [0.2, 0.2]}, "otherwise": [0.05, 0.05]}
    }
    generator = build(fonts=["hand"], pen=pens)
    assert draw(generator, "1").factors["pen"] == 0.2
    assert draw(generator, "2").factors["pen"] == 0.05


def test_factors_drawn_together_hang_together():
    styles = [
        {"weight": 1, "product": {"pen": [0.04, 0.05], "slant": [0.2, 0.3]}},
        {"weight": 1, "product": {"pen": [0.1, 0.12], "slant": [-0.3, -0.2]}},
    ]
    generator = build(fonts=["hand"], together={"mixture": styles})
    drawn_ones = [draw(generator, "3", k).factors for k in range(30)]
    assert {one["pen"] < 0.07 for one in drawn_ones} == {True, False}
    assert all((one["pen"] < 0.07) == (one["slant"] > 0) for one in drawn_ones)
    laws = generator.distributions()
    assert all(laws[name].contains(one[name]) for one in drawn_ones for name in ("pen", "slant"))


# What the Debian packages install (dpkg -L).
PACKAGES = {
    "fonts-breip": "breip/breipfont.ttf",
    "fonts-dkg-handwriting": "fifthhorseman/dkgIt.ttf",
    "fonts-ecolier-court": "ecolier-court/Ecolier-court.ttf",
    "fonts-femkeklaver": "femkeklaver/femkeklaver.ttf",
    "fonts-humor-sans": "humor-sans/Humor-Sans.ttf",
    "fonts-kristi": "kristi/Kristi.ttf",
    "fonts-rufscript": "rufscript/Rufscript010.ttf",
}


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A place for the machine's fonts, in which there are print fonts alone."""
    monkeypatch.setattr(fonts, "_SYSTEM", tmp_path)
    install("dejavu/DejaVuSans.ttf", tmp_path)
    return tmp_path


def install(name: str, system) -> None:
    (system / name).parent.mkdir(exist_ok=True)
    shutil.copy(fonts.bundled()[0], system / name)


@pytest.mark.parametrize("package", fonts.HANDWRITING)
def test_the_handwriting_fonts_of_each_debian_package_are_found(package, system):
    install(PACKAGES[package], system)
    assert fonts.handwriting() == [system / PACKAGES[package]]


def test_handwriting_fonts_are_drawn_with_and_named(system):
    for name in PACKAGES.values():
        install(name, system)
    generator = build(fonts=["handwriting"])
    generator.require()
    names = sorted(name.split("/")[1] for name in PACKAGES.values())
    drawn_with = {draw(generator, "5", k).factors["font"] for k in range(60)}
    assert sorted(drawn_with) == names
    assert sorted(generator.environment()["handwriting fonts"].split(", ")) == names
    assert build(fonts=["bundled"]).environment() == {}


def test_without_handwriting_fonts_the_packages_are_named(system):
    with pytest.raises(BadImages, match=r"apt-get install fonts-breip .* fonts-rufscript"):
        build(fonts=["handwriting"]).require()
    build(fonts=["handwriting", "hand"]).require()  # as far as they are installed


def test_fonts_of_a_folder_are_used(tmp_path):
    shutil.copy(fonts.bundled()[0], tmp_path / "mine.ttf")
    (tmp_path / "broken.otf").write_bytes(b"no font")
    generator = build(fonts=[str(tmp_path)])
    generator.require()
    assert {draw(generator, "4", k).factors["font"] for k in range(5)} == {"mine.ttf"}


@pytest.mark.parametrize(
    ("name", "message"),
    [("empty", "no .ttf or .otf file in it"), ("broken", "none of bad.ttf has '0123456789'")],
)
def test_a_folder_without_a_usable_font_is_told_by_name(tmp_path, name, message):
    folder = tmp_path / name
    folder.mkdir()
    if name == "broken":
        (folder / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(BadImages, match=f"'{folder}' has no usable font: {message}"):
        build(fonts=["bundled", str(folder)]).require()
    with pytest.raises(FileNotFoundError, match="does not exist"):
        build(fonts=[str(folder / "none")]).require()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ("a", "bc")}, "one visible character"),
        ({"classes": ("a", "a")}, "only once"),
        ({"classes": ("a", "1"), "fonts": ("hand",)}, "hand draws digits alone, not a"),
        ({"height": (0.5, 1.5)}, r"within \[0.05, 1\]"),
        ({"scanner": {"pixels": 2}}, "greater than or equal to 4"),
        (
            {"pen": {"conditional": {"given": "ink", "cases": {"1": [0.1, 0.1]}}}},
            "pen: it cannot depend on 'ink', only on label, height",
        ),
        (
            {"pen": {"conditional": {"given": "label", "cases": {"x": [0.1, 0.1]}}}},
            "pen: no class x; there are 0, 1",
        ),
        (
            {"pen": {"conditional": {"given": "label", "cases": {"0": [0.1, 0.1]}}}},
            "pen: no case for 1, 2, .*, and no otherwise",
        ),
        ({"together": {"uniform": [0, 1]}}, "must be a product, or a mixture of products"),
        ({"together": {"product": {"pan": [0, 1]}}}, "together: no factor 'pan'; there are height"),
        ({"together": {"product": {"pen": [0, 9]}}}, "together: pen: must lie within"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        GlyphsOptions.model_validate_json(json.dumps(options))
