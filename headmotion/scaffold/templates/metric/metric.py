"""Mean speed of all points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headmotion import BuildContext, Metric, MetricInput, MetricValues, MotionError, Observation

if TYPE_CHECKING:
    from .specs import SpeedSpec


class Speed(Metric):
    """Distance covered per second, over the mean distance of the scale pair; mean over points and frames."""

    def __init__(self, spec: SpeedSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What two figures must share to be comparable."""
        return {"scale_pair": list(self.representation.scale_pair)}

    def observe(self, clip: MetricInput) -> Observation:
        """Sums over a clip: distance covered, and seconds."""
        if len(clip.generated) < 2:
            raise MotionError(self.spec.type_name(), "two frames or more", str(len(clip.generated)))
        places = self.representation.to_points2d(clip.generated.values)
        first, second = self.representation.scale_pair
        scale = (places[:, first] - places[:, second]).norm(dim=-1).mean().clamp(min=1e-6)
        covered = places.diff(dim=0).norm(dim=-1).mean(-1).sum() / scale
        return {"covered": covered.cpu(), "seconds": torch.tensor(float((len(places) - 1) / clip.generated.fps))}

    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """The speed over all clips."""

        def total(name: str) -> Tensor:
            return torch.stack([each[name] for each in observed]).sum()

        return MetricValues({"speed_per_s": float(total("covered") / total("seconds"))})
