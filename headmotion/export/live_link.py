"""Blend shapes in the table that Epic's app Live Link Face records, as importers for Unreal, Maya and Blender read it.

Columns: ``Timecode`` (``HH:MM:SS:FF.fff``: hours to frames and thousandths of one), ``BlendShapeCount`` (61), the 52
blend shapes, then nine angles of head and eyes, which a motion of blend shapes does not have and which are 0.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.motion import Motion

_EYE = ("EyeBlink", "EyeLookDown", "EyeLookIn", "EyeLookOut", "EyeLookUp", "EyeSquint", "EyeWide")
_MOUTH = ("Smile", "Frown", "Dimple", "Stretch")
SHAPES = (
    *(f"{part}{side}" for side in ("Left", "Right") for part in _EYE),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *(f"Mouth{part}{side}" for part in _MOUTH for side in ("Left", "Right")),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *(f"Mouth{part}{side}" for part in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
)
"""ARKit's blend shapes in the order of the app's files, which puts right before left for jaw and mouth."""
ANGLES = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll"))
HEADER = ("Timecode", "BlendShapeCount", *SHAPES, *ANGLES)


def write_live_link(motion: Motion, representation: Representation, path: Path) -> None:
    """Values with all their digits, at the motion's own rate.

    Raises:
        MotionError: the representation has not one number for each of ARKit's 52 names.
    """
    place = {name.lower(): k for k, name in enumerate(representation.point_names)}
    if representation.dims != 1 or any(name.lower() not in place for name in SHAPES):
        got = f"a motion of {representation.name}"
        raise MotionError("live-link export", "blend shapes with ARKit's names", got, "motion.to('blendshapes')")
    values = motion.values[:, [place[name.lower()] for name in SHAPES], 0].tolist()
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(HEADER)
        for stamp, row in zip(motion.timestamps(), values, strict=True):
            shapes = [f"{value:.9g}" for value in row]
            table.writerow([timecode(stamp, motion.fps), len(SHAPES) + len(ANGLES), *shapes, *["0"] * len(ANGLES)])


def timecode(stamp: Fraction, fps: Fraction) -> str:
    """Exact seconds as ``HH:MM:SS:FF.fff``, with as many frames to the second as the rate's nearest whole number."""
    per_second = max(1, round(fps))
    thousandths = round(stamp * per_second * 1000)
    seconds, rest = divmod(thousandths, per_second * 1000)
    frame, part = divmod(rest, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}.{part:03}"
