"""The motion of a synthetic face: lips follow the phones, and the head follows the prosody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curves import FRAMES, Curve, blink_curve, idle_motion, smooth
from .face_model import BROWS, CORNERS, JAW, LIPS, LOWER_LIP, UPPER_LIP, FaceIdentity, close_eyes, jaw_share
from .script import Script


@dataclass(frozen=True, eq=False)
class FaceMotion:
    """The motion of a face in ``T`` frames, before it becomes landmarks: ground truth for tests and metrics."""

    opening: Curve
    """Distance ``[T]`` of the inner lips at the middle."""
    spread: Curve
    """Mouth width ``[T]`` relative to rest."""
    brows: Curve
    """Height ``[T]`` of the brows above rest."""
    blink: Curve
    """Eyes ``[T]``: 0 open, 1 closed."""
    pose: Curve
    """Head ``[T, 6]``: yaw, pitch (down), roll in degrees, and shift along x, y, z."""


def animate_face(rng: np.random.Generator, script: Script, identity: FaceIdentity) -> FaceMotion:
    """Return the motion of a face: lips by the phones, brows and head by the prosody, the rest by chance.

    Args:
        rng: source of blinks and idle motion.
        script: what is said.
        identity: whose face it is.
    """
    count = len(script.index)
    opening, spread = _lips(script, identity)
    brows = 0.06 * identity.liveliness * script.accent + idle_motion(rng, count, 1.0, 0.012)
    return FaceMotion(
        opening=opening[FRAMES],
        spread=(spread + idle_motion(rng, count, 2.0, 0.03))[FRAMES],
        brows=brows[FRAMES],
        blink=blink_curve(rng, count)[FRAMES],
        pose=_head_pose(rng, script, identity)[FRAMES],
    )


def pose_faces(motion: FaceMotion, identity: FaceIdentity) -> Curve:
    """Return the faces ``[T, 68, 3]`` of a motion, looking straight ahead."""
    face = np.repeat(identity.neutral[None], len(motion.opening), axis=0)
    x, y, z = (face[..., axis] for axis in range(3))
    center, half_width = x[0, 62], (x[0, 54] - x[0, 48]) / 2
    line = y[0, 62]
    # Lips open most in the middle, and not at all at the corners.
    reach = 1 - ((identity.neutral[:, 0] - center) / half_width) ** 2
    spread, opening = motion.spread[:, None], motion.opening[:, None]
    rounding = np.clip(-spread, 0, None)
    y[:, 48:60] = line + (y[:, 48:60] - line) * (1 + 0.5 * rounding)
    x[:, LIPS] = center + (x[:, LIPS] - center) * (1 + spread)
    z[:, LIPS] -= 0.4 * rounding
    y[:, UPPER_LIP] -= 0.22 * opening * reach[list(UPPER_LIP)]
    y[:, LOWER_LIP] += 0.78 * opening * reach[list(LOWER_LIP)]
    y[:, CORNERS] += 0.2 * opening
    y[:, JAW] += 0.45 * opening * jaw_share(identity.neutral)
    y[:, BROWS] -= motion.brows[:, None]
    close_eyes(face, motion.blink)
    return np.asarray(face)


def _lips(script: Script, identity: FaceIdentity) -> tuple[Curve, Curve]:
    """Return opening and spread ``[N]``: targets of the phones, blended by how strongly lips follow each.

    Coming phones count earlier than past ones linger.
    """
    segments = script.segments
    hold = script.steps([s.phone.hold for s in segments])
    target = script.steps([s.phone.opening * (1 + 0.35 * s.stress) for s in segments])
    opening = identity.max_opening * smooth(hold * target, 0.03, ahead=0.06) / smooth(hold, 0.03, ahead=0.06)
    closed = smooth(script.steps([float(s.phone.closes) for s in segments]), 0.012)
    silent = script.steps([float(s.phone.kind == "silence") for s in segments])
    # Lips part about 0.1 s before the voice.
    silent[:-20] = np.minimum(silent[:-20], silent[20:])
    # More than 1, so that a contact lasts and is complete although it is blurred.
    opening *= (1 - np.clip(1.3 * closed, 0, 1)) * (1 - np.clip(1.15 * smooth(silent, 0.04), 0, 1))
    spread = smooth(hold * script.steps([s.phone.spread for s in segments]), 0.05, ahead=0.08)
    return opening, spread / smooth(hold, 0.05, ahead=0.08) + 0.3 * opening


def _head_pose(rng: np.random.Generator, script: Script, identity: FaceIdentity) -> Curve:
    """Return the pose ``[N, 6]``: nods on accents, a slow fall and a new posture per phrase, idle motion."""
    count = len(script.index)
    postures = rng.normal(0, 1, (script.segments[-2].phrase + 2, 3)) * (4.5, 3.5, 4.5)
    phrase = script.steps([float(s.phrase) for s in script.segments]).astype(int)
    # A posture stays through the pause after its phrase.
    posture = np.maximum.accumulate(phrase) + 1
    pose = np.stack([smooth(postures[posture, k], 0.18) for k in range(3)], axis=1)
    pose[:, 1] += 7.5 * script.accent - 4.5 * script.phrase
    pose += np.stack([idle_motion(rng, count, 1.5, size) for size in (1.8, 1.5, 1.3)], axis=1)
    shift = np.stack([idle_motion(rng, count, 2.0, size) for size in (0.04, 0.03, 0.05)], axis=1)
    shift[:, 2] -= 0.10 * script.accent
    pose[:, 0] += identity.usual_yaw_deg / identity.liveliness
    return np.concatenate([pose, shift], axis=1) * identity.liveliness
