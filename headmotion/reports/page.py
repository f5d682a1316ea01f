"""HTML pages from templates, and plots as SVG pictures within them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..core.lazy import require_packages

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOR = "#3b6ea8"
"""Color of plots."""
SIZE_INCHES = (5.2, 2.9)
"""Usual width and height of a plot."""


def check_installed() -> None:
    """Check that the packages of the extra ``report`` are installed, before the work that a report is about.

    Raises:
        HeadmotionError: one is missing.
    """
    require_packages(("jinja2", "matplotlib"), "headmotion[report]", "report")


def page(room: str, template: str, **values: Any) -> str:
    """Return HTML from a template that extends ``base.html``.

    Args:
        room: the package in whose folder the template lies.
        template: the template's file name.
        values: values by name in the template; all are escaped.

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
    style = Markup((files(__package__) / "style.css").read_text("utf-8"))  # our own file, so it is not escaped
    return environment.get_template(template).render(style=style, **values)


def svg(draw: Callable[[Axes], None], inches: tuple[float, float] = SIZE_INCHES) -> str:
    """Return a plot as a data URL of an SVG picture.

    Args:
        draw: draws the plot into axes.
        inches: width and height.
    """
    import matplotlib
    from matplotlib.figure import Figure

    # Text stays text, and the same plot gives the same bytes.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "headmotion", "font.size": 9}):
        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _template(room: str, name: str) -> str:
    """Return a template of the room, or else one of those that all rooms share."""
    own = files(room) / name
    return (own if own.is_file() else files(__package__) / name).read_text("utf-8")
