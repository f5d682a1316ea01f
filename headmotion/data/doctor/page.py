"""A report as one HTML file that needs no other."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec

from ...core.errors import CorpusError
from .report import Report

SHOWN = 50
"""Clips of a finding that the page names; the rest is counted."""


def check_installed() -> None:
    """Refuse to begin without the packages that a page needs.

    Raises:
        CorpusError: one is missing.
    """
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        remedy = "install them: pip install 'headmotion[report]'"
        raise CorpusError("report", "the packages jinja2 and matplotlib", f"no {' and no '.join(missing)}", remedy)


def page(report: Report) -> str:
    """The HTML of a report.

    Raises:
        CorpusError: a package is missing.
    """
    check_installed()
    from jinja2 import Environment, StrictUndefined

    from .plots import plots

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files(__package__) / "page.html").read_text("utf-8"))
    return template.render(report=report, summary=report.summary(), plots=list(plots(report)), shown=SHOWN)
