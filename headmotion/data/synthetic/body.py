"""The body of a synthetic speaker, who sits and talks: arms beat on accents, the trunk shifts with phrases.

Beats are the strokes that most gestures of speakers are, short and in time with accents (McNeill 1992). Lengths are in
centimeters; angles in degrees about z (to the front), x (to the speaker's left) and y (up), applied in that order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...geometry.rotations import euler_angles_to_matrix
from ...representations.specs import EndSite, JointsSpec
from .face import FPS, idle
from .script import STEPS_PER_SECOND, Curve, Script, smooth

# fmt: off
TRUNK = (
    ("Hips", -1, (0.0, 0.0, 0.0)), ("Spine", 0, (0.0, 12.0, 0.0)), ("Chest", 1, (0.0, 18.0, 0.0)),
    ("Neck", 2, (0.0, 22.0, 0.0)), ("Head", 3, (0.0, 9.0, 2.0)),
)
ARM = (("Shoulder", (3.0, 19.0, 0.0)), ("Arm", (15.0, 0.0, 0.0)), ("ForeArm", (28.0, 0.0, 0.0)),
       ("Hand", (25.0, 0.0, 0.0)))
# fmt: on
HAND, SKULL = 16.0, 20.0
CHEST, FIRST_ARM = 2, len(TRUNK)
SIDES = (("Left", 1.0), ("Right", -1.0))


def skeleton() -> JointsSpec:
    """Hips, trunk, head and two arms, in the pose of a T: 13 joints, three end sites."""
    names, parents, offsets = (list(each) for each in zip(*TRUNK, strict=True))
    ends = [EndSite(joint=names.index("Head"), offset=(0.0, SKULL, 0.0))]
    for side, sign in SIDES:
        for number, (part, (x, y, z)) in enumerate(ARM):
            parents.append(len(names) - 1 if number else CHEST)
            names.append(side + part)
            offsets.append((sign * x, y, z))
        ends.append(EndSite(joint=len(names) - 1, offset=(sign * HAND, 0.0, 0.0)))
    return JointsSpec(names=tuple(names), parents=tuple(parents), offsets=tuple(offsets), ends=tuple(ends))


@dataclass(frozen=True, eq=False)
class Manner:
    """What makes one speaker's gestures differ from another's."""

    lively: float
    """Amount of all motion, 1 on average."""
    reach: float
    """Degrees by which an elbow opens for a full beat."""
    left: float
    """Chance that a phrase is the left hand's; that of the right is as much less than 0.75, the rest is both hands'."""
    apart: float
    """Degrees of the upper arms from the trunk."""
    bent: float
    """Degrees of the elbows at rest."""


@dataclass(frozen=True, eq=False)
class Gesture:
    """What the body does at each frame, before it becomes rotations. All are truth for tests and metrics."""

    beat: Curve
    """``[T]``: raised before an accent, struck down on it; about 1 at a full one."""
    hands: Curve
    """``[T, 2]``: how much of the beat the left and the right arm take."""
    posture: Curve
    """``[T, 3]`` degrees of the trunk: to the side, forward, turned."""
    nod: Curve
    """``[T]`` degrees of the head, down."""
    turns: Curve
    """``[T, J, 3]`` degrees of each joint about z, x, y."""


def make_manner(rng: np.random.Generator) -> Manner:
    """A random speaker."""
    return Manner(
        lively=float(np.exp(rng.normal(0, 0.3))),
        reach=rng.uniform(22, 40),
        left=rng.uniform(0.1, 0.65),
        apart=rng.uniform(10, 26),
        bent=rng.uniform(70, 100),
    )


def gesticulate(rng: np.random.Generator, script: Script, manner: Manner) -> Gesture:
    """Beats and nods from the accents, posture and hands from the phrases, idle motion from chance alone."""
    count, frames = len(script.index), slice(0, None, STEPS_PER_SECOND // FPS)
    phrases = script.segments[-2].phrase + 2
    phrase = np.maximum.accumulate(script.steps([float(s.phrase) for s in script.segments]).astype(int)) + 1
    beat = _beat(script)
    hands = _settled(_hands(rng, manner, phrases), phrase, 0.15)
    posture = _settled(rng.normal(0, 1, (phrases, 3)) * (3.0, 4.0, 6.0), phrase, 0.22)
    posture += np.stack([idle(rng, count, 2.5, size) for size in (0.8, 0.8, 1.2)], axis=1)
    nod = 6.0 * script.accent - 3.0 * script.phrase + idle(rng, count, 1.5, 1.2)
    sway = np.stack([idle(rng, count, 1.8, 2.0) for _ in range(4)], axis=1).reshape(count, 2, 2)
    parts = [beat, hands, posture * manner.lively, nod * manner.lively, sway * manner.lively]
    beat, hands, posture, nod, sway = (each[frames] for each in parts)
    return Gesture(beat, hands, posture, nod, _turns(beat, hands, posture, nod, sway, manner))


def rotations_of(turns: Curve) -> Curve:
    """Return the rotations ``[T, J, 3, 3]`` of angles ``[T, J, 3]`` (degrees)."""
    return np.asarray(euler_angles_to_matrix(torch.from_numpy(np.radians(turns)), "ZXY").numpy())


def _beat(script: Script) -> Curve:
    """Up 0.16 s before each accent, down on it."""
    ahead = round(0.16 * STEPS_PER_SECOND)
    raised = np.concatenate([script.accent[ahead:], np.zeros(ahead)])
    return smooth(raised - 0.6 * script.accent, 0.03)


def _hands(rng: np.random.Generator, manner: Manner, phrases: int) -> Curve:
    """Shares of the left and the right hand, ``[phrases, 2]``."""
    choices = np.array([(1.0, 0.15), (0.15, 1.0), (1.0, 1.0)])
    return np.asarray(choices[rng.choice(3, size=phrases, p=(manner.left, 0.75 - manner.left, 0.25))])


def _settled(values: Curve, phrase: npt.NDArray[np.intp], seconds: float) -> Curve:
    """Values ``[phrases, K]`` that each phrase takes on, as curves ``[N, K]``."""
    return np.stack([smooth(column[phrase], seconds) for column in values.T], axis=1)


def _turns(beat: Curve, hands: Curve, posture: Curve, nod: Curve, sway: Curve, manner: Manner) -> Curve:
    turns = np.zeros((len(beat), FIRST_ARM + len(SIDES) * len(ARM), 3))
    for joint, share in ((0, 0.2), (1, 0.4), (CHEST, 0.4)):
        turns[:, joint] = share * posture
    turns[:, 1, 1] += 1.5 * manner.lively * beat
    turns[:, FIRST_ARM - 2, 1], turns[:, FIRST_ARM - 1, 1] = 0.3 * nod, 0.7 * nod
    turns[:, FIRST_ARM - 1, 2] = -0.4 * posture[:, 2]
    for number, (_, sign) in enumerate(SIDES):
        shoulder, arm, forearm, hand = range(FIRST_ARM + number * len(ARM), FIRST_ARM + (number + 1) * len(ARM))
        stroke = manner.lively * beat * hands[:, number]
        turns[:, shoulder, 0] = sign * 3.0 * stroke
        turns[:, arm, 0] = sign * (manner.apart - 90 + 9 * stroke + sway[:, number, 0])
        turns[:, arm, 2] = -sign * (12 * stroke + sway[:, number, 1])
        turns[:, forearm, 2] = -sign * (manner.bent + manner.reach * stroke)
        turns[:, hand, 0] = sign * 14 * stroke
    return turns
