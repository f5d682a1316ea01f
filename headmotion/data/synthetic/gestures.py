"""Synthetic speech and the gestures of a body that talks, with a known coupling; see `body`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ...representations.joints import Joints
from ..clip import Clip
from .body import BodyMotion, animate_body, joint_rotations, make_gesture_style, skeleton
from .script import Script
from .speech import synthesize_speech

NOISE_DEG = 0.15
"""Noise of every angle: as much as good motion capture has."""


@dataclass(frozen=True, eq=False)
class GestureClip(Clip):
    """A clip of `joints` with its ground truth."""

    script: Script | None = None
    body_motion: BodyMotion | None = None


def gesture_clip(
    seed: int, seconds: float = 3.0, *, speaker: int | None = None, split: str = "train", clean: bool = False
) -> GestureClip:
    """Return one clip of `skeleton` at 25 fps and 16 kHz; the same arguments give the same clip.

    Args:
        seed: seed of what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: number of the speaker, who has a voice, a body and a style; None: a speaker of the clip's own.
        split: split of the clip.
        clean: without reverberation and noise.

    Raises:
        CorpusError: shorter than one second.
    """
    speech = synthesize_speech(seed, seconds, speaker, clean)
    motion = animate_body(speech.motion_rng, speech.script, make_gesture_style(speech.speaker_rng))
    return GestureClip(
        id=f"gestures-{seed:06d}",
        speaker=f"synthetic-{speech.speaker:06d}",
        split=split,
        landmarks=project_body(speech.camera_rng, motion),
        audio=speech.audio,
        license="CC0-1.0",
        source="headmotion.data.synthetic.gestures",
        distribute=True,
        image_size=(256, 256),
        script=speech.script,
        body_motion=motion,
    )


def project_body(rng: np.random.Generator, motion: BodyMotion) -> npt.NDArray[np.float32]:
    """Return the rows ``[T, P, 6]`` of `joints`, at a random place of a 256-pixel picture (pixels)."""
    joints = cast("Joints", skeleton().build())
    rotations = joint_rotations(motion.angles + rng.normal(0, NOISE_DEG, motion.angles.shape))
    # The root alone carries the change from the body's axes to the picture's.
    rotations[:, 0] = joints.view.numpy() @ rotations[:, 0]
    rows = np.zeros((len(rotations), joints.points, 6))
    rows[:, 0, :3] = 128 + rng.normal(0, 8), 200 + rng.normal(0, 6), 0
    rows[:, 0, 3] = joints.size * rng.uniform(1.2, 1.6)
    # The first two columns of a rotation are enough (Zhou et al. 2019), and are what `joints` stores.
    rows[:, 1:] = np.concatenate([rotations[..., 0], rotations[..., 1]], axis=-1)
    return rows.astype(np.float32)
