"""LMD of faces that are turned to the front first, so that the way a head looks does not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from ..geometry.rotations import axis_rotation
from .landmark_distance import centered_distance
from .means import averaged, group_of
from .motion_specs import FrontalDistanceSpec
from .validation import plane, scalar, size_px, true_motion

NAME = "lmd-frontal"


class FrontalDistance(Metric):
    """Each frame is turned about the vertical until both corners of the mouth are equally deep; then LMD in the plane.

    Source: the evaluation of MS-Sync (Airale, Vaufreydaz, Alameda-Pineda).
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lmd_frontal_px": "lower", "lmd_frontal_scale": "lower"}

    def __init__(self, spec: FrontalDistanceSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        if self.representation.dims != 3:
            got = f"{self.representation.name} with {self.representation.dims} numbers per point"
            raise SpecError(NAME, "a representation with depth: x, y and z of each point", got)
        self.points = group_of(self.representation, spec.group, NAME)
        across = self.representation.neutral()[self.points, 0]
        self.corners = (int(across.argmin()), int(across.argmax()))
        """Places in the group of its outermost points at rest, left and right of the picture."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The group."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        real = true_motion(clip, NAME)
        size = size_px(self.representation, plane(self.representation, real, NAME), NAME)
        made, true = (self._turned(motion) for motion in (clip.generated, real))
        return {"px": centered_distance(made, true), "size": scalar(size)}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """In pixels, and in distances of the true scale pair."""
        distance = float(observed["px"])
        return {"lmd_frontal_px": distance, "lmd_frontal_scale": distance / float(observed["size"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed)

    def _turned(self, motion: Motion) -> Tensor:
        points = motion.values[:, self.points].double()
        if not bool(torch.isfinite(points).all()):
            raise MotionError(NAME, "finite motion", "NaN or infinity")
        return frontal(points, self.corners)[..., :2]


def frontal(points: Tensor, corners: tuple[int, int]) -> Tensor:
    """Rotate points ``[T, N, 3]`` about the vertical through their mean until both corners are equally deep."""
    mean = points.mean(dim=1, keepdim=True)
    left, right = corners
    across = points[:, right] - points[:, left]
    to_front = axis_rotation(1, torch.atan2(across[:, 2], across[:, 0]))
    return (points - mean) @ to_front.mT + mean
