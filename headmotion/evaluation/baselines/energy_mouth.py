"""A mouth that opens as far as it is loud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from typing_extensions import override

from ...core.interfaces.representation import Representation
from ...core.motion import Motion
from ...media.audio import Wave
from ...media.loudness import power_db
from ..eval_clip import Case
from ..motion_source import Source
from .context import Setting, cannot

FLOOR_DB = -80.0
"""Nothing is quieter."""
GAIN = 0.005
"""Opening per dB, in distances of the scale pair."""


class EnergyMouth(Source):
    """The first pose, whose lower lip goes down by so much per dB above the clip's quietest frame."""

    name = "energy-mouth"
    protocol: Mapping[str, Any] = {"floor_db": FLOOR_DB, "gain_scale_per_db": GAIN}

    def __init__(self, setting: Setting) -> None:
        self.representation = setting.clips.representation
        if not self.representation.openings.get("mouth"):
            raise cannot(self.name, "a representation with a mouth that opens", self.representation.name)

    @override
    def motion(self, case: Case) -> Motion:
        level = torch.from_numpy(level_db(case.speech, len(case.real)))
        amount = GAIN * (level - level.min())
        lower = lowering(case.reference, self.representation)
        return case.moved(case.reference + amount.float()[:, None, None] * lower)


def level_db(speech: Wave, frames: int) -> npt.NDArray[np.float64]:
    """Level ``[T]`` of the speech of each frame, in dB of full scale, `FLOOR_DB` at least."""
    size = len(speech) // frames
    pieces = speech[: size * frames].reshape(frames, size)
    return power_db(np.square(pieces, dtype=np.float64).mean(1), FLOOR_DB)


def lowering(pose: Tensor, representation: Representation) -> Tensor:
    """Displacement ``[P, D]`` that opens the mouth of a pose ``[P, D]`` by one distance of the scale pair.

    The lower points of the opening go down, away from the middle of the scale pair; what else of the lips lies lower
    than they do goes with them, less towards the corners.
    """
    points = representation.to_points2d(pose).double()
    pairs = representation.openings["mouth"]
    upper, lower = ([pair[side] for pair in pairs] for side in (0, 1))
    middle, eyes = points[[*upper, *lower]].mean(dim=0), points[list(representation.scale_pair)].mean(dim=0)
    down = middle - eyes
    down = down / down.norm() if float(down.norm()) > 0 else torch.tensor([0.0, 1.0]).double()
    along = (points - middle) @ down
    across = (points - middle) @ down.flip(0).mul(torch.tensor([1.0, -1.0]).double())
    lips = [*representation.groups.get("lips", ()), *lower]
    below = [point for point in lips if point in lower or float(along[point]) > float(along[lower].max())]
    half = float(across[lips].abs().max())
    weight = (1 - (across / half).square()).clamp(min=0) if half > 0 else torch.ones(len(points)).double()
    weight[lower] = 1.0
    size = (points[representation.scale_pair[0]] - points[representation.scale_pair[1]]).norm()
    result = torch.zeros_like(pose)
    result[below, :2] = (weight[below, None] * size * down).to(pose.dtype)
    return result
