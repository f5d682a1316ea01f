"""Body motion in BVH files (Biovision Hierarchy), read and written as `joints`.

The format is that of Meredith and Maddock, "Motion Capture File Formats Explained" (2001). Rotation channels are
multiplied in the order in which they are listed. Position channels say where a joint is relative to its parent and
take the place of its OFFSET, as in Blender and in most data sets; an axis without such a channel keeps the OFFSET's.
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
from ..core.interfaces.specs import RepresentationSpec
from ..core.motion import Motion
from ..core.spec import resolve_spec
from ..geometry.rotations import (
    axis_rotation,
    matrix_to_euler_angles,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from .bvh_text import Numbers, Skeleton, parse, write
from .joints import Joints
from .specs import EndSite, JointsSpec


def read_bvh(path: str | os.PathLike[str], up: Literal["y", "z"] = "y") -> Motion:
    """A BVH file as a motion of `joints` in the unit of the file; positions and angles are kept to single precision.

    The world is turned into the picture's axes (x right, y down, z away), exactly. Frames per second are those of
    `frame_rate`.

    Args:
        path: the file.
        up: the axis of the file that points up.

    Raises:
        MotionError: no such file, or anything that is not BVH, with the line; numbers that are not finite or beyond a
            million; a name twice.
    """
    source = Path(path)
    skeleton, numbers, frame_time = parse(source)
    spec = JointsSpec(
        names=tuple(skeleton.names),
        parents=tuple(skeleton.parents),
        offsets=tuple(skeleton.offsets),
        ends=tuple(EndSite(joint=joint, offset=offset) for joint, offset in skeleton.ends),
        moving=tuple(joint for joint, listed in enumerate(skeleton.channels) if any(kind == "p" for kind, _ in listed)),
        up=up,
    )
    joints = cast("Joints", spec.build())
    values = torch.from_numpy(_poses(joints, skeleton, numbers)).to(torch.float32)
    described = spec.model_dump(mode="json")
    return Motion(values, frame_rate(frame_time), described, provenance={"source": source.name})


def write_bvh(motion: Motion, path: str | os.PathLike[str]) -> Path:
    """Write a motion of `joints` as BVH, in the unit of its skeleton; the file appears whole or not at all.

    Rotations are listed as z, x, y. A file has one size of bones: places are divided by each frame's own.

    Raises:
        MotionError: another representation, numbers that are not finite, rotations without direction, or names that a
            file cannot hold.
    """
    target = Path(path)
    joints = cast("RepresentationSpec", resolve_spec("representation", dict(motion.representation))).build()
    if not isinstance(joints, Joints):
        raise MotionError("bvh", "a motion of joints", str(motion.representation.get("type")), "convert it first")
    spec = joints.spec
    moving = set(joints.moving)
    places, rotations = [("p", axis) for axis in range(3)], [("r", axis) for axis in (2, 0, 1)]
    skeleton = Skeleton(
        names=list(spec.names),
        parents=list(spec.parents),
        offsets=list(spec.offsets),
        channels=[(places if joint in moving else []) + rotations for joint in range(len(spec.names))],
        ends=[(end.joint, end.offset) for end in spec.ends],
    )
    numbers = _channels(joints, motion.values)
    with atomic_output(target) as temporary:
        write(temporary, skeleton, numbers, frame_time(motion.fps))
    return target


RATES = (*(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 200, 240, 250, 300)),)
NTSC = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))


def frame_rate(seconds: str) -> Fraction:
    """The rate that a Frame Time stands for, which is written with few digits.

    A whole number of frames per second if the time says so exactly; else, of all that the last digit leaves open, the
    nearest of the usual rates; else the simplest fraction. So 0.0083333 is 120, .0333667 is 30000/1001.

    Raises:
        MotionError: not a time between a thousandth of a second and 1e9 seconds.
    """
    try:
        usual = 1e-3 <= float(seconds) < 1e9
        time = Fraction(seconds if usual else 0)
    except ValueError:
        usual, time = False, Fraction(0)
    if not usual:
        raise MotionError("bvh", "a Frame Time from 0.001 to 1e9 seconds", repr(seconds)[:40])
    rate = 1 / time
    if rate.denominator == 1:
        return rate
    mantissa, _, exponent = seconds.lower().partition("e")
    unit = max(Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2])), time / 2**51)
    low, high = 1 / (time + unit), 1 / (time - unit) if time > unit else Fraction(1000)
    near = [known for known in (*RATES, *NTSC) if low <= known <= high]
    return min(near, key=lambda known: abs(known - rate)) if near else simplest(low, high)


def frame_time(fps: Fraction) -> str:
    """Seconds with so many digits that `frame_rate` finds the same rate."""
    return f"{float(1 / fps):.15f}"


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator in ``low..high``, both above 0 (Stern and Brocot's tree)."""
    whole = low.__ceil__()
    if whole <= high:
        return Fraction(whole)
    floor = low.__floor__()
    return floor + 1 / simplest(1 / (high - floor), 1 / (low - floor))


def _poses(joints: Joints, skeleton: Skeleton, numbers: Numbers) -> Numbers:
    """The rows ``[T, P, 6]`` of a file's numbers ``[T, C]``."""
    count, first, view = len(numbers), len(joints.moving), joints.view
    rows = np.zeros((count, joints.points, 6))
    column = 0
    for joint, listed in enumerate(skeleton.channels):
        place, turn = np.tile(skeleton.offsets[joint], (count, 1)), torch.eye(3, dtype=torch.float64)
        for kind, axis in listed:
            if kind == "p":
                place[:, axis] = numbers[:, column]
            else:
                degrees = torch.from_numpy(np.fmod(numbers[:, column], 360.0))
                turn = turn @ axis_rotation(axis, torch.deg2rad(degrees))
            column += 1
        if skeleton.parents[joint] < 0:
            place, turn = place @ view.numpy().T, view @ turn
            rows[:, joints.moving.index(joint), 3] = joints.size
        if joint in joints.moving:
            rows[:, joints.moving.index(joint), :3] = place
        rows[:, first + joint] = matrix_to_rotation_6d(turn).numpy()
    return rows


def _channels(joints: Joints, values: torch.Tensor) -> Numbers:
    """A file's numbers ``[T, C]`` of poses ``[T, P, 6]``."""
    poses = values.detach().cpu().double()
    first, view = len(joints.moving), joints.view
    turns, scale = rotation_6d_to_matrix(poses[:, first:]), joints.scale(poses)
    if not bool(torch.isfinite(poses).all()) or bool((scale <= 0).any()):
        raise MotionError("bvh", "finite poses of a size above 0", "NaN, infinity or no size")
    if bool((torch.linalg.det(turns) < 0.5).any()):
        raise MotionError("bvh", "rotations", "six numbers without a direction")
    columns = []
    for joint, parent in enumerate(joints.spec.parents):
        turn = turns[:, joint] if parent >= 0 else view.T @ turns[:, joint]
        if joint in joints.moving:
            place = poses[:, joints.moving.index(joint), :3] / scale[:, joint, None]
            columns.append((place if parent >= 0 else place @ view).numpy())
        columns.append(torch.rad2deg(matrix_to_euler_angles(turn, "ZXY")).numpy())
    return np.concatenate(columns, axis=1)
