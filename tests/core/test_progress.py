import io
import sys
import time

import pytest

from headmotion.core import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Call it in a test's body: between a fixture and the test, pytest puts its own stream in place."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def slowly(items):
    for item in items:
        time.sleep(0.05)
        yield item


def test_long_work_on_a_terminal_has_a_bar(monkeypatch):
    stream = terminal(monkeypatch)
    assert list(progress.track(slowly(range(5)), "video", 5)) == [0, 1, 2, 3, 4]
    assert "video" in stream.getvalue() and "/5" in stream.getvalue()


def test_the_bar_goes_on_from_an_earlier_run(monkeypatch):
    stream = terminal(monkeypatch)
    assert list(progress.track(range(90, 93), "steps", start=90)) == [90, 91, 92]
    with progress.progress("steps", 100, start=90) as advance:
        time.sleep(0.2)
        advance()
    assert "90/100" in stream.getvalue()


def test_amounts_that_are_bytes_are_not_written_out(monkeypatch):
    stream = terminal(monkeypatch)
    with progress.progress("0 videos", 10_000, counts=False) as advance:
        advance(5_000, "1 video")
        time.sleep(0.2)
    assert "1 video" in stream.getvalue() and "10000" not in stream.getvalue()


def test_no_bar_when_quiet_or_quick_or_elsewhere(monkeypatch):
    stream = terminal(monkeypatch)
    assert list(progress.track(slowly(range(3)), "video", quiet=True)) == [0, 1, 2]
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 60.0)
    assert list(progress.track(range(3), "video")) == [0, 1, 2]
    assert not stream.getvalue()
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.progress("video", 3) as advance:
        advance()
    assert not sys.stderr.getvalue()


def test_an_error_stops_the_bar(monkeypatch):
    stream = terminal(monkeypatch)
    with pytest.raises(ValueError, match="broken"), progress.progress("video", 3):
        time.sleep(0.1)
        raise ValueError("broken")
    shown = stream.getvalue()
    time.sleep(0.2)
    assert stream.getvalue() == shown


def test_an_error_stands_alone(monkeypatch):
    stream = terminal(monkeypatch)
    with pytest.raises(ZeroDivisionError) as caught:
        for number in progress.track(slowly(range(3)), "video", 3):
            1 / (1 - number)
    assert caught.tb, "it keeps the generator, and so the bar, alive"
    progress.stop_bars()
    shown = stream.getvalue()
    print("error: x", file=sys.stderr)
    assert shown.endswith("\x1b[2K"), "the line is empty and the cursor at its start"
    time.sleep(0.3)
    assert stream.getvalue() == shown + "error: x\n"


def test_labels_are_no_markup_and_no_commands(monkeypatch):
    stream = terminal(monkeypatch)
    with progress.progress("[red]a\x1b]0;b\x07[/]", 1) as advance:
        time.sleep(0.3)
        advance(label="\x1b]0;c\x07")
    assert r"[red]a\x1b]0;b\x07[/]" in stream.getvalue() and "\x1b]0" not in stream.getvalue()
