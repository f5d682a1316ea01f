"""Body motion in BVH files (Biovision Hierarchy), read and written as `joints`.

The format is that of Meredith and Maddock, "Motion Capture File Formats Explained" (2001). Rotation channels are
multiplied in the order in which they are listed. Position channels give a joint's position relative to its parent and
replace its OFFSET, as in Blender and in most data sets; an axis without such a channel keeps the OFFSET's value.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch

from ..core.errors import MotionError
from ..core.files import atomic_output
from ..core.interfaces.specs import resolve_spec
from ..core.motion import Motion
from ..geometry.rotations import (
    axis_rotation,
    matrix_to_euler_angles,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from .bvh_text import Numbers, Skeleton, parse, write
from .joints import Joints
from .specs import EndSite, JointsSpec

COMMON_FPS = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 200, 240, 250, 300))
NTSC_FPS = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))


def read_bvh(path: str | os.PathLike[str], up: Literal["y", "z"] = "y") -> Motion:
    """Read a BVH file as a motion of `joints` in the unit of the file; numbers are stored in single precision.

    The world is rotated into the picture's axes (x right, y down, z away), exactly. `frame_rate` gives the frames per
    second.

    Args:
        path: the file.
        up: the axis of the file that points up.

    Raises:
        MotionError: no such file, or anything that is not BVH, with the line; numbers that are not finite or beyond a
            million; a name twice.
    """
    source = Path(path)
    skeleton, numbers, seconds = parse(source)
    has_position = [any(kind == "p" for kind, _ in channels) for channels in skeleton.channels]
    spec = JointsSpec(
        names=tuple(skeleton.names),
        parents=tuple(skeleton.parents),
        offsets=tuple(skeleton.offsets),
        ends=tuple(EndSite(joint=joint, offset=offset) for joint, offset in skeleton.ends),
        moving=tuple(joint for joint, moving in enumerate(has_position) if moving),
        up=up,
    )
    joints = cast("Joints", spec.build())
    values = torch.from_numpy(_channels_to_poses(joints, skeleton, numbers)).to(torch.float32)
    described = spec.model_dump(mode="json")
    return Motion(values, frame_rate(seconds), described, provenance={"source": source.name})


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
    joints = resolve_spec("representation", dict(motion.representation)).build()
    if not isinstance(joints, Joints):
        raise MotionError("bvh", "a motion of joints", str(motion.representation.get("type")), "convert it first")
    spec = joints.spec
    positions, rotations = [("p", axis) for axis in range(3)], [("r", axis) for axis in (2, 0, 1)]
    skeleton = Skeleton(
        names=list(spec.names),
        parents=list(spec.parents),
        offsets=list(spec.offsets),
        channels=[(positions if joint in joints.moving_joints else []) + rotations for joint in range(len(spec.names))],
        ends=[(end.joint, end.offset) for end in spec.ends],
    )
    # Before the file is opened, so that an invalid motion leaves no file.
    numbers = _poses_to_channels(joints, motion.values)
    with atomic_output(target) as temporary:
        write(temporary, skeleton, numbers, frame_time(motion.fps))
    return target


def frame_rate(seconds: str) -> Fraction:
    """Return the frames per second that a Frame Time means, which files write with few digits.

    The rate is a whole number if the time is exactly its inverse; else, of all rates that the last digit leaves open,
    the nearest of the common ones; else the simplest fraction. So 0.0083333 is 120, .0333667 is 30000/1001.

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
        raise MotionError("bvh", "a Frame Time from 0.001 to 1e9 seconds", repr(seconds)[:40])
    rate = 1 / time
    if rate.denominator == 1:
        return rate
    mantissa, _, exponent = seconds.lower().partition("e")
    last_digit = Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    tolerance = max(last_digit, time / 2**51)  # more digits than a float64 has mean nothing
    low, high = 1 / (time + tolerance), 1 / (time - tolerance) if time > tolerance else Fraction(1000)
    common = [fps for fps in (*COMMON_FPS, *NTSC_FPS) if low <= fps <= high]
    return min(common, key=lambda fps: abs(fps - rate)) if common else _simplest_fraction(low, high)


def frame_time(fps: Fraction) -> str:
    """Return the Frame Time (s) with as many digits as `frame_rate` needs to recover the rate."""
    return f"{float(1 / fps):.15f}"


def _simplest_fraction(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of the smallest denominator in ``low..high``, both above 0 (Stern and Brocot's tree)."""
    ceiling = low.__ceil__()
    if ceiling <= high:
        return Fraction(ceiling)
    floor = low.__floor__()
    return floor + 1 / _simplest_fraction(1 / (high - floor), 1 / (low - floor))


def _channels_to_poses(joints: Joints, skeleton: Skeleton, numbers: Numbers) -> Numbers:
    """Return the poses ``[T, P, 6]`` of a file's numbers ``[T, C]``."""
    count, first, moving = len(numbers), len(joints.moving_joints), joints.moving_joints
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
            rows[:, moving.index(joint), 3] = joints.size
        if joint in moving:
            rows[:, moving.index(joint), :3] = position
        rows[:, first + joint] = matrix_to_rotation_6d(rotation).numpy()
    return rows


def _poses_to_channels(joints: Joints, values: torch.Tensor) -> Numbers:
    """Return a file's numbers ``[T, C]`` of poses ``[T, P, 6]``."""
    poses, moving, view = values.detach().cpu().double(), joints.moving_joints, joints.view
    rotations, scale = rotation_6d_to_matrix(poses[:, len(moving) :]), joints.scale(poses)
    if not bool(torch.isfinite(poses).all()) or bool((scale <= 0).any()):
        raise MotionError("bvh", "finite poses of a size above 0", "NaN, infinity or no size")
    if bool((torch.linalg.det(rotations) < 0.5).any()):
        raise MotionError("bvh", "rotations", "six numbers without a direction")
    columns = []
    for joint, parent in enumerate(joints.spec.parents):
        rotation = rotations[:, joint] if parent >= 0 else view.T @ rotations[:, joint]
        if joint in moving:
            position = poses[:, moving.index(joint), :3] / scale[:, joint, None]
            columns.append(position if parent >= 0 else position @ view)
        # The order z, x, y is that of most motion-capture files, and what other programs expect.
        columns.append(torch.rad2deg(matrix_to_euler_angles(rotation, "ZXY")))
    return np.asarray(torch.cat(columns, dim=1).numpy())
