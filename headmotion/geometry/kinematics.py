"""Forward kinematics of a skeleton: from rotations and positions relative to the parent to those in the world."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class KinematicTree:
    """The joints of a skeleton by depth, so that all joints of one depth are computed at once, in all frames.

    Args:
        parents: for each joint the index of its parent, which comes before it; -1 for a root.
    """

    def __init__(self, parents: Sequence[int]) -> None:
        depths: list[int] = []
        self.roots: list[int] = []
        """Index of the root above each joint."""
        for joint, parent in enumerate(parents):
            depths.append(0 if parent < 0 else depths[parent] + 1)
            self.roots.append(joint if parent < 0 else self.roots[parent])
        self.depths = tuple(depths)
        """Number of joints between each joint and its root."""
        self._levels: list[list[int]] = [[] for _ in range(max(depths) + 1)]
        for joint, depth in enumerate(depths):
            self._levels[depth].append(joint)
        by_depth = [joint for level in self._levels for joint in level]
        self._original_order = sorted(range(len(by_depth)), key=by_depth.__getitem__)
        index_in_level = {joint: k for level in self._levels for k, joint in enumerate(level)}
        self._parents = [[index_in_level[parents[joint]] for joint in level] for level in self._levels[1:]]

    def to_world(self, rotations: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Chain transforms from the roots down.

        Args:
            rotations: ``[..., J, 3, 3]``, of each joint relative to its parent.
            positions: ``[..., J, 3]``, of each joint in the axes of its parent.

        Returns:
            Rotations ``[..., J, 3, 3]`` and positions ``[..., J, 3]`` in the world.
        """
        roots = self._levels[0]
        # One product per depth rather than per joint: bodies have far fewer levels than joints.
        world_rotations, world_positions = [rotations[..., roots, :, :]], [positions[..., roots, :]]
        for joints, parents in zip(self._levels[1:], self._parents, strict=True):
            parent = world_rotations[-1][..., parents, :, :]
            offset = positions[..., joints, :].unsqueeze(-1)
            world_positions.append(world_positions[-1][..., parents, :] + (parent @ offset).squeeze(-1))
            world_rotations.append(parent @ rotations[..., joints, :, :])
        order = self._original_order
        return torch.cat(world_rotations, dim=-3)[..., order, :, :], torch.cat(world_positions, dim=-2)[..., order, :]
