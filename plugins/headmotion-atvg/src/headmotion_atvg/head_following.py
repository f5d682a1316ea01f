"""A still picture that follows the head: rigid motion of the face, which then has not to be painted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

import headmotion as hm
from headmotion.geometry.rigid_fit import fit_similarity

STABLE_GROUPS = ("brows", "nose", "eyes")
"""Groups of points that mostly move with the head."""
FADE = 0.3
"""Distance from the border at which pixels follow the head entirely, as a share of the picture; the border stays."""


class HeadMotion(NamedTuple):
    """Where the pixels of frames come from in a picture whose head does not move."""

    poses: Tensor
    """Poses ``[B, T, P, 2]`` without the motion of the head, in picture coordinates."""
    grid: Tensor
    """Positions ``[B * T, H, W, 2]`` in the unmoved picture, -1..1."""

    def move(self, pictures: Tensor) -> Tensor:
        """Return unmoved pictures ``[B * T, C, H, W]`` with the head where each frame has it."""
        grid = self.grid.to(pictures.dtype)
        return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def stable_points(representation: hm.Representation) -> list[int]:
    """Return the points that mostly move with the head.

    Raises:
        SpecError: a representation without such groups.
    """
    points = [point for name in STABLE_GROUPS for point in representation.groups.get(name, ())]
    if not points:
        expected = f"a representation with groups among {', '.join(STABLE_GROUPS)}"
        raise hm.SpecError("renderer atvg/vg-net", expected, representation.name, "set follow_head to false")
    return points


def head_motion(still: Tensor, poses: Tensor, stable: list[int], size: int) -> HeadMotion:
    """Fit the rigid motion of the head in each frame.

    The published pictures are aligned by a similarity in every frame; this is the same, undone after the painting.

    Args:
        still: poses ``[B, P, 2]`` in the still pictures, in picture coordinates.
        poses: of the frames, ``[B, T, P, 2]``.
        stable: points to fit.
        size: edge of the pictures (px).
    """
    fit = fit_similarity(poses[..., stable, :], still[:, None, stable], with_scale=False)
    steps = (torch.arange(size).to(poses) + 0.5) / size
    positions = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    follow = (torch.minimum(positions, 1 - positions).amin(-1, keepdim=True) / FADE).clamp(max=1)
    follow = follow.square() * (3 - 2 * follow)
    displaced = fit.apply(positions.flatten(0, 1)).unflatten(-2, (size, size)) - positions
    return HeadMotion(fit.apply(poses), 2 * (positions + follow * displaced).flatten(0, 1) - 1)
