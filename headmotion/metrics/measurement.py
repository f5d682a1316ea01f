"""What most metrics share: checked inputs, lengths in units of the face, and means over clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import MetricInput, MetricValues, Observation, PerClip
from ..core.interfaces.representation import Representation, require_points2d
from ..core.motion import Motion

MIN_VARIATION = 1e-6
"""Smaller motion, in distances of the scale pair, is rounding error of float32 poses."""


def real_motion(clip: MetricInput, metric: str) -> Motion:
    """Return the clip's real motion.

    Args:
        clip: the clip.
        metric: name of the metric, for errors.

    Raises:
        MotionError: it is missing, or has another number of frames than the generated motion.
    """
    if clip.real is None:
        raise MotionError(metric, "real motion", f"none for {clip.name}")
    if len(clip.real) != len(clip.generated):
        got = f"{len(clip.real)} and {len(clip.generated)} for {clip.name}"
        raise MotionError(metric, "as many real frames as generated ones", got)
    return clip.real


def points_2d(representation: Representation, motion: Motion, metric: str, min_frames: int = 1) -> Tensor:
    """Return image positions ``[T, P, 2]`` in pixels, float64.

    Args:
        representation: what the motion's values mean.
        motion: poses in pixels.
        metric: name of the metric, for errors.
        min_frames: the fewest frames that the metric can measure.

    Raises:
        MotionError: fewer frames, points that do not fit the representation, or values that are not finite.
    """
    if len(motion) < min_frames:
        raise MotionError(metric, f"{min_frames} frames or more", str(len(motion)))
    # In float64, because metrics take differences of positions of several hundred pixels.
    require_points2d(representation, f"metric {metric}")
    points = representation.to_points2d(motion.values).double()
    if not bool(torch.isfinite(points).all()):
        raise MotionError(metric, "finite motion", "NaN or infinity")
    return points


def scale_px(representation: Representation, points: Tensor, metric: str) -> float:
    """Return the median distance of the scale pair in pixels.

    Args:
        representation: names the scale pair, such as the outer corners of the eyes.
        points: image positions ``[T, P, 2]`` in pixels.
        metric: name of the metric, for errors.

    Raises:
        MotionError: the distance is 0.
    """
    left, right = representation.scale_pair
    # The median is robust against frames in which a detector failed.
    scale = float((points[:, left] - points[:, right]).norm(dim=-1).median())
    if scale <= 0:
        raise MotionError(metric, "a scale pair of two separate points", "both points at one position")
    return scale


def group_points(representation: Representation, group: str, metric: str) -> list[int]:
    """Return the point indices of a named group.

    Raises:
        SpecError: the representation lacks it.
    """
    if not representation.groups.get(group):
        names = ", ".join(representation.groups) or "(none)"
        raise SpecError(metric, f"a group that {representation.name} has: {names}", repr(group))
    return list(representation.groups[group])


def scalar(value: float) -> Tensor:
    """Return a number as a float64 tensor, as observations hold it."""
    return torch.tensor(value, dtype=torch.float64)


def mean_over_clips(
    metric: PerClip, observed: Sequence[Observation], empty_note: str = "undefined for every clip"
) -> MetricValues:
    """Return the mean of each value over the clips for which it is defined.

    Args:
        metric: gives the values of each clip.
        observed: one observation per clip.
        empty_note: the note where no clip has any value.

    Returns:
        The means; a note says of how many clips, where some lack a value.
    """
    clip_values = [metric.per_clip(clip) for clip in observed]
    means, notes = {}, []
    for name in dict.fromkeys(name for values in clip_values for name in values):
        # A clip without a value is no clip with the value 0.
        defined = [values[name] for values in clip_values if name in values]
        means[name] = sum(defined) / len(defined)
        if len(defined) < len(clip_values):
            notes.append(f"{name}: defined for {len(defined)} of {len(clip_values)} clips")
    return MetricValues(means, tuple(notes) if means else (empty_note,))


def ratio_of_means(numerators: Iterable[float], denominators: Iterable[float], min_mean: float) -> float | None:
    """Return mean over mean; None where the mean denominator is ``min_mean`` or less."""
    above, below = list(numerators), list(denominators)
    return sum(above) / sum(below) if below and sum(below) > min_mean * len(below) else None
