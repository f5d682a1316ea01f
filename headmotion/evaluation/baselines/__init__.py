"""Baselines for every table, each run through the same metrics as the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...core.errors import EvaluationError, HeadmotionError, did_you_mean
from ..motion_source import MotionSource
from .context import BaselineContext
from .energy_mouth import EnergyMouth
from .training_motion import MeanMotion, NearestAudio
from .trivial import GroundTruth, ShuffledAudio, Static

BASELINES: Mapping[str, Callable[[BaselineContext], MotionSource]] = {
    baseline.name: baseline for baseline in (GroundTruth, Static, MeanMotion, ShuffledAudio, NearestAudio, EnergyMouth)
}
"""The baselines by name, in the order of tables."""


def make_baselines(names: Iterable[str], context: BaselineContext) -> tuple[list[MotionSource], dict[str, str]]:
    """Build baselines.

    Args:
        names: from `BASELINES`.
        context: what they are built with.

    Returns:
        The baselines that can be built, and the reason by name for the others.

    Raises:
        EvaluationError: an unknown name.
    """
    baselines: list[MotionSource] = []
    left_out: dict[str, str] = {}
    # A name that is given twice counts once.
    for name in dict.fromkeys(names):
        if name not in BASELINES:
            raise EvaluationError(
                "evaluation", f"a baseline out of {', '.join(BASELINES)}", repr(name), did_you_mean(name, BASELINES)
            )
        try:
            baselines.append(BASELINES[name](context))
        except HeadmotionError as error:
            left_out[name] = str(error)
    return baselines, left_out
