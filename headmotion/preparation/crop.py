"""The square in whose pixels the landmarks of a clip are stored."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..core.interfaces.representation import Representation, UnitSquare
from .face_tracks import Poses
from .settings import CropMode

CROP_SIZE = 256
"""Usual edge of a crop in its own pixels, as in MS-Sync's data (FOMM's preprocessing, Siarohin et al. 2019)."""


@dataclass(frozen=True)
class CroppedPoses:
    """Poses ``[T, P, D]`` in pixels of a picture of ``size`` (height, width)."""

    poses: Poses
    size: tuple[int, int]
    box: tuple[int, int, int] | None = None
    """Left, top and edge of a fixed crop in pixels of the video."""


def crop(
    poses: Poses, size: tuple[int, int], mode: CropMode, representation: Representation, edge: int = CROP_SIZE
) -> CroppedPoses:
    """Return poses in pixels of their crop.

    A crop is twice as wide as the face, or as the area that the face covers in the course of the clip, and may reach
    beyond the picture. ``shot`` keeps the motion of the head, as VoxCeleb2 (II) does; ``face`` removes its translation
    and scale, as VoxCeleb2 (I) does. Source: MS-Sync, section on data.

    Args:
        poses: ``[T, P, D]`` in pixels of the video.
        size: height and width of the video in pixels.
        mode: ``shot``, ``face`` or ``none``; see `Settings.crop`.
        representation: what the poses are in.
        edge: of a crop, in its own pixels.
    """
    if mode == "none":
        return CroppedPoses(poses, size)

    def to_crop(values: torch.Tensor, square: UnitSquare) -> torch.Tensor:
        whole = UnitSquare(edge / 2, edge / 2, edge)
        return representation.denormalize(representation.normalize(values, square), whole)

    values = torch.from_numpy(poses)
    if mode == "face":
        cropped = [to_crop(pose, representation.frame_of(pose)) for pose in values]
        return CroppedPoses(torch.stack(cropped).numpy(), (edge, edge))
    square = representation.frame_of(values)
    side = round(square.side)
    left, top = round(square.x - side / 2), round(square.y - side / 2)
    # Whole pixels of the video, so that the crop can be cut from it exactly.
    pixel_square = UnitSquare(left + side / 2, top + side / 2, side)
    return CroppedPoses(to_crop(values, pixel_square).numpy(), (edge, edge), (left, top, side))
