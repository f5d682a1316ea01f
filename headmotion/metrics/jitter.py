"""Jitter of points from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .measurement import MIN_VARIATION, mean_over_clips, points_2d, ratio_of_means, scalar, scale_px
from .specs import JitterSpec


class Jitter(Metric):
    """Root mean square third difference of all points over time, in distances of the scale pair.

    Where real motion is known, lengths are in its scale, and the ratio of both jitters is a value too.
    """

    better: Mapping[str, Literal["lower", "higher"]] = {"jitter_scale": "lower"}

    def __init__(self, spec: JitterSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The spec, which has no settings."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        # A third difference spans four frames.
        generated = points_2d(self.representation, clip.generated, "jitter", min_frames=4)
        if clip.real is None:
            return {"generated": scalar(jitter(generated, scale_px(self.representation, generated, "jitter")))}
        real = points_2d(self.representation, clip.real, "jitter", min_frames=4)
        scale = scale_px(self.representation, real, "jitter")
        return {"generated": scalar(jitter(generated, scale)), "real": scalar(jitter(real, scale))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the jitter of the generated motion, per cubed frame."""
        return {"jitter_scale": float(observed["generated"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        means = mean_over_clips(self, observed)
        pairs = [(float(clip["generated"]), float(clip["real"])) for clip in observed if "real" in clip]
        ratio = ratio_of_means((generated for generated, _ in pairs), (real for _, real in pairs), MIN_VARIATION)
        if ratio is None:
            return MetricValues(means.values, ("jitter_ratio: the real motion does not move",) if pairs else ())
        return MetricValues({**means.values, "jitter_ratio": ratio})


def jitter(frames: Tensor, scale: float) -> float:
    """Return the root mean square third difference of points ``[T, P, D]`` in units of ``scale``."""
    # The third difference is 0 for any constant acceleration, so that fast but smooth motion counts little.
    return float(frames.diff(3, dim=0).square().mean().sqrt() / scale)
