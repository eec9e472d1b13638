"""Messages and exit codes: what a person, a shell and DVC get to see."""

import errno

import pytest

from raresight.pipeline.runtime import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.RaresightError, 1),
        (errors.ParamsError, 2),
        (errors.DataError, 65),
        (errors.InputMissing, 66),
        (errors.OutputError, 74),
        (errors.LockedError, 75),
        (errors.DivergedError, 76),
        (errors.UnsafeError, 77),
        (errors.DeviceError, 78),
    ],
)
def test_every_error_ends_with_its_documented_code(kind, code):
    assert errors.message_and_code(kind("what, where, which value")) == (
        "what, where, which value",
        code,
    )


def test_the_nearest_known_word_comes_first():
    text = errors.suggest("mitotc", ["normal", "mitotic"])
    assert text == "Did you mean 'mitotic'? Known: mitotic, normal."


def test_nothing_is_suggested_where_nothing_is_near():
    assert errors.suggest("zzz", ["normal", "mitotic"]) == "Known: normal, mitotic."
    assert errors.suggest("zzz", []) == "Known: none."


def test_a_listing_says_how_much_it_leaves_out():
    assert errors.listing("abc", limit=2) == "  a\n  b\n  ... and 1 more"
    assert errors.listing("abc", limit=3) == "  a\n  b\n  c"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_an_output_that_cannot_be_written_is_74_and_names_the_file(number):
    message, code = errors.message_and_code(OSError(number, "the reason", "data/x.arrow"))
    assert code == 74
    assert message.startswith("data/x.arrow: the reason.")


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143), (ValueError("x"), 1)]
)
def test_interruptions_and_surprises_have_codes_too(error, code):
    assert errors.message_and_code(error)[1] == code


def test_a_surprise_is_named_on_one_line_with_the_way_to_its_traceback():
    message, _ = errors.message_and_code(ValueError("first\nsecond"))
    assert message.splitlines()[0] == "unexpected ValueError: first second"
    assert "--debug" in message.splitlines()[1]


def test_a_plain_exit_is_none_of_our_business():
    assert errors.message_and_code(SystemExit(0)) is None
