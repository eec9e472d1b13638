"""Names of classes that a person would take for one another."""

import pytest

from raresight.generators.real.class_names import confusable


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
