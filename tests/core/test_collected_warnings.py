"""Warnings that a caller collects, in its thread and not in others."""

from __future__ import annotations

import logging
import threading

import pytest

from headmotion.core.collected_warnings import collected_warnings


def test_warnings_of_this_thread_are_collected(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("headmotion")
    with collected_warnings() as texts:
        log.warning("%d faces", 2)
        log.error("broken")
        with collected_warnings() as inner:
            log.warning("inner")
        other = threading.Thread(target=log.warning, args=("of another thread",))
        other.start()
        other.join()
        log.warning("after")
    log.warning("outside")
    assert (texts, inner) == (["2 faces", "after"], ["inner"])
    assert [record.getMessage() for record in caplog.records] == ["broken", "of another thread", "outside"]
