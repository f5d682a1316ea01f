"""What metrics take from a clip, checked."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.metric import MetricInput
from ..core.interfaces.representation import Representation
from ..core.motion import Motion

STILL = 1e-6
"""Motion smaller than this, in distances of the scale pair, is rounding."""


def true_motion(clip: MetricInput, metric: str) -> Motion:
    """The real motion.

    Raises:
        MotionError: it is not known, or of another length.
    """
    if clip.real is None:
        raise MotionError(metric, "the true motion", f"none for {clip.name}")
    if len(clip.real) != len(clip.generated):
        got = f"{len(clip.real)} and {len(clip.generated)} for {clip.name}"
        raise MotionError(metric, "as many true frames as generated ones", got)
    return clip.real


def plane(representation: Representation, motion: Motion, metric: str, least: int = 1) -> Tensor:
    """Image positions ``[T, P, 2]``, float64.

    Raises:
        MotionError: fewer than ``least`` frames, points that do not fit the representation, or not finite.
    """
    if len(motion) < least:
        raise MotionError(metric, f"{least} frames or more", str(len(motion)))
    points = representation.to_points2d(motion.values).double()
    if not bool(torch.isfinite(points).all()):
        raise MotionError(metric, "finite motion", "NaN or infinity")
    return points


def size_px(representation: Representation, points: Tensor, metric: str) -> float:
    """Median distance of the scale pair in pixels, of image positions ``[T, P, 2]``.

    Raises:
        MotionError: it is 0.
    """
    left, right = representation.scale_pair
    size = float((points[:, left] - points[:, right]).norm(dim=-1).median())
    if size <= 0:
        raise MotionError(metric, "a scale pair that lies apart", "both points in one place")
    return size


def scalar(value: float) -> Tensor:
    """A number to be kept, float64."""
    return torch.tensor(value, dtype=torch.float64)
