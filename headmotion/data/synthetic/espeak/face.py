"""The face of a speaker who articulates: lips, jaw, brows and lids, before the head moves.

Lengths and axes are those of `headmotion.data.synthetic.face`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..face import FPS, LOWER_LIP, UPPER_LIP, Person, blinks, close_eyes, idle
from ..head_path import AXES, HeadPath, drives
from ..prosody import Prosody
from ..script import STEPS_PER_SECOND
from .coarticulation import Articulation, Curve

LIPS, JAW, BROWS = slice(48, 68), slice(0, 17), slice(17, 27)
CORNERS = (48, 54, 60, 64)
FORWARD, INWARD, PRESS = 0.08, 0.03, 0.12
"""Protrusion of a u and tuck of the lower lip in eye distances; how much thinner pressed lips are."""
JAW_SHARE = 0.45
"""Drop of the chin relative to the opening of the lips in the widest vowel."""
TOWARD = 0.04
"""Idle motion along the line of sight."""
USUAL_DEG = 3.0
"""Spread of the pitch and roll around which people hold their heads."""


@dataclass(frozen=True, eq=False)
class Performance:
    """All that a face does in ``T`` frames: the truth behind its landmarks."""

    mouth: Articulation
    brows: Curve
    """Height ``[T]`` of the brows above rest."""
    blink: Curve
    """Eyes ``[T]``: 0 open, 1 closed."""
    head: HeadPath
    """Turns and shifts around the usual pose."""


def perform(
    chance: np.random.Generator, mouth: Articulation, heard: Prosody, head: HeadPath, person: Person
) -> Performance:
    """The whole face: brows follow the melody's accents, blinks and small idle motion follow nothing."""
    steps = len(head) * STEPS_PER_SECOND // FPS
    frames = slice(0, None, STEPS_PER_SECOND // FPS)
    accents = drives(heard)[AXES.index("yaw"), :, 0]
    brows = 0.12 * person.lively * np.clip(accents, 0, 0.5) + idle(chance, steps, 1.0, 0.012)[frames]
    return Performance(mouth, brows, blinks(chance, steps)[frames], head)


def faces(performance: Performance, person: Person) -> Curve:
    """Faces ``[T, 68, 3]`` that look straight ahead."""
    mouth = performance.mouth
    face = np.repeat(person.face[None], len(mouth.opening), axis=0)
    x, y, z = (face[..., axis] for axis in range(3))
    center, line, half = x[0, 62], y[0, 62], (x[0, 54] - x[0, 48]) / 2
    reach = 1 - np.clip(((person.face[:, 0] - center) / half) ** 2, 0, 1)
    opening, width, protrusion, jaw, closure, tuck = (
        curve[:, None] for curve in (mouth.opening, mouth.width, mouth.protrusion, mouth.jaw, mouth.closure, mouth.tuck)
    )
    gap = person.gain * opening
    y[:, 48:60] = line + (y[:, 48:60] - line) * (1 + 0.12 * protrusion - PRESS * closure)
    x[:, LIPS] = center + (x[:, LIPS] - center) * (1 + width + 0.2 * gap)
    z[:, LIPS] -= FORWARD * protrusion
    y[:, UPPER_LIP] -= 0.22 * gap * reach[list(UPPER_LIP)]
    y[:, LOWER_LIP] += 0.78 * gap * reach[list(LOWER_LIP)]
    z[:, LOWER_LIP] += INWARD * tuck * reach[list(LOWER_LIP)]
    y[:, CORNERS] += 0.2 * gap
    low = np.clip((person.face[JAW, 1] - person.face[33, 1]) / (person.face[8, 1] - person.face[33, 1]), 0, 1)
    y[:, JAW] += JAW_SHARE * person.gain * jaw * low
    y[:, BROWS] -= performance.brows[:, None]
    close_eyes(face, performance.blink)
    return np.asarray(face)


def head_pose(chance: np.random.Generator, head: HeadPath, person: Person) -> Curve:
    """The head as ``[T, 6]``: yaw, pitch, roll in degrees, shift along x, y, z; around a usual pose."""
    steps = len(head) * STEPS_PER_SECOND // FPS
    toward = idle(chance, steps, 2.0, TOWARD)[:: STEPS_PER_SECOND // FPS]
    turns = np.degrees(np.stack([head.yaw, head.pitch, head.roll], axis=1))
    usual = np.array([person.turn, *chance.normal(0, USUAL_DEG, 2)])
    return np.concatenate([turns + usual, np.stack([head.x, head.y, toward], axis=1)], axis=1)
