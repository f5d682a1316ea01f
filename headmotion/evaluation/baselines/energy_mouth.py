"""A mouth that opens with the level of the speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor
from typing_extensions import override

from ...core.interfaces.representation import Representation
from ...core.motion import Motion
from ...media.audio import Wave
from ...media.loudness import power_db
from ..eval_clip import EvalClip
from ..motion_source import MotionSource
from .context import BaselineContext, unavailable

FLOOR_DB = -80.0
"""Level of silence."""
GAIN = 0.005
"""Opening per dB, in distances of the scale pair."""


class EnergyMouth(MotionSource):
    """The first pose, whose lower lip moves down in proportion to the level above the clip's quietest frame (dB)."""

    name = "energy-mouth"
    protocol: Mapping[str, Any] = {"floor_db": FLOOR_DB, "gain_scale_per_db": GAIN}

    def __init__(self, context: BaselineContext) -> None:
        self.representation = context.split.representation
        if not self.representation.openings.get("mouth"):
            raise unavailable(self.name, "a representation with a mouth that opens", self.representation.name)

    @override
    def motion(self, clip: EvalClip) -> Motion:
        level = torch.from_numpy(level_db(clip.speech, len(clip.real)))
        # Relative to the clip's quietest frame, so that the mouth is closed in pauses at any recording level.
        amount = GAIN * (level - level.min())
        lower = lip_displacement(clip.reference, self.representation)
        return clip.to_motion(clip.reference + amount.float()[:, None, None] * lower)


def level_db(speech: Wave, frames: int) -> npt.NDArray[np.float64]:
    """Return the level ``[T]`` of the speech of each frame, in dB of full scale, `FLOOR_DB` for silence."""
    size = len(speech) // frames
    samples = rearrange(speech[: size * frames], "(t s) -> t s", t=frames)
    return power_db(np.square(samples, dtype=np.float64).mean(1), FLOOR_DB)


def lip_displacement(pose: Tensor, representation: Representation) -> Tensor:
    """Return the displacement ``[P, D]`` that opens the mouth of a pose ``[P, D]`` by one distance of the scale pair.

    The lower points of the opening move down, away from the center of the scale pair. Other points of the lips that
    are below them move too, less toward the corners.
    """
    points = representation.to_points2d(pose).double()
    pairs = representation.openings["mouth"]
    upper, lower = ([pair[side] for pair in pairs] for side in (0, 1))
    mouth, eyes = points[[*upper, *lower]].mean(dim=0), points[list(representation.scale_pair)].mean(dim=0)
    down = mouth - eyes
    # Down in the face, which may be tilted in the picture.
    down = down / down.norm() if float(down.norm()) > 0 else torch.tensor([0.0, 1.0]).double()
    along = (points - mouth) @ down
    across = (points - mouth) @ down.flip(0).mul(torch.tensor([1.0, -1.0]).double())
    lips = [*representation.groups.get("lips", ()), *lower]
    moving = [point for point in lips if point in lower or float(along[point]) > float(along[lower].max())]
    half_width = float(across[lips].abs().max())
    # A parabola over the width of the mouth, 1 in the middle and 0 at the corners.
    weight = (1 - (across / half_width).square()).clamp(min=0) if half_width > 0 else torch.ones(len(points)).double()
    weight[lower] = 1.0
    scale = (points[representation.scale_pair[0]] - points[representation.scale_pair[1]]).norm()
    result = torch.zeros_like(pose)
    result[moving, :2] = (weight[moving, None] * scale * down).to(pose.dtype)
    return result
