"""Speed: the mean speed of all points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headmotion import BuildContext, Metric, MetricInput, MetricValues, MotionError, Observation

if TYPE_CHECKING:
    from .specs import SpeedSpec


class Speed(Metric):
    """Distance covered per second, in mean distances of the scale pair; averaged over points and frames."""

    def __init__(self, spec: SpeedSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Everything that two values must share to be comparable."""
        return {"scale_pair": list(self.representation.scale_pair)}

    def observe(self, clip: MetricInput) -> Observation:
        """Sum the distance that points cover in a clip, and its seconds.

        Raises:
            MotionError: fewer than two frames.
        """
        if len(clip.generated) < 2:
            raise MotionError(self.spec.type_name(), "two frames or more", str(len(clip.generated)))
        points = self.representation.to_points2d(clip.generated.values)
        first, second = self.representation.scale_pair
        scale = (points[:, first] - points[:, second]).norm(dim=-1).mean().clamp(min=1e-6)
        covered = points.diff(dim=0).norm(dim=-1).mean(-1).sum() / scale
        return {"covered": covered.cpu(), "seconds": torch.tensor(float((len(points) - 1) / clip.generated.fps))}

    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """Compute the speed over all clips."""

        def total(name: str) -> Tensor:
            return torch.stack([observation[name] for observation in observed]).sum()

        return MetricValues({"speed_per_s": float(total("covered") / total("seconds"))})
