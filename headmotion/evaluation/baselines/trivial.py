"""Motion that needs no speech: the truth, and none."""

from __future__ import annotations

from typing_extensions import override

from ...core.motion import Motion
from ..eval_clip import Case
from ..motion_source import Source
from .context import Setting


class GroundTruth(Source):
    """The real motion: what a perfect model would reach, and what a metric says of the truth itself."""

    name = "ground-truth"

    def __init__(self, setting: Setting) -> None:
        pass

    @override
    def motion(self, case: Case) -> Motion:
        return case.real


class Static(Source):
    """The first pose, held."""

    name = "static"

    def __init__(self, setting: Setting) -> None:
        pass

    @override
    def motion(self, case: Case) -> Motion:
        return case.moved(case.reference.unsqueeze(0))
