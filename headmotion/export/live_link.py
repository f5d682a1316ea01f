"""Blend shapes in the table of Epic's app Live Link Face, which importers for Unreal, Maya and Blender read.

Columns: ``Timecode`` (``HH:MM:SS:FF.fff``: hours to frames and thousandths of a frame), ``BlendShapeCount`` (61), the
52 blend shapes, then nine angles of head and eyes. A motion of blend shapes has no angles, so they are 0.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.motion import Motion

_EYE_SHAPES = ("EyeBlink", "EyeLookDown", "EyeLookIn", "EyeLookOut", "EyeLookUp", "EyeSquint", "EyeWide")
_MOUTH_SHAPES = ("Smile", "Frown", "Dimple", "Stretch")
SHAPES = (
    *(f"{part}{side}" for side in ("Left", "Right") for part in _EYE_SHAPES),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *(f"Mouth{part}{side}" for part in _MOUTH_SHAPES for side in ("Left", "Right")),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *(f"Mouth{part}{side}" for part in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
)
"""ARKit's blend shapes in the order of the app's files, in which right precedes left for jaw and mouth."""
ANGLES = tuple(f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))
HEADER = ("Timecode", "BlendShapeCount", *SHAPES, *ANGLES)


def write_live_link(motion: Motion, representation: Representation, path: Path) -> None:
    """Write values with all their digits, at the motion's own rate.

    Raises:
        MotionError: the representation lacks one of ARKit's 52 blend shapes.
    """
    # Letters differ in case between ARKit's names and the app's.
    index = {name.lower(): k for k, name in enumerate(representation.point_names)}
    if representation.dims != 1 or any(name.lower() not in index for name in SHAPES):
        got = f"a motion of {representation.name}"
        remedy = "convert it with motion.to('blendshapes'), or --to blendshapes of headmotion export"
        raise MotionError("live-link export", "blend shapes with ARKit's names", got, remedy)
    values = motion.values[:, [index[name.lower()] for name in SHAPES], 0].tolist()
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(HEADER)
        for stamp, row in zip(motion.timestamps(), values, strict=True):
            shapes = [f"{value:.9g}" for value in row]
            table.writerow([timecode(stamp, motion.fps), len(SHAPES) + len(ANGLES), *shapes, *["0"] * len(ANGLES)])


def timecode(stamp: Fraction, fps: Fraction) -> str:
    """Return a time as ``HH:MM:SS:FF.fff``.

    Args:
        stamp: exact seconds.
        fps: frames per second; a time code counts as many frames per second as the nearest whole number.
    """
    per_second = max(1, round(fps))
    thousandths = round(stamp * per_second * 1000)
    seconds, remainder = divmod(thousandths, per_second * 1000)
    frame, fraction = divmod(remainder, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.{fraction:03}"
