"""How the head moved from one picture to others: pictures are warped along with it, or cropped around it.

Positions are in picture coordinates, 0..1 over a square picture; pixel ``i`` of ``n`` lies at ``i / n``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

import headmotion as hm
from headmotion.core.interfaces.representation import has_place, require_points2d
from headmotion.geometry.rigid_fit import SimilarityTransform, fit_similarity

HEAD_GROUPS = ("nose", "eyes")
"""Points that move with the head and not with speech."""


class HeadAlignment:
    """Similarities that move the head of a pose onto that of others, fitted to nose and eyes.

    Raises:
        MotionError: a representation without points in the picture.
        SpecError: one without nose, eyes or lips, or whose points only stand for numbers.
    """

    def __init__(self, representation: hm.Representation, component: str) -> None:
        require_points2d(representation, component)
        if not has_place(representation):
            expected = "poses with positions in the picture"
            raise hm.SpecError(component, expected, representation.name, "take landmarks68 or another set of points")
        for group in (*HEAD_GROUPS, "lips"):
            if not representation.groups.get(group):
                raise hm.SpecError(component, f"a representation with {group}", representation.name)
        self._to_points2d = representation.to_points2d
        self._head = [point for group in HEAD_GROUPS for point in representation.groups[group]]
        self._lips = list(representation.groups["lips"])
        self._scale = list(representation.scale_pair)

    def fit(self, pose: Tensor, motion: Tensor) -> SimilarityTransform:
        """Fit the maps from the head of poses ``[B, P, D]`` onto the heads of motion ``[B, T, P, D]``."""
        source, target = (self._to_points2d(values)[..., self._head, :] for values in (pose, motion))
        return fit_similarity(source[:, None].expand_as(target), target)

    def lips(self, poses: Tensor) -> Tensor:
        """Return the lips of poses ``[..., P, D]`` in the plane, ``[..., N, 2]``."""
        return self._to_points2d(poses)[..., self._lips, :]

    def lips_square(self, pose: Tensor, side: float) -> tuple[Tensor, Tensor]:
        """Return center ``[B, 2]`` and side ``[B]`` of the square around the lips of poses ``[B, P, D]``.

        Args:
            pose: the poses.
            side: in distances of the representation's scale pair, such as the outer corners of the eyes.
        """
        left, right = self._to_points2d(pose)[:, self._scale].unbind(1)
        lips = self.lips(pose)
        return (lips.amin(1) + lips.amax(1)) / 2, side * (left - right).norm(dim=-1)


def carry_along(pictures: Tensor, moved: SimilarityTransform) -> Tensor:
    """Return pictures ``[B, T, C, n, n]``, each moved by its transform; beyond the edge its colors are repeated."""
    positions = pixel_positions(pictures.shape[-1], pictures).expand(*pictures.shape[:2], -1, -1)
    # The inverse of the map: the origin of each pixel of the result.
    origins = (positions - moved.translation.unsqueeze(-2)) @ moved.rotation / moved.scale[..., None, None]
    return look_up(pictures, origins, pictures.shape[-1])


def cut_out(pictures: Tensor, moved: SimilarityTransform, center: Tensor, side: Tensor, size: int) -> Tensor:
    """Return the part of pictures ``[B, T, C, n, n]`` to which a square has been moved, ``[B, T, C, size, size]``.

    Args:
        pictures: the pictures.
        moved: how, for each picture.
        center: of the square before, ``[B, 2]``.
        side: of the square before, ``[B]``.
        size: edge of the result (px).
    """
    positions = center[:, None] + side[:, None, None] * (pixel_positions(size, pictures) - 0.5)
    return look_up(pictures, moved.apply(positions[:, None]), size)


def pixel_positions(size: int, like: Tensor) -> Tensor:
    """Return the positions of the pixels of a picture, row by row, ``[size * size, 2]``."""
    line = torch.arange(size, dtype=like.dtype, device=like.device) / size
    return torch.stack([line.repeat(size), line.repeat_interleave(size)], dim=-1)


def look_up(pictures: Tensor, positions: Tensor, size: int) -> Tensor:
    """Return the colors of pictures ``[B, T, C, n, n]`` at positions ``[B, T, size * size, 2]``, as pictures."""
    # grid_sample has the middle of pixel i at (2 i + 1) / n - 1.
    grid = (2 * positions + 1 / pictures.shape[-1] - 1).flatten(0, 1).unflatten(1, (size, size))
    drawn = functional.grid_sample(
        pictures.flatten(0, 1), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return drawn.unflatten(0, pictures.shape[:2])
