"""Pose of a head, or of all points where there is no face, over time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ..controls.control import ControlContext
from ..controls.head_pose import HeadModel
from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..geometry.rigid_fit import fit_similarity
from ..geometry.rotations import matrix_to_rotation_vector
from .measurement import points_2d, scale_px
from .signals import Signal


class PoseCurves:
    """Rotations in degrees and translations in distances of the scale pair, ``[T, A]``.

    A head is fitted as a rigid body whose rotation foreshortens (see `HeadModel`). Any other representation is fitted
    in the plane, by a rigid motion of all points onto the first frame.
    """

    def __init__(self, representation: Representation) -> None:
        self.representation = representation
        # The rigid fit needs points that keep their distances: around the eyes and on the nose.
        self.is_face = all(representation.groups.get(name) for name in ("eyes", "nose"))
        self.rotations = ("pitch", "yaw", "roll") if self.is_face else ("roll",)
        self.axes = (*self.rotations, "x", "y")

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each axis: ``deg``, or ``scale`` (distances of the scale pair)."""
        return ("deg",) * len(self.rotations) + ("scale",) * 2

    @property
    def protocol(self) -> dict[str, str]:
        """The kind of fit."""
        return {"pose": "rigid head" if self.is_face else "similarity of all points"}

    def measure(self, motion: Motion, reference: Motion, metric: str) -> Signal:
        """Return the pose ``[T, A]`` in each frame.

        Args:
            motion: what is measured, in pixels.
            reference: its first frame has the pose 0, and its scale pair is the unit of length.
            metric: name of the metric, for errors.

        Raises:
            MotionError: frames that are not finite, or a first frame that is degenerate.
        """
        points, reference_points = (points_2d(self.representation, m, metric) for m in (motion, reference))
        scale = scale_px(self.representation, reference_points, metric)
        if not self.is_face:
            return _planar_pose(points, reference_points[0], scale)
        head = HeadModel(ControlContext(self.representation, reference.values[0], Fraction(motion.fps)), metric)
        curves = head_curves(head, motion.values, scale)
        # Only rotations are angles.
        curves[:, :3] = np.degrees(curves[:, :3])
        return curves


def head_curves(head: HeadModel, frames: Tensor, scale: float) -> Signal:
    """Return rotations about x, y, z (radians) and translations along x, y (in units of ``scale`` pixels), ``[T, 5]``.

    Args:
        head: the rigid head that is fitted.
        frames: ``[T, P, D]`` in pixels.
        scale: pixels per unit of length.
    """
    pose = head.fit(frames.double())
    return np.asarray(torch.cat([matrix_to_rotation_vector(pose.rotation), pose.center[:, :2] / scale], dim=1).numpy())


def _planar_pose(points: Tensor, rest: Tensor, scale: float) -> Signal:
    """Return roll (degrees) and center (in ``scale``) of points ``[T, P, 2]`` against resting ones, ``[T, 3]``."""
    rotation = fit_similarity(rest, points, with_scale=False).rotation
    roll = torch.atan2(rotation[:, 1, 0], rotation[:, 0, 0]).numpy()
    center = (points.mean(dim=1) / scale).numpy()
    # Unwrapped, because filters would see a jump at 180 degrees as motion.
    return np.concatenate([np.degrees(np.unwrap(roll))[:, None], center], axis=1)
