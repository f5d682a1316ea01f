"""LMD: how far the points of the mouth are from where they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .means import averaged, group_of
from .motion_specs import LandmarkDistanceSpec
from .validation import plane, scalar, size_px, true_motion


class LandmarkDistance(Metric):
    """Mean distance of points around their own middle, over frames and points. Source: Chen et al. 2018."""

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lmd_px": "lower", "lmd_scale": "lower"}

    def __init__(self, spec: LandmarkDistanceSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.points = group_of(context.representation, spec.group, "lmd")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The group."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        made = plane(self.representation, clip.generated, "lmd")
        true = plane(self.representation, true_motion(clip, "lmd"), "lmd")
        distance = centered_distance(made[:, self.points], true[:, self.points])
        return {"px": distance, "size": scalar(size_px(self.representation, true, "lmd"))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """In pixels, and in distances of the true scale pair."""
        distance = float(observed["px"])
        return {"lmd_px": distance, "lmd_scale": distance / float(observed["size"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed)


def centered_distance(made: Tensor, true: Tensor) -> Tensor:
    """Mean Euclidean distance of points ``[T, N, D]``, each frame around its own middle."""
    one, other = (points - points.mean(dim=1, keepdim=True) for points in (made, true))
    mean: Tensor = (one - other).norm(dim=-1).mean()
    return mean
