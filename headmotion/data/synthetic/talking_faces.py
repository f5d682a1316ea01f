"""A synthetic corpus: speech-like sound and face motion with a known coupling at several time scales.

Lips follow single phones (0.1 s), nods and brows follow accents (0.3 s), posture follows phrases (1 to 2 s); blinks
and idle motion follow nothing. It is good for tests and for measuring; a model trained on it alone knows no real
speech.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...core.arguments import SEEDS, as_integer, is_finite_number
from ...core.errors import CorpusError
from ...core.short_repr import shown
from ..clip import Clip
from ..corpus import write_corpus
from .face_model import FaceIdentity, make_face_identity, project_faces
from .face_motion import FaceMotion, animate_face, pose_faces
from .script import Script
from .speech import synthesize_speech

MAX_CLIPS = 1_000_000
"""Clips per seed, so that corpora of different seeds differ."""


@dataclass(frozen=True, eq=False)
class SyntheticClip(Clip):
    """A clip with its ground truth."""

    script: Script | None = None
    face_motion: FaceMotion | None = None
    face_identity: FaceIdentity | None = None


class ClipFactory(Protocol):
    """A function that makes one clip, such as `synthetic_clip`."""

    def __call__(self, seed: int, seconds: float, *, speaker: int, split: str) -> Clip:
        """Return the clip."""


def synthetic_clip(
    seed: int, seconds: float = 3.0, *, speaker: int | None = None, split: str = "train", clean: bool = False
) -> SyntheticClip:
    """Return one clip at 25 fps and 16 kHz; the same arguments give the same clip.

    Args:
        seed: seed of what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: number of the speaker, who has a voice, a face and habits; None: a speaker of the clip's own.
        split: split of the clip.
        clean: without reverberation and noise.

    Raises:
        CorpusError: shorter than one second.
    """
    speech = synthesize_speech(seed, seconds, speaker, clean)
    identity = make_face_identity(speech.speaker_rng)
    motion = animate_face(speech.motion_rng, speech.script, identity)
    return SyntheticClip(
        id=f"synthetic-{seed:06d}",
        speaker=f"synthetic-{speech.speaker:06d}",
        split=split,
        landmarks=project_faces(speech.camera_rng, pose_faces(motion, identity), motion.pose),
        audio=speech.audio,
        license="CC BY 4.0",
        source="headmotion.data.synthetic.talking_faces; face shape from GRID speaker 1 (Cooke et al. 2006)",
        distribute=True,
        image_size=(256, 256),
        script=speech.script,
        face_motion=motion,
        face_identity=identity,
    )


def write_synthetic(
    path: str | os.PathLike[str],
    clips: int = 100,
    seed: int = 0,
    *,
    seconds: float = 3.0,
    clips_per_speaker: int = 5,
    val_every: int = 10,
    make: ClipFactory = synthetic_clip,
) -> Path:
    """Write a corpus folder of synthetic clips, as pairs.

    Args:
        path: a new folder.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        seconds: duration of each clip.
        clips_per_speaker: clips that share voice and face.
        val_every: every n-th speaker goes to the split ``val``, all others to ``train``.
        make: makes a clip; `gesture_clip` and `keypoint_clip` are others.

    Raises:
        CorpusError: the folder is a corpus already, ``clips`` is 0, or ``seconds`` is not above 0.
        HeadmotionError: another number that is no whole number.
    """
    return write_corpus(path, synthetic_clips(clips, seed, seconds, clips_per_speaker, val_every, make))


def synthetic_clips(
    clips: int, seed: int, seconds: float, clips_per_speaker: int, val_every: int, make: ClipFactory
) -> Iterator[Clip]:
    """Return the clips of a corpus, each made when it is asked for; see `write_synthetic`."""
    count, first = as_integer(clips, "clips"), as_integer(seed, "seed", below=SEEDS) * MAX_CLIPS
    if not is_finite_number(seconds) or seconds <= 0:
        raise CorpusError("synthetic corpus", "seconds above 0", shown(seconds))
    sharing, every = as_integer(clips_per_speaker, "clips_per_speaker", 1), as_integer(val_every, "val_every", 1)
    return _clips(count, first, seconds, sharing, every, make)


def _clips(
    count: int, first: int, seconds: float, clips_per_speaker: int, val_every: int, make: ClipFactory
) -> Iterator[Clip]:
    for k in range(count):
        speaker = k // clips_per_speaker
        yield make(first + k, seconds, speaker=first + speaker, split=periodic_split(speaker, val_every))


def periodic_split(speaker: int, val_every: int) -> str:
    """Return ``val`` for every n-th speaker, else ``train``."""
    return "val" if speaker % val_every == val_every - 1 else "train"
