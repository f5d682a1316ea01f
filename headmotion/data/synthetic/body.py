"""The body of a synthetic speaker, who sits and talks: arms beat on accents, the trunk shifts with phrases.

Most gestures of speakers are beats: short strokes in time with accents (McNeill 1992). Lengths are in centimeters;
angles are in degrees about z (to the front), x (to the speaker's left) and y (up), applied in that order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...representations.specs import EndSite, JointsSpec
from .curves import FRAMES, STEPS_PER_SECOND, Curve, idle_motion, smooth
from .script import Script

# fmt: off
TRUNK = (
    ("Hips", -1, (0.0, 0.0, 0.0)), ("Spine", 0, (0.0, 12.0, 0.0)), ("Chest", 1, (0.0, 18.0, 0.0)),
    ("Neck", 2, (0.0, 22.0, 0.0)), ("Head", 3, (0.0, 9.0, 2.0)),
)
ARM = (("Shoulder", (3.0, 19.0, 0.0)), ("Arm", (15.0, 0.0, 0.0)), ("ForeArm", (28.0, 0.0, 0.0)),
       ("Hand", (25.0, 0.0, 0.0)))
# fmt: on
HAND_LENGTH, SKULL_HEIGHT = 16.0, 20.0
CHEST, FIRST_ARM = 2, len(TRUNK)
SIDES = (("Left", 1.0), ("Right", -1.0))


def skeleton() -> JointsSpec:
    """Return hips, trunk, head and two arms in the pose of a T: 13 joints, three end sites."""
    names, parents, offsets = (list(column) for column in zip(*TRUNK, strict=True))
    ends = [EndSite(joint=names.index("Head"), offset=(0.0, SKULL_HEIGHT, 0.0))]
    for side, sign in SIDES:
        for number, (part, (x, y, z)) in enumerate(ARM):
            parents.append(len(names) - 1 if number else CHEST)
            names.append(side + part)
            offsets.append((sign * x, y, z))
        ends.append(EndSite(joint=len(names) - 1, offset=(sign * HAND_LENGTH, 0.0, 0.0)))
    return JointsSpec(names=tuple(names), parents=tuple(parents), offsets=tuple(offsets), ends=tuple(ends))


@dataclass(frozen=True, eq=False)
class GestureStyle:
    """What makes one speaker's gestures differ from another's."""

    liveliness: float
    """Amount of all motion, 1 on average."""
    elbow_stroke_deg: float
    """How far an elbow opens for a full beat."""
    left_hand_share: float
    """Probability that a phrase is the left hand's; that of the right is 0.75 less this; else it is both hands'."""
    upper_arm_deg: float
    """Angle of the upper arms from the trunk."""
    elbow_rest_deg: float
    """Angle of the elbows at rest."""


@dataclass(frozen=True, eq=False)
class BodyMotion:
    """The motion of a body in ``T`` frames, before it becomes rotations: ground truth for tests and metrics."""

    beat: Curve
    """``[T]``: raised before an accent, struck down on it; about 1 at a full one."""
    hands: Curve
    """``[T, 2]``: how much of the beat the left and the right arm take."""
    posture: Curve
    """``[T, 3]`` degrees of the trunk: to the side, forward, turned."""
    nod: Curve
    """``[T]`` degrees of the head, down."""
    angles: Curve
    """``[T, J, 3]`` degrees of each joint about z, x, y."""


def make_gesture_style(rng: np.random.Generator) -> GestureStyle:
    """Return the style of a random speaker."""
    return GestureStyle(
        liveliness=float(np.exp(rng.normal(0, 0.3))),
        elbow_stroke_deg=rng.uniform(22, 40),
        left_hand_share=rng.uniform(0.1, 0.65),
        upper_arm_deg=rng.uniform(10, 26),
        elbow_rest_deg=rng.uniform(70, 100),
    )


def animate_body(rng: np.random.Generator, script: Script, style: GestureStyle) -> BodyMotion:
    """Return the motion of a body: beats and nods by the accents, posture and hands by the phrases, the rest by chance.

    Args:
        rng: source of postures, hands and idle motion.
        script: what is said.
        style: how the speaker gestures.
    """
    count = len(script.index)
    phrases = script.segments[-2].phrase + 2
    # What belongs to a phrase stays through the pause after it.
    phrase = np.maximum.accumulate(script.steps([float(s.phrase) for s in script.segments]).astype(int)) + 1
    hands = _per_phrase(_choose_hands(rng, style, phrases), phrase, 0.15)
    posture = _per_phrase(rng.normal(0, 1, (phrases, 3)) * (3.0, 4.0, 6.0), phrase, 0.22)
    posture += np.stack([idle_motion(rng, count, 2.5, size) for size in (0.8, 0.8, 1.2)], axis=1)
    nod = 6.0 * script.accent - 3.0 * script.phrase + idle_motion(rng, count, 1.5, 1.2)
    sway = np.stack([idle_motion(rng, count, 1.8, 2.0) for _ in range(4)], axis=1).reshape(count, 2, 2)
    scaled = (posture * style.liveliness, nod * style.liveliness, sway * style.liveliness)
    beat, hands, posture, nod, sway = (curve[FRAMES] for curve in (_beat(script), hands, *scaled))
    return BodyMotion(beat, hands, posture, nod, _joint_angles(beat, hands, posture, nod, sway, style))


def joint_rotations(angles: Curve) -> Curve:
    """Return the rotations ``[T, J, 3, 3]`` of angles ``[T, J, 3]`` (degrees)."""
    import torch  # imported late, because most corpora are made without bodies

    from ...geometry.rotations import euler_angles_to_matrix

    return np.asarray(euler_angles_to_matrix(torch.from_numpy(np.radians(angles)), "ZXY").numpy())


def _beat(script: Script) -> Curve:
    """Return a curve ``[N]`` that is up 0.16 s before each accent, and down on it."""
    ahead = round(0.16 * STEPS_PER_SECOND)
    raised = np.concatenate([script.accent[ahead:], np.zeros(ahead)])
    return smooth(raised - 0.6 * script.accent, 0.03)


def _choose_hands(rng: np.random.Generator, style: GestureStyle, phrases: int) -> Curve:
    """Return the shares ``[phrases, 2]`` of the left and the right hand."""
    choices = np.array([(1.0, 0.15), (0.15, 1.0), (1.0, 1.0)])
    shares = (style.left_hand_share, 0.75 - style.left_hand_share, 0.25)
    return np.asarray(choices[rng.choice(3, size=phrases, p=shares)])


def _per_phrase(values: Curve, phrase: npt.NDArray[np.intp], seconds: float) -> Curve:
    """Return curves ``[N, K]`` that move to the values ``[phrases, K]`` of each phrase within some ``seconds``."""
    return np.stack([smooth(column[phrase], seconds) for column in values.T], axis=1)


def _joint_angles(beat: Curve, hands: Curve, posture: Curve, nod: Curve, sway: Curve, style: GestureStyle) -> Curve:
    angles = np.zeros((len(beat), FIRST_ARM + len(SIDES) * len(ARM), 3))
    for joint, share in ((0, 0.2), (1, 0.4), (CHEST, 0.4)):
        angles[:, joint] = share * posture
    angles[:, 1, 1] += 1.5 * style.liveliness * beat
    neck, head = FIRST_ARM - 2, FIRST_ARM - 1
    angles[:, neck, 1], angles[:, head, 1] = 0.3 * nod, 0.7 * nod
    # The head stays turned to the listener.
    angles[:, head, 2] = -0.4 * posture[:, 2]
    for number, (_, sign) in enumerate(SIDES):
        shoulder, arm, forearm, hand = range(FIRST_ARM + number * len(ARM), FIRST_ARM + (number + 1) * len(ARM))
        stroke = style.liveliness * beat * hands[:, number]
        angles[:, shoulder, 0] = sign * 3.0 * stroke
        # From the pose of a T, arms hang down at -90 degrees.
        angles[:, arm, 0] = sign * (style.upper_arm_deg - 90 + 9 * stroke + sway[:, number, 0])
        angles[:, arm, 2] = -sign * (12 * stroke + sway[:, number, 1])
        angles[:, forearm, 2] = -sign * (style.elbow_rest_deg + style.elbow_stroke_deg * stroke)
        angles[:, hand, 0] = sign * 14 * stroke
    return angles
