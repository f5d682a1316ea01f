"""How much points tremble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .means import averaged, ratio_of_means
from .motion_specs import JitterSpec
from .validation import STILL, plane, scalar, size_px


class Jitter(Metric):
    """Root mean square third difference of all points from frame to frame, in distances of the scale pair."""

    better: Mapping[str, Literal["lower", "higher"]] = {"jitter_scale": "lower"}

    def __init__(self, spec: JitterSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Nothing to choose."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        made = plane(self.representation, clip.generated, "jitter", least=4)
        if clip.real is None:
            return {"generated": scalar(jitter(made, size_px(self.representation, made, "jitter")))}
        real = plane(self.representation, clip.real, "jitter", least=4)
        size = size_px(self.representation, real, "jitter")
        return {"generated": scalar(jitter(made, size)), "real": scalar(jitter(real, size))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Of the generated motion, per frame to the third."""
        return {"jitter_scale": float(observed["generated"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        figures = averaged(self, observed)
        pairs = [(float(each["generated"]), float(each["real"])) for each in observed if "real" in each]
        ratio = ratio_of_means((made for made, _ in pairs), (real for _, real in pairs), STILL)
        if ratio is None:
            return MetricValues(figures.values, ("jitter_ratio: the real motion is still",) if pairs else ())
        return MetricValues({**figures.values, "jitter_ratio": ratio})


def jitter(frames: Tensor, size: float) -> float:
    """Root mean square third difference of points ``[T, P, D]`` in units of ``size``."""
    return float(frames.diff(3, dim=0).square().mean().sqrt() / size)
