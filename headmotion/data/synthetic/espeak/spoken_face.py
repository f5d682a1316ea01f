"""The motion of a face that articulates: lips, jaw, brows and lids, before the head moves.

Lengths and axes are those of `face_model`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..curves import FPS, FRAMES, STEPS_PER_SECOND, Curve, blink_curve, idle_motion
from ..face_model import BROWS, CORNERS, JAW, LIPS, LOWER_LIP, UPPER_LIP, FaceIdentity, close_eyes, jaw_share
from ..head_path import AXES, HeadPath, prosodic_drives
from ..prosody import Prosody
from .coarticulation import Articulation

FORWARD, INWARD, PRESS = 0.08, 0.03, 0.12
"""Protrusion of a u and tuck of the lower lip in eye distances; how much thinner pressed lips are."""
JAW_SHARE = 0.45
"""Drop of the chin relative to the opening of the lips in the widest vowel."""
DEPTH_NOISE = 0.04
"""Idle motion along the line of sight."""
USUAL_POSE_DEG = 3.0
"""Spread of the pitch and roll around which people hold their heads."""


@dataclass(frozen=True, eq=False)
class SpokenFaceMotion:
    """The motion of a face in ``T`` frames: the ground truth of its landmarks."""

    mouth: Articulation
    brows: Curve
    """Height ``[T]`` of the brows above rest."""
    blink: Curve
    """Eyes ``[T]``: 0 open, 1 closed."""
    head: HeadPath
    """Rotations and shifts around the usual pose."""


def animate_spoken_face(
    rng: np.random.Generator, mouth: Articulation, speech: Prosody, head: HeadPath, identity: FaceIdentity
) -> SpokenFaceMotion:
    """Return the motion of the whole face: brows follow the melody's accents, blinks and idle motion follow nothing.

    Args:
        rng: source of blinks and idle motion.
        mouth: curves of the mouth.
        speech: loudness and pitch.
        head: motion of the head.
        identity: whose face it is.
    """
    steps = len(head) * STEPS_PER_SECOND // FPS
    accents = prosodic_drives(speech)[AXES.index("yaw"), :, 0]
    brows = 0.12 * identity.liveliness * np.clip(accents, 0, 0.5) + idle_motion(rng, steps, 1.0, 0.012)[FRAMES]
    return SpokenFaceMotion(mouth, brows, blink_curve(rng, steps)[FRAMES], head)


def pose_spoken_faces(motion: SpokenFaceMotion, identity: FaceIdentity) -> Curve:
    """Return the faces ``[T, 68, 3]`` of a motion, looking straight ahead."""
    mouth = motion.mouth
    face = np.repeat(identity.neutral[None], len(mouth.opening), axis=0)
    x, y, z = (face[..., axis] for axis in range(3))
    center, line, half_width = x[0, 62], y[0, 62], (x[0, 54] - x[0, 48]) / 2
    # Lips open most in the middle, and not at all at the corners.
    reach = 1 - np.clip(((identity.neutral[:, 0] - center) / half_width) ** 2, 0, 1)
    opening, width, protrusion, jaw, closure, tuck = (
        curve[:, None] for curve in (mouth.opening, mouth.width, mouth.protrusion, mouth.jaw, mouth.closure, mouth.tuck)
    )
    gap = identity.max_opening * opening
    y[:, 48:60] = line + (y[:, 48:60] - line) * (1 + 0.12 * protrusion - PRESS * closure)
    x[:, LIPS] = center + (x[:, LIPS] - center) * (1 + width + 0.2 * gap)
    z[:, LIPS] -= FORWARD * protrusion
    y[:, UPPER_LIP] -= 0.22 * gap * reach[list(UPPER_LIP)]
    y[:, LOWER_LIP] += 0.78 * gap * reach[list(LOWER_LIP)]
    z[:, LOWER_LIP] += INWARD * tuck * reach[list(LOWER_LIP)]
    y[:, CORNERS] += 0.2 * gap
    y[:, JAW] += JAW_SHARE * identity.max_opening * jaw * jaw_share(identity.neutral)
    y[:, BROWS] -= motion.brows[:, None]
    close_eyes(face, motion.blink)
    return np.asarray(face)


def spoken_head_pose(rng: np.random.Generator, head: HeadPath, identity: FaceIdentity) -> Curve:
    """Return the head as ``[T, 6]`` around a usual pose: yaw, pitch, roll in degrees, and shift along x, y, z."""
    steps = len(head) * STEPS_PER_SECOND // FPS
    depth = idle_motion(rng, steps, 2.0, DEPTH_NOISE)[FRAMES]
    rotations = np.degrees(np.stack([head.yaw, head.pitch, head.roll], axis=1))
    usual_pose = np.array([identity.usual_yaw_deg, *rng.normal(0, USUAL_POSE_DEG, 2)])
    return np.concatenate([rotations + usual_pose, np.stack([head.x, head.y, depth], axis=1)], axis=1)
