"""Synthetic speech and the gestures of a body that talks, with a known coupling; see `synthetic_body`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ...representations.joints import Joints
from ..clip import Clip
from .body import Gesture, gesticulate, make_manner, rotations_of, skeleton
from .script import Script
from .speech import synthetic_speech

NOISE_DEGREES = 0.15
"""Of every angle: as much as a good motion capture has."""


@dataclass(frozen=True, eq=False)
class GestureClip(Clip):
    """A clip of `joints` and the truth that it was made from."""

    script: Script | None = None
    gesture: Gesture | None = None


def gesture_clip(
    seed: int, seconds: float = 3.0, *, speaker: int | None = None, split: str = "train", clean: bool = False
) -> GestureClip:
    """One clip of `synthetic_body.skeleton` at 25 fps and 16 kHz; the same arguments give the same clip.

    Args:
        seed: what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: voice, body and manner; None is a speaker of the clip's own.
        split: what the clip is for.
        clean: without reverberation and noise.

    Raises:
        CorpusError: shorter than one second.
    """
    speech = synthetic_speech(seed, seconds, speaker, clean)
    gesture = gesticulate(speech.motion, speech.script, make_manner(speech.trait))
    return GestureClip(
        id=f"gestures-{seed:06d}",
        speaker=f"synthetic-{speech.speaker:06d}",
        split=split,
        landmarks=filmed(speech.camera, gesture),
        audio=speech.audio,
        license="CC0-1.0",
        source="headmotion.data.synthetic.gestures",
        distribute=True,
        image_size=(256, 256),
        script=speech.script,
        gesture=gesture,
    )


def filmed(rng: np.random.Generator, gesture: Gesture) -> npt.NDArray[np.float32]:
    """The rows of `joints`, ``[T, P, 6]``, in pixels of a 256-pixel picture."""
    joints = cast("Joints", skeleton().build())
    turns = gesture.turns + rng.normal(0, NOISE_DEGREES, gesture.turns.shape)
    matrices = rotations_of(turns)
    matrices[:, 0] = joints.view.numpy() @ matrices[:, 0]
    rows = np.zeros((len(turns), joints.points, 6))
    rows[:, 0, :3] = 128 + rng.normal(0, 8), 200 + rng.normal(0, 6), 0
    rows[:, 0, 3] = joints.size * rng.uniform(1.2, 1.6)
    rows[:, 1:] = np.concatenate([matrices[..., 0], matrices[..., 1]], axis=-1)
    return rows.astype(np.float32)
