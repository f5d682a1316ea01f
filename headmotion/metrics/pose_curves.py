"""Where the whole is: the pose of a head, or of anything that has no face, as curves over time."""

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
from .filters import Curve
from .validation import plane, size_px


class PoseCurves:
    """Turns in degrees and shifts in distances of the scale pair, ``[T, A]``.

    A head is fitted as a rigid body whose turning foreshortens (see `HeadModel`). Anything else is fitted in the plane,
    by a rigid motion of all points onto the first frame.
    """

    def __init__(self, representation: Representation) -> None:
        self.representation = representation
        self.is_face = all(representation.groups.get(name) for name in ("eyes", "nose"))
        self.turns = ("pitch", "yaw", "roll") if self.is_face else ("roll",)
        self.axes = (*self.turns, "x", "y")

    @property
    def units(self) -> tuple[str, ...]:
        """Of each axis: ``deg``, or ``scale`` (distances of the scale pair)."""
        return ("deg",) * len(self.turns) + ("scale",) * 2

    @property
    def protocol(self) -> dict[str, str]:
        """How the pose is found."""
        return {"pose": "rigid head" if self.is_face else "similarity of all points"}

    def find(self, motion: Motion, beside: Motion, metric: str) -> Curve:
        """The pose in each frame, relative to the first frame of ``beside`` and measured by its size.

        Raises:
            MotionError: frames that are not finite, or a first frame that is degenerate.
        """
        points, others = (plane(self.representation, each, metric) for each in (motion, beside))
        size = size_px(self.representation, others, metric)
        if not self.is_face:
            return _in_plane(points, others[0], size)
        head = HeadModel(ControlContext(self.representation, beside.values[0], Fraction(motion.fps)), metric)
        curves = head_curves(head, motion.values, size)
        curves[:, :3] = np.degrees(curves[:, :3])
        return curves


def head_curves(head: HeadModel, frames: Tensor, size: float) -> Curve:
    """Rotation about x, y, z (radians) and shift x, y (in units of ``size`` pixels) in each frame, ``[T, 5]``."""
    pose = head.fit(frames.double())
    return np.asarray(torch.cat([matrix_to_rotation_vector(pose.rotation), pose.center[:, :2] / size], dim=1).numpy())


def _in_plane(points: Tensor, rest: Tensor, size: float) -> Curve:
    rotation = fit_similarity(rest, points, with_scale=False).rotation
    roll = torch.atan2(rotation[:, 1, 0], rotation[:, 0, 0]).numpy()
    center = (points.mean(dim=1) / size).numpy()
    return np.concatenate([np.degrees(np.unwrap(roll))[:, None], center], axis=1)
