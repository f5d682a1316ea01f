"""Poses as pictures of dots, for networks that were trained on pictures. Source: SUHMo's metrics, used by MS-Sync."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..core.interfaces.representation import Representation

SIZE = 224
"""Pixels of an edge."""
EDGE = 0.99
"""Coordinates of the unit frame beyond it are drawn there."""

Channels = tuple[list[int], list[int], list[int]]
"""Points by color."""


def channels_of(representation: Representation) -> Channels:
    """Jaw, the rest and lips where a representation has both groups (0-16, 17-47, 48-67 of 68 landmarks); else thirds.

    Thirds are consecutive points, each ``ceil(P / 3)`` but the last.
    """
    every = range(representation.points)
    jaw, lips = (list(representation.groups.get(name, ())) for name in ("jaw", "lips"))
    if jaw and lips:
        return jaw, [point for point in every if point not in {*jaw, *lips}], lips
    third = math.ceil(len(every) / 3)
    return list(every[:third]), list(every[third : 2 * third]), list(every[2 * third :])


def raster(points: Tensor, channels: Channels) -> Tensor:
    """Image positions ``[T, P, 2]`` of the unit frame as pictures ``[T, 3, 224, 224]`` of zeros and ones.

    A point is one pixel, at ``floor(224 x)``; nothing joins them.
    """
    pixel = (SIZE * points.clamp(0, EDGE)).long()
    frame = torch.arange(len(points))[:, None]
    pictures = torch.zeros(len(points), 3, SIZE, SIZE)
    for color, members in enumerate(channels):
        pictures[frame, color, pixel[:, members, 1], pixel[:, members, 0]] = 1
    return pictures


def collapsed(pictures: Tensor) -> Tensor:
    """Frames ``[n, 3, H, W]`` as one picture, later ones heavier: weights like ``linspace(0.2, 0.8, n)``, sum 1."""
    weights = torch.linspace(0.2, 0.8, len(pictures))
    return torch.einsum("n,nchw->chw", weights / weights.sum(), pictures)
