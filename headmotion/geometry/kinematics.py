"""Forward kinematics: where the joints of a skeleton are and how they are turned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Tree:
    """A skeleton's joints by their depth, so that all frames and all joints of a depth are computed at once.

    Args:
        parents: for each joint the index of its parent, which comes before it; -1 for a root.
    """

    def __init__(self, parents: Sequence[int]) -> None:
        depth: list[int] = []
        self.roots: list[int] = []
        """For each joint the root from which it hangs."""
        for joint, parent in enumerate(parents):
            depth.append(0 if parent < 0 else depth[parent] + 1)
            self.roots.append(joint if parent < 0 else self.roots[parent])
        self.depth = tuple(depth)
        self._levels = [[j for j in range(len(depth)) if depth[j] == level] for level in range(max(depth) + 1)]
        order = [joint for level in self._levels for joint in level]
        self._back = sorted(range(len(order)), key=order.__getitem__)
        slot = {joint: k for level in self._levels for k, joint in enumerate(level)}
        self._above = [[slot[parents[joint]] for joint in level] for level in self._levels[1:]]

    def __call__(self, turns: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations ``[..., J, 3, 3]`` and places ``[..., J, 3]`` relative to each parent, to those in the world."""
        turned, placed = [turns[..., self._levels[0], :, :]], [places[..., self._levels[0], :]]
        for level, above in zip(self._levels[1:], self._above, strict=True):
            parent = turned[-1][..., above, :, :]
            offset = places[..., level, :].unsqueeze(-1)
            placed.append(placed[-1][..., above, :] + (parent @ offset).squeeze(-1))
            turned.append(parent @ turns[..., level, :, :])
        return torch.cat(turned, dim=-3)[..., self._back, :, :], torch.cat(placed, dim=-2)[..., self._back, :]
