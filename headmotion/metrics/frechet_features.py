"""Features of motion that come with headmotion, for Fréchet distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from einops import rearrange
from torch import Tensor

from ..core.interfaces.representation import Representation
from .syncer_model import SyncerModel

PERCENT = 100
"""Lengths are in hundredths of the unit square's side, which is twice as long as a face."""

MANY_POINTS = 200
"""With more points, one distance takes so long that the bootstrap, and with it the interval, is left out."""


class KinematicFeatures:
    """Position, velocity and acceleration of all points, without a network, for any representation."""

    def __init__(self, representation: Representation, hop: int) -> None:
        self.representation, self.hop = representation, hop

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Features, units and the hop in frames."""
        return {"features": "pose, velocity, acceleration", "unit": "0.01 unit frame, frame", "hop": self.hop}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return the features of every ``hop``-th frame that has both neighbors.

        Args:
            poses: ``[T, P, D]`` in the unit square.

        Returns:
            ``pose``, ``velocity`` (per frame) and ``acceleration`` (per frame squared), each ``[samples, 2 P]``.
        """
        # In float64, because differences of neighboring frames cancel most digits.
        position = PERCENT * rearrange(self.representation.to_points2d(poses), "t p d -> t (p d)").double()
        # Central differences, so that all three features belong to the same frames.
        velocity = (position[2:] - position[:-2]) / 2
        acceleration = position[2:] - 2 * position[1:-1] + position[:-2]
        features = {"pose": position[1:-1], "velocity": velocity, "acceleration": acceleration}
        return {name: values[:: self.hop] for name, values in features.items()}


class SyncerFeatures:
    """Motion embeddings of trained syncers: one for every window at every level of the pyramid."""

    def __init__(self, representation: Representation, syncers: str) -> None:
        self.model = SyncerModel(syncers, representation)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Which syncers."""
        return {"features": "motion embeddings of syncers", **self.model.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """Return the embeddings of every window.

        Args:
            poses: ``[T, P, D]`` in the unit square.

        Returns:
            ``level0`` (the finest) and so on, each ``[windows, E]``; levels longer than the motion are left out.
        """
        # A depth that the syncers were not trained on is cut off.
        levels = self.model.trained.syncers.motion_embeddings(poses[None, ..., : self.model.dims])
        return {f"level{level}": embeddings[0] for level, embeddings in enumerate(levels)}
