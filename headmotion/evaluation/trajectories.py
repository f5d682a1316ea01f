"""Curves of one clip over time, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..metrics.mouth_opening import opening_curve
from ..metrics.pose_curves import PoseCurves
from ..metrics.signals import Signal
from ..reports.page import svg
from .eval_clip import Case

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#3b6ea8", "#c77700", "#2f8f5b")


def trajectories(case: Case, motion: Motion, representation: Representation) -> Iterator[tuple[str, str]]:
    """Title and picture of each plot: what opens, and where the whole is. Truth is dashed."""
    if representation.openings.get("mouth"):
        made, true = (opening_curve(representation, each.values)[:, None] for each in (motion, case.real))
        yield "Mouth opening", _drawn(("mouth",), made, true, "distances of the scale pair", case)
    pose = PoseCurves(representation)
    try:
        made, true = (pose.measure(each, case.real, "trajectory") for each in (motion, case.real))
    except MotionError:
        return
    for unit, label in (("deg", "degrees"), ("scale", "distances of the scale pair")):
        columns = [k for k, each in enumerate(pose.units) if each == unit]
        names = tuple(pose.axes[k] for k in columns)
        shift = true[0, columns] if unit == "scale" else 0.0
        title = "Head" if pose.is_face else "The whole"
        yield (
            f"{title}: {', '.join(names)}",
            _drawn(names, made[:, columns] - shift, true[:, columns] - shift, label, case),
        )


def _drawn(names: tuple[str, ...], made: Signal, true: Signal, label: str, case: Case) -> str:
    def draw(axes: Axes) -> None:
        seconds = np.arange(len(made)) / float(case.real.fps)
        for k, name in enumerate(names):
            axes.plot(seconds, made[:, k], color=COLORS[k], linewidth=1.2, label=name)
            axes.plot(seconds, true[:, k], color=COLORS[k], linewidth=1.0, linestyle="--", label=f"{name}, true")
        axes.legend(frameon=False, fontsize=7, ncols=len(names))
        axes.set(xlabel="seconds", ylabel=label)

    return svg(draw)
