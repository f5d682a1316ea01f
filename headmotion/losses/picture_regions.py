"""The part of a picture around points of a pose, for losses and metrics that look at a mouth or at eyes only."""

from __future__ import annotations

import torch
from torch import Tensor


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
