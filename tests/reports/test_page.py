"""Pages and plots of HTML reports."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

import headmotion as hm

pytest.importorskip("jinja2", reason="needs the extra report")
pytest.importorskip("matplotlib", reason="needs the extra report")

from headmotion.reports.page import check_installed, page, svg


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a template of its own."""
    (tmp_path / "room_with_page").mkdir()
    (tmp_path / "room_with_page/__init__.py").touch()
    template = '{% extends "base.html" %}{% block body %}<p>{{ name }}</p>{% endblock %}'
    (tmp_path / "room_with_page/report.html").write_text(template)
    monkeypatch.syspath_prepend(tmp_path)
    return "room_with_page"


def test_a_page_needs_no_other_file_and_escapes_its_values(room: str) -> None:
    html = page(room, "report.html", title="Report", name="<script>")
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "<style>" in html and "http://" not in html and "https://" not in html


def test_a_value_that_a_template_needs_must_be_given(room: str) -> None:
    with pytest.raises(Exception, match="name"):
        page(room, "report.html", title="Report")


def test_the_same_plot_has_the_same_bytes() -> None:
    first, second = (svg(lambda axes: axes.plot([0, 1], [1, 0])) for _ in range(2))
    assert first == second
    assert b"<svg" in base64.b64decode(first.removeprefix("data:image/svg+xml;base64,"))


def test_a_missing_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(hm.HeadmotionError, match=r"no jinja2; pip install .headmotion\[report\]") as caught:
        check_installed()
    assert "\n" not in str(caught.value)
