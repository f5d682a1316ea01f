"""Poses as pictures of dots, for networks that were trained on pictures. Source: SUHMo's metrics, used by MS-Sync."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from headmotion import Representation

SIZE_PX = 224
"""Edge of a picture."""
LARGEST_COORDINATE = 0.99
"""Coordinates of the unit square are clamped to it, so that the largest still falls into a pixel."""

Channels = tuple[list[int], list[int], list[int]]
"""Point indices by color channel."""


def point_channels(representation: Representation) -> Channels:
    """Return which points are drawn into which channel.

    A representation with the groups ``jaw`` and ``lips`` has those in the first and the last channel and the other
    points in the middle one (0-16, 17-47, 48-67 of 68 landmarks). Any other has consecutive thirds of its points,
    each ``ceil(P / 3)`` but the last.
    """
    points = range(representation.points)
    jaw, lips = (list(representation.groups.get(name, ())) for name in ("jaw", "lips"))
    if jaw and lips:
        return jaw, [point for point in points if point not in {*jaw, *lips}], lips
    third = math.ceil(len(points) / 3)
    return list(points[:third]), list(points[third : 2 * third]), list(points[2 * third :])


def draw_dots(points: Tensor, channels: Channels) -> Tensor:
    """Return pictures ``[T, 3, 224, 224]`` of zeros and ones, with one pixel per point, at ``floor(224 x)``.

    Args:
        points: image positions ``[T, P, 2]`` in the unit square.
        channels: see `point_channels`.
    """
    pixels = (SIZE_PX * points.clamp(0, LARGEST_COORDINATE)).long()
    frames = torch.arange(len(points))[:, None]
    pictures = torch.zeros(len(points), 3, SIZE_PX, SIZE_PX)
    for channel, members in enumerate(channels):
        pictures[frames, channel, pixels[:, members, 1], pixels[:, members, 0]] = 1
    return pictures


def average_frames(pictures: Tensor) -> Tensor:
    """Return the weighted mean of frames ``[n, C, H, W]``; weights rise like ``linspace(0.2, 0.8, n)`` and sum to 1."""
    weights = torch.linspace(0.2, 0.8, len(pictures))
    return torch.einsum("n,nchw->chw", weights / weights.sum(), pictures)
