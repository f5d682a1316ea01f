"""Distances of mouth landmarks from the real ones: LMD, frontal LMD and lip vertex error."""

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
from .measurement import group_points, mean_over_clips, points_2d, real_motion, scalar, scale_px
from .specs import FrontalDistanceSpec, LandmarkDistanceSpec, LipErrorSpec


class LandmarkDistance(Metric):
    """LMD: mean distance of points relative to their center, over frames and points. Source: Chen et al. 2018."""

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lmd_px": "lower", "lmd_scale": "lower"}

    def __init__(self, spec: LandmarkDistanceSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.points = group_points(context.representation, spec.group, "lmd")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The group."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        generated = points_2d(self.representation, clip.generated, "lmd")
        real = points_2d(self.representation, real_motion(clip, "lmd"), "lmd")
        distance = centered_distance(generated[:, self.points], real[:, self.points])
        return {"px": distance, "size": scalar(scale_px(self.representation, real, "lmd"))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the distance in pixels, and in distances of the real scale pair."""
        distance = float(observed["px"])
        return {"lmd_px": distance, "lmd_scale": distance / float(observed["size"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)


def centered_distance(generated: Tensor, real: Tensor) -> Tensor:
    """Return the mean Euclidean distance of points ``[T, N, D]``, each frame relative to its center."""
    # Relative to the center, so that only the mouth's shape counts and not where the head is.
    left, right = (points - points.mean(dim=1, keepdim=True) for points in (generated, real))
    distance: Tensor = (left - right).norm(dim=-1).mean()
    return distance


class FrontalDistance(Metric):
    """Frontal LMD: each frame is rotated to face the camera before its LMD is taken in the plane.

    The rotation is about the vertical, until both corners of the mouth are equally deep. Source: the evaluation of
    MS-Sync (Airale, Vaufreydaz, Alameda-Pineda).
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lmd_frontal_px": "lower", "lmd_frontal_scale": "lower"}

    def __init__(self, spec: FrontalDistanceSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        if self.representation.dims != 3:
            got = f"{self.representation.name} with {self.representation.dims} numbers per point"
            raise SpecError("lmd-frontal", "a representation with depth: x, y and z of each point", got)
        self.points = group_points(self.representation, spec.group, "lmd-frontal")
        # Groups have no names for the corners; in the neutral pose they are the outermost points.
        x = self.representation.neutral()[self.points, 0]
        self.corners = (int(x.argmin()), int(x.argmax()))
        """Indices into the group of its outermost points in the neutral pose, left and right in the picture."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The group."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        real = real_motion(clip, "lmd-frontal")
        # The scale is that of the picture, from the motion as recorded, so that both LMDs share their unit.
        scale = scale_px(self.representation, points_2d(self.representation, real, "lmd-frontal"), "lmd-frontal")
        distance = centered_distance(self._frontal_points(clip.generated), self._frontal_points(real))
        return {"px": distance, "size": scalar(scale)}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the distance in pixels, and in distances of the real scale pair."""
        distance = float(observed["px"])
        return {"lmd_frontal_px": distance, "lmd_frontal_scale": distance / float(observed["size"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)

    def _frontal_points(self, motion: Motion) -> Tensor:
        points = motion.values[:, self.points].double()
        if not bool(torch.isfinite(points).all()):  # the depth too, which `points_2d` does not see
            raise MotionError("lmd-frontal", "finite motion", "NaN or infinity")
        return rotate_to_front(points, self.corners)[..., :2]


def rotate_to_front(points: Tensor, corners: tuple[int, int]) -> Tensor:
    """Return points ``[T, N, 3]`` rotated about the vertical through their center, until both corners are equally deep.

    Args:
        points: any unit.
        corners: indices of the left and the right corner of the mouth.
    """
    center = points.mean(dim=1, keepdim=True)
    left, right = corners
    across = points[:, right] - points[:, left]
    to_front = axis_rotation(1, torch.atan2(across[:, 2], across[:, 0]))
    return (points - center) @ to_front.mT + center


class LipError(Metric):
    """Lip vertex error: largest distance over a group's points in each frame, averaged over frames.

    In the source (Richard et al. 2021) meshes do not move as a whole and millimeters are known. Here positions are
    relative to the center of another group, which removes the head's translation (not its rotation), and lengths are
    distances of the scale pair.
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lip_error_scale": "lower"}

    def __init__(self, spec: LipErrorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.points = group_points(self.representation, spec.group, "lip-vertex-error")
        self.anchor = None
        if spec.relative_to is not None:
            self.anchor = group_points(self.representation, spec.relative_to, "lip-vertex-error")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The groups."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        generated = points_2d(self.representation, clip.generated, "lip-vertex-error")
        real = points_2d(self.representation, real_motion(clip, "lip-vertex-error"), "lip-vertex-error")
        worst = (self._relative_lips(generated) - self._relative_lips(real)).norm(dim=-1).amax(dim=1).mean()
        return {"error": scalar(float(worst) / scale_px(self.representation, real, "lip-vertex-error"))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the error in distances of the real scale pair."""
        return {"lip_error_scale": float(observed["error"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)

    def _relative_lips(self, points: Tensor) -> Tensor:
        lips = points[:, self.points]
        return lips if self.anchor is None else lips - points[:, self.anchor].mean(dim=1, keepdim=True)
