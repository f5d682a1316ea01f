"""References: the pose that a motion starts from, in any form that a user may have."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy.typing as npt
import torch
from torch import Tensor

from ..core.arguments import as_path
from ..core.errors import DetectorError, MotionError
from ..core.files import reason_of
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion
from ..core.npz import as_float32, read_arrays
from ..media.file_kind import file_kind
from .closed_mouth import PARTED, TURNED, WIDE_OPEN, Mouth, close_mouth, mouth_opening, visible_width

_log = logging.getLogger("headmotion")


@dataclass(frozen=True)
class Reference:
    """Poses with the square that maps them to the unit frame."""

    poses: Tensor
    """Poses ``[R, P, D]``, the last of which is the first frame's predecessor."""
    frame: UnitSquare
    """The square of the picture that the unit frame covers."""
    units: str = "px"
    """``px`` (pixels of the picture) or ``unit`` (the unit frame)."""
    pictured: Tensor | None = None
    """Pose ``[P, D]`` of the picture, where the motion starts from another one, with a closed mouth; else None."""

    def __repr__(self) -> str:
        count, points, dims = self.poses.shape
        return f"<Reference: {count} poses {points} x {dims}, {self.units}>"

    @property
    def picture_pose(self) -> Tensor:
        """Pose ``[P, D]`` of the picture, which the motion carries along for renderers."""
        return self.poses[-1] if self.pictured is None else self.pictured


ReferenceLike = str | os.PathLike[str] | npt.NDArray[Any] | Tensor | Motion | Reference | None
"""A landmarks file, a picture, a video, poses in pixels, a `Motion`, a `Reference`, or None for the neutral pose."""


def as_reference(
    value: ReferenceLike,
    representation: Representation,
    find_poses: Callable[[Path], Tensor] | None = None,
    mouth: Mouth = "auto",
    closes_parted_lips: bool = False,
) -> Reference:
    """Read and check a reference, and fit its square; a third coordinate is dropped for a 2-D representation.

    Args:
        value: the reference.
        representation: the representation of its poses.
        find_poses: finds the poses ``[R, P, D]`` in a picture or video file.
        mouth: as in `Pipeline.reference`.
        closes_parted_lips: as in `Generator`.

    Raises:
        MotionError: a file that cannot be read, or poses of another shape.
        DetectorError: a picture or video without a detector, or in which the detector finds nothing.
    """
    if mouth not in get_args(Mouth):
        raise MotionError("reference", "mouth 'auto', 'closed' or 'as-is'", repr(mouth))
    if isinstance(value, Reference):
        return value
    if value is None:
        return Reference(representation.neutral().unsqueeze(0).cpu(), UnitSquare(0.5, 0.5, 1.0), "unit")
    if isinstance(value, Motion):
        poses, units, frame = value.values, value.units, value.frame
    else:
        if isinstance(value, str | os.PathLike):
            poses = _read(as_path(value, "reference", MotionError), find_poses)
        else:
            poses = _real(value)
        units, frame = "px", None
    name = f"reference {value}" if isinstance(value, str | os.PathLike) else "reference"
    poses = _checked(poses, representation, name)
    reference = Reference(poses, frame or representation.frame_of(poses), units)
    is_picture = isinstance(value, str | os.PathLike) and file_kind(Path(value)) == "picture"
    return _with_mouth(reference, representation, mouth, is_picture and not closes_parted_lips)


def _with_mouth(reference: Reference, representation: Representation, mouth: Mouth, warns: bool) -> Reference:
    """Return a reference that starts from closed lips if it shall; motion that goes on from several poses is left.

    That lips stay apart is said (``warns``) of pictures only: a pose in numbers, or a motion, is chosen as it is.
    """
    pose = reference.poses[-1]
    if mouth == "closed" and len(reference.poses) > 1:
        got = f"{len(reference.poses)} poses, such as those of a video"
        raise MotionError("reference", "one pose, whose mouth can be closed", got, "leave mouth out")
    opening = mouth_opening(pose, representation) if len(reference.poses) == 1 and mouth != "as-is" else 0.0
    is_aside = mouth == "auto" and visible_width(pose, representation) < TURNED
    if is_aside or opening <= (WIDE_OPEN if mouth == "auto" else 0.0):
        if warns and opening > PARTED:
            message = "the lips are apart in the picture (%.0f %% of the mouth's width), and stay so in speech too; %s"
            _log.warning(message, 100 * opening, "pipe.reference(..., mouth='closed') (--mouth closed) closes them")
        return reference
    if mouth == "auto":
        message = "the mouth is open in the reference (%.0f %% of its width): the motion starts from closed lips; %s"
        _log.warning(message, 100 * opening, "pipe.reference(..., mouth='as-is') (--mouth as-is) leaves it open")
    return replace(reference, poses=close_mouth(pose, representation).unsqueeze(0), pictured=pose)


def _checked(poses: Tensor, representation: Representation, name: str) -> Tensor:
    points, dims = representation.points, representation.dims
    poses = poses.to(torch.float32)
    if poses.dim() == 2:
        poses = poses.unsqueeze(0)
    if poses.dim() != 3 or poses.shape[0] < 1 or poses.shape[1] != points or poses.shape[2] < dims:
        raise MotionError(name, f"poses [{points}, {dims}] or [R, {points}, {dims}]", f"shape {list(poses.shape)}")
    poses = poses[..., :dims]
    if not torch.isfinite(poses).all():
        raise MotionError(name, "finite numbers", "NaN or infinity")
    return poses


def _real(values: npt.NDArray[Any] | Tensor) -> Tensor:
    """Return an array or a tensor of real numbers as a tensor; masks, complex numbers and words are no poses."""
    if isinstance(values, Tensor):
        if values.dtype == torch.bool or values.is_complex():
            raise MotionError("reference", "poses of real numbers", f"values of type {values.dtype}")
        return values
    try:
        return torch.from_numpy(as_float32(values))
    except ValueError as error:
        raise MotionError("reference", "poses of real numbers", str(error)) from None


def _read(path: Path, find_poses: Callable[[Path], Tensor] | None) -> Tensor:
    try:
        kind = file_kind(path)
        if kind in ("picture", "video"):
            if find_poses is None:
                raise DetectorError("reference", "poses", f"{path.name}, without a detector", "pass landmarks")
            return find_poses(path)
        if kind is None:
            raise ValueError("none of these")
        stored = read_arrays(path, "landmarks", "values")
        if not stored:
            raise ValueError("without that array")
        return torch.from_numpy(as_float32(next(iter(stored.values()))))
    except FileNotFoundError:
        raise MotionError("reference", "an existing file", str(path)) from None
    except (ValueError, OSError) as error:
        expected, got = "an .npz with the array 'landmarks', a picture or a video", f"{path} ({reason_of(error)})"
        raise MotionError("reference", expected, got, "np.savez('face.npz', landmarks=points) writes one") from None
