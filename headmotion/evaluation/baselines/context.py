"""What a baseline is built with, and the transfer of motion from one clip to another."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...core.errors import EvaluationError
from ...core.motion import Motion
from ..eval_clip import EvalClip
from ..eval_split import EvalSplit
from ..model import ModelSource


@dataclass(frozen=True)
class BaselineContext:
    """The clips, and the evaluated model if it is one."""

    split: EvalSplit
    model: ModelSource | None = None


def unavailable(baseline: str, expected: str, got: str) -> EvaluationError:
    """Return the error of a baseline that cannot be built, for the report."""
    return EvaluationError(f"baseline {baseline}", expected, got)


def displacement(clip: EvalClip, context: BaselineContext) -> Tensor:
    """Return a clip's displacement ``[T, P, D]`` from its first pose, in its own unit square."""
    unit = context.split.representation.normalize(clip.real.values, clip.unit_square)
    return unit - unit[:1]


def retarget(clip: EvalClip, displaced: Tensor, context: BaselineContext) -> Motion:
    """Return the first pose of a clip moved by a displacement ``[T, P, D]`` in the unit square."""
    representation = context.split.representation
    first = representation.normalize(clip.reference.unsqueeze(0), clip.unit_square)
    return clip.to_motion(representation.denormalize(first + displaced, clip.unit_square))
