"""Differences between two sources that were measured on the same clips, clip by clip."""

from __future__ import annotations

import numpy as np

from .intervals import interval_of_mean
from .report import ReportedValue, SourceResult


def paired_difference(left: SourceResult, right: SourceResult, seed: int) -> SourceResult:
    """Return the mean of ``right - left`` over the clips that both have, with the interval of that mean.

    What makes a clip easy or hard for both is no part of it, so it tells two models apart that the intervals of each
    alone do not.

    Args:
        left: values of one source.
        right: those of another.
        seed: of the bootstrap.

    Returns:
        The differences by name; none of values that are not means over clips.
    """
    clips = [clip for clip in left.clips if clip in right.clips]
    values = {}
    for name in right.values:
        pairs = [(left.clips[clip], right.clips[clip]) for clip in clips]
        found = np.array([b[name] - a[name] for a, b in pairs if name in a and name in b], np.float64)
        if found.size:
            low, high = interval_of_mean(found, seed) if found.size > 1 else (None, None)
            values[name] = ReportedValue(value=float(found.mean()), low=low, high=high)
    return SourceResult(n=len(clips), values=values)
