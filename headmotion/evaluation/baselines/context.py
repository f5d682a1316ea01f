"""What a baseline may make use of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...core.errors import EvaluationError
from ...core.motion import Motion
from ..eval_clip import Case
from ..eval_split import Clips
from ..model import Model


@dataclass(frozen=True)
class Setting:
    """The clips, and the model that is evaluated, if it is one."""

    clips: Clips
    model: Model | None = None


def cannot(baseline: str, expected: str, got: str) -> EvaluationError:
    """Why a baseline is left out."""
    return EvaluationError(f"baseline {baseline}", expected, got)


def displacement(lesson: Case, setting: Setting) -> Tensor:
    """How a clip departs from its first pose, ``[T, P, D]`` in its own unit frame."""
    unit = setting.clips.representation.normalize(lesson.real.values, lesson.frame)
    return unit - unit[:1]


def retargeted(case: Case, displaced: Tensor, setting: Setting) -> Motion:
    """A displacement ``[T, P, D]`` of the unit frame applied to the first pose of another clip."""
    representation = setting.clips.representation
    rest = representation.normalize(case.reference.unsqueeze(0), case.frame)
    return case.moved(representation.denormalize(rest + displaced, case.frame))
