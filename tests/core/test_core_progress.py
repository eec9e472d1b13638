"""Progress is for a person at a terminal, and never in the way of the data."""

from raresight.pipeline.runtime.progress import bar, track


def test_items_pass_through_untouched_and_in_order():
    assert list(track(iter("abc"), total=3, description="x")) == ["a", "b", "c"]


def test_nothing_is_written_where_nobody_watches(capfd):
    list(track("abc", total=3, description="x"))
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_a_bar_unless_it_asked_for_quiet(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the stream for a terminal
    assert not bar().disable
    monkeypatch.setenv("RARESIGHT_VERBOSITY", "-1")
    assert bar().disable
