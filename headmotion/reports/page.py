"""From a template to a page."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from ..core.lazy import require_packages


def check_installed() -> None:
    """Refuse to begin without the packages that a page needs.

    Raises:
        HeadmotionError: one is missing.
    """
    require_packages(("jinja2", "matplotlib"), "headmotion[report]", "report")


def page(room: str, template: str, **values: Any) -> str:
    """HTML from a template beside the code of ``room``, which extends ``base.html``; all values are escaped.

    Raises:
        HeadmotionError: a package is missing.
    """
    check_installed()
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: _template(room, name)),
    )
    style = Markup((files(__package__) / "style.css").read_text("utf-8"))  # our own file, not escaped
    return environment.get_template(template).render(style=style, **values)


def _template(room: str, name: str) -> str:
    own = files(room) / name
    return (own if own.is_file() else files(__package__) / name).read_text("utf-8")
