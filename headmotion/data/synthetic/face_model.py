"""The face of a synthetic speaker: 68 landmarks of one person, and how a camera sees them.

Lengths are in outer-eye distances of the neutral face. Axes: x right, y down, z away from the viewer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from .curves import Curve
from .head_path import NECK, head_rotations

VIEW_DISTANCE = 9.0
"""Distance of the camera."""
UPPER_LIP, LOWER_LIP = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
LIPS, JAW, BROWS = slice(48, 68), slice(0, 17), slice(17, 27)
CORNERS = (48, 54, 60, 64)
"""Corners of the mouth."""
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
"""Upper and lower lid at four places."""


@dataclass(frozen=True, eq=False)
class FaceIdentity:
    """What makes one face, and its habits, differ from another."""

    neutral: Curve
    """Neutral face ``[68, 3]``."""
    max_opening: float
    """Lip opening of the widest vowel."""
    liveliness: float
    """Amount of head motion, 1 on average."""
    usual_yaw_deg: float
    """How far the person looks past the camera."""


def make_face_identity(rng: np.random.Generator) -> FaceIdentity:
    """Return a random variation of the neutral face."""
    text = (files("headmotion.representations") / "landmarks68_neutral.json").read_text("utf-8")
    face = np.array(json.loads(text))
    # The origin is between the eyes, the unit their distance.
    face = (face - (face[36] + face[45]) / 2) / (face[45, 0] - face[36, 0])
    x, y, _ = face.T
    mouth = y[60]
    below_nose = np.clip((y - y[33]) / (y[8] - y[33]), 0, 1)
    # Heights of mouth and eyes, about their lines.
    for outline, line in (((*range(48, 60),), y[60]), ((*range(36, 42),), y[36]), ((*range(42, 48),), y[42])):
        members = list(outline)
        y[members] = line + (y[members] - line) * rng.uniform(0.75, 1.3)
    x[48:] *= rng.uniform(0.88, 1.12)
    y[17:27] += rng.normal(0, 0.03)
    # Jaws differ in width, temples hardly.
    x[:17] *= 1 + rng.uniform(-0.1, 0.06) * below_nose[:17]
    y += (y - mouth) * (y > mouth) * rng.uniform(-0.15, 0.2)
    face = face * [rng.uniform(0.95, 1.05), rng.uniform(0.93, 1.09), rng.uniform(0.85, 1.15)]
    # Not the inner lips, which would cross.
    face[:60] += rng.normal(0, 0.004, (60, 3))
    return FaceIdentity(
        neutral=np.asarray(face),
        max_opening=rng.uniform(0.14, 0.24),
        liveliness=float(np.exp(rng.normal(0, 0.35))),
        usual_yaw_deg=rng.normal(0, 9),
    )


def jaw_share(neutral: Curve) -> Curve:
    """Return how much ``[17]``, 0..1, each landmark of the jaw line follows the chin, in a face ``[68, 3]``."""
    return np.asarray(np.clip((neutral[JAW, 1] - neutral[33, 1]) / (neutral[8, 1] - neutral[33, 1]), 0, 1))


def close_eyes(faces: Curve, blink: Curve) -> None:
    """Lower the upper lids of faces ``[T, 68, 3]`` in place by ``blink`` ``[T]``: 0 open, 1 closed."""
    for upper, lower in LIDS:
        faces[:, upper] += (faces[:, lower] - faces[:, upper]) * 0.92 * blink[:, None]


def project_faces(rng: np.random.Generator, faces: Curve, pose: Curve) -> npt.NDArray[np.float32]:
    """Return faces as a camera at a random place sees them, with a detector's noise.

    Args:
        rng: source of randomness.
        faces: ``[T, 68, 3]``, looking straight ahead.
        pose: ``[T, 6]``: yaw, pitch, roll in degrees, and shift along x, y, z.

    Returns:
        Landmarks ``[T, 68, 3]`` in pixels of a 256-pixel picture.
    """
    yaw, pitch, roll = np.radians(pose[:, :3].T)
    points = (faces - NECK) @ head_rotations(yaw, pitch, roll).transpose(0, 2, 1) + NECK + pose[:, None, 3:]
    # A perspective view: what is nearer looks larger.
    points[..., :2] *= VIEW_DISTANCE / (VIEW_DISTANCE + points[..., 2:])
    points += rng.normal(0, 0.0012, points.shape)
    size_px = rng.uniform(52, 82)
    origin = [128 + rng.normal(0, 8), 128 - 0.55 * size_px + rng.normal(0, 6), 0]
    return np.asarray(points * size_px + origin, np.float32)
