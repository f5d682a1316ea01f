"""The skeleton of a BVH file, and its text: a hierarchy with channels, and a line of numbers per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..core.errors import MotionError
from ..core.short_repr import short_repr

Numbers = npt.NDArray[np.float64]
Offset = tuple[float, float, float]
Channel = tuple[str, int]
"""``p`` (position) or ``r`` (rotation), and the axis 0, 1, 2."""

MAX_INDENT = 32
"""Deeper joints are not indented further, because the file would grow with the square of their number."""


@dataclass
class Skeleton:
    """The hierarchy of a file, joint by joint; parents come before their joints."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[Offset] = field(default_factory=list)
    channels: list[list[Channel]] = field(default_factory=list)
    ends: list[tuple[int, Offset]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    """Names that the file has more than once; the later joints have got names of their own."""


def write(path: Path, skeleton: Skeleton, numbers: Numbers, frame_time: str) -> None:
    """Write a skeleton and the numbers ``[T, C]`` of its channels, joint by joint in the skeleton's order.

    Raises:
        MotionError: a joint's name that a reader could not read.
    """
    lines, order = _hierarchy(skeleton)
    starts = np.cumsum([0, *map(len, skeleton.channels)])
    columns = [column for joint in order for column in range(starts[joint], starts[joint + 1])]
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        lines += ["MOTION", f"Frames: {len(numbers)}", f"Frame Time: {frame_time}"]
        stream.write("\n".join(lines) + "\n")
        # Eight decimals keep angles within 1e-8 degrees, more than the single precision of motions holds.
        np.savetxt(stream, numbers[:, columns], fmt="%.8f")


def _hierarchy(skeleton: Skeleton) -> tuple[list[str], list[int]]:
    """Return the lines of the hierarchy, and the joints in the order in which they appear there."""
    lines, order = ["HIERARCHY"], []
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(skeleton.parents):
        children.setdefault(parent, []).append(joint)
    ends: dict[int, list[Offset]] = {}
    for joint, offset in skeleton.ends:
        ends.setdefault(joint, []).append(offset)
    # A stack in place of recursion, whose depth Python limits to about a thousand joints.
    stack: list[tuple[int, int, bool]] = [(root, 0, False) for root in reversed(children.get(-1, []))]
    while stack:
        joint, depth, closes = stack.pop()
        indent = "\t" * min(depth, MAX_INDENT)
        if closes:
            lines.append(indent + "}")
            continue
        order.append(joint)
        lines += [indent + line for line in _joint_lines(skeleton, joint, ends.get(joint, ()))]
        stack.append((joint, depth, True))
        stack += [(child, depth + 1, False) for child in reversed(children.get(joint, []))]
    return lines, order


def _joint_lines(skeleton: Skeleton, joint: int, ends: Sequence[Offset]) -> list[str]:
    name = skeleton.names[joint]
    if not name or " ".join(name.split()) != name or "{" in name.split():
        raise MotionError("bvh", "names of joints without braces and line breaks", short_repr(name))
    channels = [f"{'XYZ'[axis]}{'position' if kind == 'p' else 'rotation'}" for kind, axis in skeleton.channels[joint]]
    lines = [
        f"{'ROOT' if skeleton.parents[joint] < 0 else 'JOINT'} {name}",
        "{",
        f"\t{_offset_line(skeleton.offsets[joint])}",
        f"\tCHANNELS {len(channels)} {' '.join(channels)}",
    ]
    for offset in ends:
        lines += ["\tEnd Site", "\t{", f"\t\t{_offset_line(offset)}", "\t}"]
    return lines


def _offset_line(offset: Offset) -> str:
    return " ".join(["OFFSET", *(np.format_float_positional(value, trim="0") for value in offset)])
