"""Timing and amplitude of mouth opening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.representation import Representation, require_points2d
from ..core.interfaces.specs import BuildContext
from .measurement import MIN_VARIATION, mean_over_clips, points_2d, real_motion, scalar
from .signals import Signal, band_pass
from .specs import OpeningSpec


class MouthOpening(Metric):
    """Correlation and amplitude of a band-passed opening against the real one.

    A mouth that does not move correlates with nothing: its correlation is 0. Where the real mouth does not move,
    both values are undefined.
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"correlation": "higher"}
    spec: OpeningSpec

    def __init__(self, spec: OpeningSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        require_points2d(self.representation, "metric opening")
        if not self.representation.openings.get(spec.opening):
            names = ", ".join(self.representation.openings) or "(none)"
            raise SpecError("opening", f"an opening that {self.representation.name} has: {names}", repr(spec.opening))

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The spec: which opening, in which band, at how many lags."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        curves = []
        for motion in (clip.generated, real_motion(clip, "opening")):
            points_2d(self.representation, motion, "opening")  # only for its checks
            curve = opening_curve(self.representation, motion.values, self.spec.opening)
            # Slow changes are posture and expression, fast ones are the detector's jitter.
            curves.append(band_pass(curve, self.spec.low_hz, self.spec.high_hz, float(motion.fps), "opening"))
        generated, real = curves
        # Without real motion in the band there is nothing to follow.
        if real.std() < MIN_VARIATION:
            return {}
        if generated.std() < MIN_VARIATION:
            return {"correlation": scalar(0.0), "amplitude": scalar(0.0)}
        correlation = best_correlation(generated, real, self.spec.reach_frames)
        return {"correlation": scalar(correlation), "amplitude": scalar(float(generated.std() / real.std()))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the correlation, -1 to 1, and the generated standard deviation over the real one."""
        if not observed:
            return {}
        return {"correlation": float(observed["correlation"]), "amplitude_ratio": float(observed["amplitude"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed, "the real mouth does not move in any clip")


def opening_curve(representation: Representation, poses: Tensor, opening: str = "mouth") -> Signal:
    """Return the distance of an opening's first pair of points over the mean one of the scale pair, ``[T]``.

    Args:
        representation: names openings and the scale pair.
        poses: ``[T, P, D]`` in pixels.
        opening: name of the opening.
    """
    points = representation.to_points2d(poses)
    (upper, lower), (left, right) = representation.openings[opening][0], representation.scale_pair
    # One scale for all frames: the pair foreshortens as the head turns, which is not an opening.
    scale = (points[:, left] - points[:, right]).norm(dim=-1).mean()
    return np.asarray(((points[:, upper] - points[:, lower]).norm(dim=-1) / scale).double().numpy())


def best_correlation(left: Signal, right: Signal, reach: int) -> float:
    """Return the largest Pearson correlation of two signals ``[T]`` over lags of up to ``reach`` frames.

    At a lag where one of them is constant the correlation counts as 0.
    """
    correlations = []
    # Delays are the question of av-sync; here a small one should not hide a good match.
    for lag in range(-reach, reach + 1):
        a, b = left[max(0, lag) : len(left) + min(0, lag)], right[max(0, -lag) : len(right) + min(0, -lag)]
        # A constant has no correlation; NumPy would warn and return NaN.
        correlations.append(np.corrcoef(a, b)[0, 1] if a.std() and b.std() else 0.0)
    return float(max(correlations))
