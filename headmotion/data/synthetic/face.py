"""The face of a synthetic speaker: 68 landmarks whose lips follow the phones and whose head follows the prosody.

Lengths are in outer-eye distances of the neutral face. Axes: x right, y down, z away from the viewer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from .head_path import NECK, rotations
from .script import STEPS_PER_SECOND, Curve, Script, smooth

FPS = 25
VIEW_DISTANCE = 9.0
UPPER_LIP, LOWER_LIP = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


@dataclass(frozen=True, eq=False)
class Person:
    """What makes one face and its manner differ from another."""

    face: Curve
    """Neutral face ``[68, 3]``."""
    gain: float
    """Lip opening of the widest vowel."""
    lively: float
    """Amount of head motion, 1 on average."""
    turn: float
    """Usual yaw in degrees: how far the person looks past the camera."""


@dataclass(frozen=True, eq=False)
class Action:
    """What the face does at each video frame, before it becomes landmarks. All are truth for tests and metrics."""

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


def make_person(rng: np.random.Generator) -> Person:
    """A random variation of the neutral face."""
    text = (files("headmotion.representations") / "landmarks68_neutral.json").read_text("utf-8")
    face = np.array(json.loads(text))
    face = (face - (face[36] + face[45]) / 2) / (face[45, 0] - face[36, 0])
    x, y, _ = face.T
    mouth = y[60]
    below = np.clip((y - y[33]) / (y[8] - y[33]), 0, 1)
    for outline, line in (((*range(48, 60),), y[60]), ((*range(36, 42),), y[36]), ((*range(42, 48),), y[42])):
        members = list(outline)
        y[members] = line + (y[members] - line) * rng.uniform(0.75, 1.3)
    x[48:] *= rng.uniform(0.88, 1.12)
    y[17:27] += rng.normal(0, 0.03)
    x[:17] *= 1 + rng.uniform(-0.1, 0.06) * below[:17]
    y += (y - mouth) * (y > mouth) * rng.uniform(-0.15, 0.2)
    face = face * [rng.uniform(0.95, 1.05), rng.uniform(0.93, 1.09), rng.uniform(0.85, 1.15)]
    face[:60] += rng.normal(0, 0.004, (60, 3))
    return Person(
        face=np.asarray(face),
        gain=rng.uniform(0.14, 0.24),
        lively=float(np.exp(rng.normal(0, 0.35))),
        turn=rng.normal(0, 9),
    )


def act(rng: np.random.Generator, script: Script, person: Person) -> Action:
    """Lips from the phones, brows and head from the prosody, blinks and idle motion from chance alone."""
    opening, spread = _lips(script, person)
    brows = 0.06 * person.lively * script.accent + idle(rng, len(script.index), 1.0, 0.012)
    frames = slice(0, None, STEPS_PER_SECOND // FPS)
    return Action(
        opening=opening[frames],
        spread=(spread + idle(rng, len(script.index), 2.0, 0.03))[frames],
        brows=brows[frames],
        blink=blinks(rng, len(script.index))[frames],
        pose=_head(rng, script, person)[frames],
    )


def landmarks(rng: np.random.Generator, action: Action, person: Person) -> npt.NDArray[np.float32]:
    """The action as landmarks ``[T, 68, 3]`` in pixels of a 256-pixel picture."""
    return filmed(rng, _expression(action, person), action.pose)


def filmed(rng: np.random.Generator, faces: Curve, pose: Curve) -> npt.NDArray[np.float32]:
    """Faces ``[T, 68, 3]`` that look ahead, with the head in a pose ``[T, 6]``, as pixels of a 256-pixel picture."""
    yaw, pitch, roll = np.radians(pose[:, :3].T)
    points = (faces - NECK) @ rotations(yaw, pitch, roll).transpose(0, 2, 1) + NECK + pose[:, None, 3:]
    points[..., :2] *= VIEW_DISTANCE / (VIEW_DISTANCE + points[..., 2:])
    points += rng.normal(0, 0.0012, points.shape)
    side = rng.uniform(52, 82)
    return np.asarray(points * side + [128 + rng.normal(0, 8), 128 - 0.55 * side + rng.normal(0, 6), 0], np.float32)


def _lips(script: Script, person: Person) -> tuple[Curve, Curve]:
    """Opening and spread: targets blended by dominance; coming phones count earlier than past ones linger."""
    segments = script.segments
    hold = script.steps([s.phone.hold for s in segments])
    size = script.steps([s.phone.opening * (1 + 0.35 * s.stress) for s in segments])
    opening = person.gain * smooth(hold * size, 0.03, ahead=0.06) / smooth(hold, 0.03, ahead=0.06)
    closed = smooth(script.steps([float(s.phone.closes) for s in segments]), 0.012)
    silent = script.steps([float(s.phone.kind == "silence") for s in segments])
    # Lips part about 0.1 s before the voice.
    silent[:-20] = np.minimum(silent[:-20], silent[20:])
    opening *= (1 - np.clip(1.3 * closed, 0, 1)) * (1 - np.clip(1.15 * smooth(silent, 0.04), 0, 1))
    spread = smooth(hold * script.steps([s.phone.spread for s in segments]), 0.05, ahead=0.08)
    return opening, spread / smooth(hold, 0.05, ahead=0.08) + 0.3 * opening


def _head(rng: np.random.Generator, script: Script, person: Person) -> Curve:
    """Pose ``[N, 6]``: nods on accents, a slow fall with the phrase, a new posture per phrase, idle motion."""
    count = len(script.index)
    postures = rng.normal(0, 1, (script.segments[-2].phrase + 2, 3)) * (4.5, 3.5, 4.5)
    phrase = script.steps([float(s.phrase) for s in script.segments]).astype(int)
    settled = np.maximum.accumulate(phrase) + 1
    pose = np.stack([smooth(postures[settled, k], 0.18) for k in range(3)], axis=1)
    pose[:, 1] += 7.5 * script.accent - 4.5 * script.phrase
    pose += np.stack([idle(rng, count, 1.5, size) for size in (1.8, 1.5, 1.3)], axis=1)
    shift = np.stack([idle(rng, count, 2.0, size) for size in (0.04, 0.03, 0.05)], axis=1)
    shift[:, 2] -= 0.10 * script.accent
    pose[:, 0] += person.turn / person.lively
    return np.concatenate([pose, shift], axis=1) * person.lively


def idle(rng: np.random.Generator, count: int, seconds: float, size: float) -> Curve:
    """Smooth noise of standard deviation ``size`` that forgets itself in about ``seconds``."""
    margin = int(4 * seconds * STEPS_PER_SECOND)
    noise = smooth(rng.normal(0, 1, count + 2 * margin), seconds / 4)[margin : margin + count]
    return np.asarray(noise * size * np.sqrt(2 * np.sqrt(np.pi) * seconds / 4 * STEPS_PER_SECOND))


def blinks(rng: np.random.Generator, count: int) -> Curve:
    """About 15 a minute, 0.12 to 0.2 s each, independent of speech."""
    time = np.arange(count) / STEPS_PER_SECOND
    result = np.zeros(count)
    now = rng.exponential(4.0)
    while now < time[-1]:
        length = rng.uniform(0.12, 0.2)
        result = np.maximum(result, np.clip(1.6 - 3.2 * np.abs(time - now) / length, 0, 1))
        now += 0.3 + rng.exponential(3.7)
    return result


def _expression(action: Action, person: Person) -> Curve:
    """Faces ``[T, 68, 3]`` that look straight ahead."""
    face = np.repeat(person.face[None], len(action.opening), axis=0)
    x, y, z = (face[..., axis] for axis in range(3))
    center, half = x[0, 62], (x[0, 54] - x[0, 48]) / 2
    line = y[0, 62]
    reach = 1 - ((person.face[:, 0] - center) / half) ** 2
    spread, opening = action.spread[:, None], action.opening[:, None]
    rounding = np.clip(-spread, 0, None)
    y[:, 48:60] = line + (y[:, 48:60] - line) * (1 + 0.5 * rounding)
    x[:, 48:68] = center + (x[:, 48:68] - center) * (1 + spread)
    z[:, 48:68] -= 0.4 * rounding
    y[:, UPPER_LIP] -= 0.22 * opening * reach[list(UPPER_LIP)]
    y[:, LOWER_LIP] += 0.78 * opening * reach[list(LOWER_LIP)]
    y[:, [48, 54, 60, 64]] += 0.2 * opening
    jaw = np.clip((person.face[:17, 1] - person.face[33, 1]) / (person.face[8, 1] - person.face[33, 1]), 0, 1)
    y[:, :17] += 0.45 * opening * jaw
    y[:, 17:27] -= action.brows[:, None]
    close_eyes(face, action.blink)
    return np.asarray(face)


def close_eyes(faces: Curve, blink: Curve) -> None:
    """Lower the upper lids of faces ``[T, 68, 3]`` by ``blink`` ``[T]``: 0 open, 1 closed."""
    for upper, lower in LIDS:
        faces[:, upper] += (faces[:, lower] - faces[:, upper]) * 0.92 * blink[:, None]
