"""The square in whose pixels the landmarks of a clip are written down."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..core.interfaces.representation import Representation, UnitSquare
from .face_tracks import Poses
from .settings import Crop

CROP_SIZE = 256
"""Edge of a crop in its own pixels, as in MS-Sync's data (FOMM's preprocessing, Siarohin et al. 2019)."""

_WHOLE = UnitSquare(CROP_SIZE / 2, CROP_SIZE / 2, CROP_SIZE)


@dataclass(frozen=True)
class Cropped:
    """Poses ``[T, P, D]`` in pixels of a picture of ``size`` (height, width)."""

    poses: Poses
    size: tuple[int, int]
    box: tuple[int, int, int] | None = None
    """Left, top and edge of a fixed crop in pixels of the video."""


def crop(poses: Poses, size: tuple[int, int], style: Crop, representation: Representation) -> Cropped:
    """Poses ``[T, P, D]`` in pixels of a video of ``size``, in those of their crop.

    A crop is twice as wide as the face, or as the place that it takes in the course of the clip, and may reach beyond
    the picture. ``shot`` keeps the motion of the head, as VoxCeleb2 (II) does, and ``face`` removes its translation
    and scale, as VoxCeleb2 (I) does. Source: MS-Sync, section on data.
    """
    if style == "none":
        return Cropped(poses, size)
    values = torch.from_numpy(poses)
    if style == "face":
        each = [_in_crop(pose, representation.frame_of(pose), representation) for pose in values]
        return Cropped(torch.stack(each).numpy(), (CROP_SIZE, CROP_SIZE))
    frame = representation.frame_of(values)
    side = round(frame.side)
    x, y = round(frame.x - side / 2), round(frame.y - side / 2)
    whole_pixels = UnitSquare(x + side / 2, y + side / 2, side)
    moved = _in_crop(values, whole_pixels, representation)
    return Cropped(moved.numpy(), (CROP_SIZE, CROP_SIZE), (x, y, side))


def _in_crop(values: torch.Tensor, frame: UnitSquare, representation: Representation) -> torch.Tensor:
    return representation.denormalize(representation.normalize(values, frame), _WHOLE)
