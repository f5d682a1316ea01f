"""Body motion in BVH files (Biovision Hierarchy), read and written as `joints`.

The format is that of Meredith and Maddock, "Motion Capture File Formats Explained" (2001). Rotation channels are
multiplied in the order in which they are listed. Position channels give a joint's position relative to its parent and
replace its OFFSET, as in Blender and in most data sets; an axis without such a channel keeps the OFFSET's value.
"""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch

from ..core.errors import MotionError, SpecError
from ..core.files import atomic_output
from ..core.motion import Motion
from ..geometry.rotations import (
    axis_rotation,
    matrix_to_euler_angles,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from .bvh_frame_time import frame_rate, frame_time
from .bvh_parser import parse
from .bvh_text import Numbers, Offset, Skeleton, write
from .joints import Joints
from .specs import EndSite, JointsSpec

DEFAULT_FPS = Fraction(30)
"""Rate of a file with one frame or none, whose Frame Time means nothing and may be 0."""

_log = logging.getLogger("headmotion")


def read_bvh(path: str | os.PathLike[str], up: Literal["y", "z"] = "y") -> Motion:
    """Read a BVH file as a motion of `joints` in the unit of the file; numbers are stored in single precision.

    The world is rotated into the picture's axes (x right, y down, z away), exactly. `frame_rate` gives the frames per
    second. What Blender reads is read, with a warning where a file bends the rules: a wrong number of frames, names
    that occur twice (``.001`` is added), no offsets but positions (those of the first frame become the offsets).

    Args:
        path: the file.
        up: the axis of the file that points up.

    Raises:
        MotionError: no such file, or anything that is not BVH, with the line; numbers that are not finite or beyond a
            million; a skeleton without size.
    """
    source = Path(path)
    skeleton, numbers, seconds, oddities = parse(source)
    for oddity in oddities:
        _log.warning("%s: %s", source, oddity)
    try:
        fps = DEFAULT_FPS if len(numbers) <= 1 and _is_zero(seconds) else frame_rate(seconds)
    except MotionError as error:
        raise MotionError("bvh", error.expected, f"{error.got} in {source}") from None
    has_position = [any(kind == "p" for kind, _ in channels) for channels in skeleton.channels]
    spec = JointsSpec(
        names=tuple(skeleton.names),
        parents=tuple(skeleton.parents),
        offsets=_resting_offsets(source, skeleton, numbers),
        ends=tuple(EndSite(joint=joint, offset=offset) for joint, offset in skeleton.ends),
        moving=tuple(joint for joint, moving in enumerate(has_position) if moving),
        up=up,
    )
    try:
        joints = cast("Joints", spec.build())
    except SpecError as error:
        raise MotionError(f"bvh {source}", error.expected, error.got) from None
    values = torch.from_numpy(_channels_to_poses(joints, skeleton, numbers)).to(torch.float32)
    described = spec.model_dump(mode="json")
    return Motion(values, fps, described, provenance={"source": source.name})


def write_bvh(motion: Motion, path: str | os.PathLike[str]) -> Path:
    """Write a motion of `joints` as BVH, in the unit of its skeleton, and return the path.

    Rotations are listed as z, x, y. A file has one size of bones, so positions are divided by the scale of each frame.
    The file appears complete or not at all.

    Args:
        motion: of `joints`.
        path: the file.

    Raises:
        MotionError: another representation, numbers that are not finite, rotations without direction, or names that a
            file cannot hold.
    """
    target = Path(path)
    joints = motion.build_representation()
    if not isinstance(joints, Joints):
        raise MotionError("bvh", "a motion of joints", str(motion.representation.get("type")), "convert it first")
    spec = joints.spec
    moving = set(joints.moving_joints)
    positions, rotations = [("p", axis) for axis in range(3)], [("r", axis) for axis in (2, 0, 1)]
    skeleton = Skeleton(
        names=list(spec.names),
        parents=list(spec.parents),
        offsets=list(spec.offsets),
        channels=[(positions if joint in moving else []) + rotations for joint in range(len(spec.names))],
        ends=[(end.joint, end.offset) for end in spec.ends],
    )
    # Before the file is opened, so that an invalid motion leaves no file.
    numbers = _poses_to_channels(joints, motion.values)
    with atomic_output(target) as temporary:
        write(temporary, skeleton, numbers, frame_time(motion.fps))
    return target


def _is_zero(seconds: str) -> bool:
    try:
        return float(seconds) == 0
    except ValueError:
        return False


def _resting_offsets(source: Path, skeleton: Skeleton, numbers: Numbers) -> tuple[Offset, ...]:
    """Return the offsets of a skeleton; where all are 0, the positions of the first frame."""
    below = [offset for parent, offset in zip(skeleton.parents, skeleton.offsets, strict=True) if parent >= 0]
    if not len(numbers) or any(map(any, below)):
        return tuple(skeleton.offsets)
    columns, offsets = iter(numbers[0]), [list(offset) for offset in skeleton.offsets]
    for joint, channels in enumerate(skeleton.channels):
        for kind, axis in channels:
            number = float(next(columns))
            if kind == "p" and skeleton.parents[joint] >= 0:
                offsets[joint][axis] = number
    _log.warning("%s: all offsets are 0; the positions of the first frame stand for them", source)
    return tuple((x, y, z) for x, y, z in offsets)


def _channels_to_poses(joints: Joints, skeleton: Skeleton, numbers: Numbers) -> Numbers:
    """Return the poses ``[T, P, 6]`` of a file's numbers ``[T, C]``."""
    count, first = len(numbers), len(joints.moving_joints)
    row_of = {joint: row for row, joint in enumerate(joints.moving_joints)}
    rows = np.zeros((count, joints.points, 6))
    column = 0
    for joint, channels in enumerate(skeleton.channels):
        position = np.tile(skeleton.offsets[joint], (count, 1))
        rotation = torch.eye(3, dtype=torch.float64)
        for kind, axis in channels:
            if kind == "p":
                position[:, axis] = numbers[:, column]
            else:
                # Files may count full turns; without them the angle keeps its digits.
                degrees = torch.from_numpy(np.fmod(numbers[:, column], 360.0))
                rotation = rotation @ axis_rotation(axis, torch.deg2rad(degrees))
            column += 1
        # Roots are in the world, which is rotated to the picture's axes; all other rows are relative to a parent.
        if skeleton.parents[joint] < 0:
            position, rotation = position @ joints.view.numpy().T, joints.view @ rotation
            rows[:, row_of[joint], 3] = joints.size
        if joint in row_of:
            rows[:, row_of[joint], :3] = position
        rows[:, first + joint] = matrix_to_rotation_6d(rotation).numpy()
    return rows


def _poses_to_channels(joints: Joints, values: torch.Tensor) -> Numbers:
    """Return a file's numbers ``[T, C]`` of poses ``[T, P, 6]``."""
    poses, view = values.detach().cpu().double(), joints.view
    row_of = {joint: row for row, joint in enumerate(joints.moving_joints)}
    rotations, scale = rotation_6d_to_matrix(poses[:, len(row_of) :]), joints.scale(poses)
    if not bool(torch.isfinite(poses).all()) or bool((scale <= 0).any()):
        raise MotionError("bvh", "finite poses of a size above 0", "NaN, infinity or no size")
    if bool((torch.linalg.det(rotations) < 0.5).any()):
        raise MotionError("bvh", "rotations", "six numbers without a direction")
    parents = joints.spec.parents
    is_root = torch.tensor([parent < 0 for parent in parents])
    rotations = torch.where(is_root[:, None, None], view.T @ rotations, rotations)
    # The order z, x, y is that of most motion-capture files, and what other programs expect.
    angles = torch.rad2deg(matrix_to_euler_angles(rotations, "ZXY"))
    columns = []
    for joint, parent in enumerate(parents):
        if joint in row_of:
            position = poses[:, row_of[joint], :3] / scale[:, joint, None]
            columns.append(position if parent >= 0 else position @ view)
        columns.append(angles[:, joint])
    return np.asarray(torch.cat(columns, dim=1).numpy())
