"""Baselines that any table needs, each run through the same metrics as the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...core.errors import EvaluationError, HeadmotionError
from ..motion_source import Source
from .context import Setting
from .energy_mouth import EnergyMouth
from .mean_motion import MeanMotion
from .nearest_audio import NearestAudio
from .shuffled_audio import ShuffledAudio
from .trivial import GroundTruth, Static

BASELINES: Mapping[str, Callable[[Setting], Source]] = {
    each.name: each for each in (GroundTruth, Static, MeanMotion, ShuffledAudio, NearestAudio, EnergyMouth)
}
"""By name, in the order of tables."""


def make_baselines(names: Iterable[str], setting: Setting) -> tuple[list[Source], dict[str, str]]:
    """The baselines that can be had, and why the others cannot.

    Raises:
        EvaluationError: an unknown name.
    """
    made: list[Source] = []
    left_out: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name not in BASELINES:
            raise EvaluationError("evaluation", f"a baseline out of {', '.join(BASELINES)}", repr(name))
        try:
            made.append(BASELINES[name](setting))
        except HeadmotionError as error:
            left_out[name] = str(error)
    return made, left_out
