"""Names of classes that a person would take for one another."""

import pytest
from image_folders import folder, save

from raresight.generators.base import BadImages
from raresight.generators.real.class_names import confusable, unprintable


@pytest.mark.parametrize(
    "pair",
    [
        ("Cat", "cat"),
        ("cat", "cat "),
        ("grade 3", "grade_3"),
        ("grade-3", "Grade  3"),
        ("caf\u00e9", "cafe\u0301"),  # one letter, or a letter and its accent
        ("\uff23at", "Cat"),  # a wide C
        ("p\u0430tient", "patient"),  # a Cyrillic a
        ("\u03bformal", "ormal"),  # a Greek o, told from the word without it
    ],
)
def test_names_that_look_the_same(pair):
    found = confusable([*pair, "other"])
    alike = pair != ("\u03bformal", "ormal")
    assert len(found) == alike
    if alike:
        assert all(repr(name) in found[0] for name in pair)


@pytest.mark.parametrize("name", ["ca\tt", "cat\x00", "cat\u200b", "\u202ecat"])
def test_characters_that_nobody_sees(name):
    (found,) = confusable([name, "dog"])
    assert "nobody sees" in found


def test_names_that_people_have_are_told_apart():
    names = [
        "Grade 3, invasive",
        "\u00dcbergr\u00f6\u00dfe",
        "0_background",
        "normal.",
        "\u732b",
        "a=b",
    ]
    assert confusable([*names, "yes", "null", "1e-3", "0", "1", "A", "B", "Bar", "Baer"]) == []


def test_names_that_would_be_obeyed_are_refused_and_shown_as_they_are():
    names = [
        "plain",
        "new\nline",
        None,
        "\x1b[31mred",
        "\u202etxt.gnp",
        "caf\u00e9 \u200d",
        "a\x9b",
    ]
    found = unprintable(names)
    assert found == [
        "'new\\nline' (U+000A)",
        "'\\x1b[31mred' (U+001B)",
        "'\\u202etxt.gnp' (U+202E)",
        "'a\\x9b' (U+009B)",
    ]


@pytest.mark.parametrize("place", ["well\x1b[2J/a.png", "well/\ra.png", "well/patient\n1/a.png"])
def test_such_a_class_folder_or_file_is_refused_at_read_in(tmp_path, place):
    for one in ("ill/b.png", "well/b.png", place):
        save(tmp_path / one, "red")
    with pytest.raises(BadImages, match=r"names with control characters.*\n  '.*\\(x1b|r|n)"):
        list(folder(tmp_path).streams("raw"))
