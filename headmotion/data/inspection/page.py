"""A report as one HTML file that needs no other."""

from __future__ import annotations

from ...reports.page import page as rendered
from .plots import plots
from .report import Report

SHOWN = 50
"""Clips of a finding that the page names; the rest is counted."""


def page(report: Report) -> str:
    """The HTML of a report.

    Raises:
        HeadmotionError: a package is missing.
    """
    values = {"report": report, "summary": report.summary(), "plots": list(plots(report)), "shown": SHOWN}
    return rendered(__package__, "page.html", **values)
