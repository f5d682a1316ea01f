"""Motion to export, and where its joints are."""

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import headmotion as hm
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.representations.joints import Joints

FRAME = hm.UnitSquare(200.0, 160.0, 300.0)
BODY = {
    "type": "joints",
    "names": ["hip", "spine", "left_arm", "right_arm"],
    "parents": [-1, 0, 1, 1],
    "offsets": [[0.1, 1, 0], [0, 0.5, 0.02], [0.3, 0.1, 0], [-0.3, 0.1, 0]],
    "ends": [{"joint": 2, "offset": [0.4, 0, 0]}, {"joint": 3, "offset": [-0.4, 0, 0]}],
    "moving": [2],
}


def built(description: Any) -> Any:
    return resolve_spec("representation", description).build(None)  # type: ignore[attr-defined]


def smooth_motion(description: Any, frames: int = 30, units: str = "px") -> hm.Motion:
    """Smooth motion with a few directions, of which one is small."""
    representation = built(description)
    rng = torch.Generator().manual_seed(1)
    resting_pose = representation.neutral()
    directions = torch.randn(4, *resting_pose.shape, generator=rng) * torch.tensor([0.03, 0.02, 0.01, 1e-4]).view(
        4, 1, 1
    )
    amounts = torch.sin(torch.arange(frames)[:, None] * torch.tensor([0.2, 0.31, 0.47, 0.6]))
    values = resting_pose + torch.einsum("tk,kpd->tpd", amounts, directions)
    if units == "px":
        values = representation.denormalize(values, FRAME)
    frame = FRAME if units == "px" else hm.UnitSquare(0.5, 0.5, 1.0)
    return hm.Motion(values, Fraction(25), representation.spec.model_dump(mode="json"), frame, units, values[0])


def joint_positions(motion: hm.Motion) -> NDArray[np.float64]:
    """Joints and end sites ``[T, J + E, 3]`` where glTF has them."""
    joints = built(motion.representation)
    assert isinstance(joints, Joints)
    world = joints.positions(motion.values.double()).numpy()
    if motion.frame is not None:
        world = (world - np.array([motion.frame.x, motion.frame.y, 0])) / motion.frame.side
    return world * np.array([1, -1, -1])
