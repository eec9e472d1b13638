"""Progress is for a person at a terminal, and never in the way of the data."""

import re

from raresight.pipeline.runtime.progress import bar, track


def test_items_pass_through_untouched_and_in_order():
    items = track(iter(("a", "bb", "c")), total=4, description="x", images=len)
    assert list(items) == ["a", "bb", "c"]


def test_nothing_is_written_where_nobody_watches(capfd):
    list(track("abc", total=3, description="x", images=len))
    assert capfd.readouterr() == ("", "")


def test_the_bar_counts_images_and_not_what_holds_them(monkeypatch, capfd):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    list(track([range(300), range(200)], total=500, description="x", images=len))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capfd.readouterr().err).splitlines()[-1]
    assert re.search(r"500/500 [\d,]+ images/s 0:00:00", shown), shown


def test_a_terminal_sees_a_bar_unless_it_asked_for_quiet(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the stream for a terminal
    assert not bar().disable
    monkeypatch.setenv("RARESIGHT_VERBOSITY", "-1")
    assert bar().disable
