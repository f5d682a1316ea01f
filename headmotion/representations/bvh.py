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
from ..core.short_repr import short_repr
from ..core.timing import simplest_fraction
from ..geometry.rotations import (
    axis_rotation,
    matrix_to_euler_angles,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from .bvh_text import Numbers, Offset, Skeleton, parse, write
from .joints import Joints
from .specs import EndSite, JointsSpec

COMMON_FPS = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 200, 240, 250, 300))
NTSC_FPS = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))

MAX_ROUNDING = Fraction(3, 100)
"""A Frame Time of few digits is taken for that of a common rate if it is no further away."""
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
    fps = DEFAULT_FPS if len(numbers) <= 1 and _is_zero(seconds) else frame_rate(seconds)
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


def frame_rate(seconds: str) -> Fraction:
    """Return the frames per second that a Frame Time means, which files write with few digits.

    The rate is a whole number if the time is exactly its inverse; else, of all rates that print to these digits, the
    nearest of the common ones if it is within 3 %; else the simplest fraction if the digits leave little open, and the
    exact inverse if they leave much. So 0.0083333 is 120, .0333667 is 30000/1001, 0.08 is 25/2. A time that was stored
    in single precision, such as 0.03333333507180214, means what single precision leaves open.

    Args:
        seconds: the Frame Time as it is written.

    Raises:
        MotionError: not a time between a thousandth of a second and 1e9 seconds.
    """
    try:
        valid = 1e-3 <= float(seconds) < 1e9
        time = Fraction(seconds if valid else 0)
    except ValueError:
        valid, time = False, Fraction(0)
    if not valid:
        raise MotionError("bvh", "a Frame Time from 0.001 to 1e9 seconds", short_repr(seconds))
    rate = 1 / time
    if rate.denominator == 1:
        return rate
    before, after = _precision(seconds, time)
    low, high = 1 / (time + after), 1 / (time - before)
    for rates in (COMMON_FPS, NTSC_FPS):
        near = [fps for fps in rates if low <= fps <= high and abs(fps - rate) <= rate * MAX_ROUNDING]
        if near:
            return min(near, key=lambda fps: abs(fps - rate))
    if high - low < rate / 100:
        return simplest_fraction(low, high)
    whole = Fraction(round(rate))
    return whole if low <= whole <= high and abs(whole - rate) <= rate / 200 else rate


def _precision(seconds: str, time: Fraction) -> tuple[Fraction, Fraction]:
    """Return how far the time that was meant may lie before and after the one that is written."""
    mantissa, _, exponent = seconds.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    unit = Fraction(10) ** (int(exponent or 0) - digits)
    single = np.float32(float(time))
    error = abs(Fraction(float(single)) - time)
    # One that has just these digits by chance is left alone.
    stored = error <= unit / 2 and (error or digits > 15)
    spacing = Fraction(float(np.spacing(single))) if stored else time / 2**51  # of single or double precision
    return (unit + spacing) / 2, unit + spacing / 2  # rounded, or cut off


def frame_time(fps: Fraction) -> str:
    """Return the Frame Time (s) with as many digits as `frame_rate` needs to recover the rate.

    One whose time is a number of single precision may be read as another within a millionth, as `frame_rate` says.
    """
    return f"{float(1 / fps):.15f}"


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
