"""The part of a picture around points of a pose, for losses and metrics of mouth or eyes only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SURROUNDINGS = 5
"""Edge of the square around a pixel whose mean difference counts (px)."""
FULL_DIFFERENCE = 0.1
"""Mean difference of colors from which a pixel has moved."""


def region_mask(points: Tensor, size: tuple[int, int], margin: float) -> Tensor:
    """Return 1 inside the box around points, and 0 elsewhere, ``[..., H, W]``.

    Args:
        points: positions ``[..., N, 2]`` in picture coordinates (see `SupportsTraining`).
        size: height and width of the pictures.
        margin: room around the points on each side, as a fraction of the longer edge of their box.
    """
    height, width = size
    low, high = points.amin(-2), points.amax(-2)
    room = margin * (high - low).amax(-1, keepdim=True)
    low, high = low - room, high + room

    def inside(axis: int, length: int) -> Tensor:
        # Picture coordinates of the pixels; the longer edge spans 0..1, and the shorter one lies in its middle.
        pixels = torch.arange(length, device=points.device, dtype=points.dtype)
        positions = (pixels - length / 2) / max(size) + 0.5
        return (positions >= low[..., axis, None]) & (positions <= high[..., axis, None])

    return (inside(1, height)[..., :, None] & inside(0, width)[..., None, :]).to(points.dtype)


def moving_mask(pictures: Tensor, still: Tensor) -> Tensor:
    """Return from 0 to 1 how much the surroundings of each pixel differ from a still picture, ``[B, T, H, W]``.

    Args:
        pictures: ``[B, T, 3, H, W]``, 0..1.
        still: ``[B, 3, H, W]``, 0..1.
    """
    difference = (pictures.detach() - still[:, None]).abs().mean(2)
    # Smoothed, so that a lip counts with its edges.
    smooth = functional.avg_pool2d(difference, SURROUNDINGS, 1, SURROUNDINGS // 2, count_include_pad=False)
    return (smooth / FULL_DIFFERENCE).clamp(max=1)
