"""How well the mouth opens when it should, and how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext
from .filters import Curve, band_pass
from .means import averaged
from .motion_specs import OpeningSpec
from .validation import STILL, plane, scalar, true_motion


class Opening(Metric):
    """Correlation and amplitude of an opening against the true one, between two frequencies.

    A mouth that is still follows nothing: its correlation is 0. Where the true one is still, neither can be told.
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"correlation": "higher"}
    spec: OpeningSpec

    def __init__(self, spec: OpeningSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        if not self.representation.openings.get(spec.opening):
            has = ", ".join(self.representation.openings) or "(none)"
            raise SpecError("opening", f"an opening that {self.representation.name} has: {has}", repr(spec.opening))

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Which opening, in which band, at how many lags."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        curves = []
        for motion in (clip.generated, true_motion(clip, "opening")):
            plane(self.representation, motion, "opening")
            curve = opening_curve(self.representation, motion.values, self.spec.opening)
            curves.append(band_pass(curve, self.spec.low_hz, self.spec.high_hz, float(motion.fps), "opening"))
        made, true = curves
        if true.std() < STILL:
            return {}
        if made.std() < STILL:
            return {"correlation": scalar(0.0), "amplitude": scalar(0.0)}
        follows = best_correlation(made, true, self.spec.reach_frames)
        return {"correlation": scalar(follows), "amplitude": scalar(float(made.std() / true.std()))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Correlation -1..1, and the generated standard deviation over the true one."""
        return {
            name: float(observed[key])
            for name, key in (("correlation", "correlation"), ("amplitude_ratio", "amplitude"))
            if key in observed
        }

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed, "the true opening is still in every clip")


def opening_curve(representation: Representation, poses: Tensor, opening: str = "mouth") -> Curve:
    """Distance of the first pair of points of an opening over the mean one of the scale pair, ``[T]``."""
    points = representation.to_points2d(poses)
    (a, b), (c, d) = representation.openings[opening][0], representation.scale_pair
    size = (points[:, c] - points[:, d]).norm(dim=-1).mean()
    return np.asarray(((points[:, a] - points[:, b]).norm(dim=-1) / size).double().numpy())


def best_correlation(one: Curve, other: Curve, reach: int) -> float:
    """Largest Pearson correlation of two curves ``[T]`` over shifts of up to ``reach`` frames; 0 if one is constant."""
    found = []
    for lag in range(-reach, reach + 1):
        a, b = one[max(0, lag) : len(one) + min(0, lag)], other[max(0, -lag) : len(other) + min(0, -lag)]
        found.append(np.corrcoef(a, b)[0, 1] if a.std() and b.std() else 0.0)
    return float(max(found))
