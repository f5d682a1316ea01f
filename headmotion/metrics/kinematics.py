"""Poses, velocities and accelerations as features: no network, any representation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..core.interfaces.representation import Representation

PERCENT = 100
"""Lengths are told in hundredths of the unit frame's side, which is twice as long as a face."""

MANY_POINTS = 200
"""With more a figure takes so long that there is no interval."""


class Kinematics:
    """``pose``, ``velocity`` (per frame), ``acceleration`` (per frame squared) of all points, ``[samples, 2 P]``."""

    def __init__(self, representation: Representation, hop: int) -> None:
        self.representation, self.hop = representation, hop

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What is compared, in which unit, how often."""
        return {"features": "pose, velocity, acceleration", "unit": "0.01 unit frame, frame", "hop": self.hop}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Every ``hop``-th of the frames that have all three."""
        position = PERCENT * self.representation.to_points2d(poses).flatten(1).double()
        velocity = (position[2:] - position[:-2]) / 2
        acceleration = position[2:] - 2 * position[1:-1] + position[:-2]
        every = {"pose": position[1:-1], "velocity": velocity, "acceleration": acceleration}
        return {name: values[:: self.hop] for name, values in every.items()}
