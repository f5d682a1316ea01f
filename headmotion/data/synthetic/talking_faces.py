"""A synthetic corpus: speech-like sound and face motion with a known coupling at several time scales.

Lips follow single phones (0.1 s), nods and brows follow accents (0.3 s), posture follows phrases (1 to 2 s); blinks
and idle motion follow nothing. Good for tests and for measuring; what is trained on it alone knows no real speech.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..clip import Clip
from ..corpus import write_corpus
from .face import Action, Person, act, landmarks, make_person
from .script import Script
from .speech import synthetic_speech

MOST_CLIPS = 1_000_000
"""Of one seed, so that corpora of different seeds differ."""


@dataclass(frozen=True, eq=False)
class SyntheticClip(Clip):
    """A clip and the truth that it was made from."""

    script: Script | None = None
    action: Action | None = None
    person: Person | None = None


class Make(Protocol):
    """Makes one clip of a number, a speaker and a split: `synthetic_clip`."""

    def __call__(self, seed: int, seconds: float, *, speaker: int, split: str) -> Clip:
        """The clip."""


def synthetic_clip(
    seed: int, seconds: float = 3.0, *, speaker: int | None = None, split: str = "train", clean: bool = False
) -> SyntheticClip:
    """One clip at 25 fps and 16 kHz; the same arguments give the same clip.

    Args:
        seed: what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: voice, face and manner; None is a speaker of the clip's own.
        split: what the clip is for.
        clean: without reverberation and noise.

    Raises:
        CorpusError: shorter than one second.
    """
    speech = synthetic_speech(seed, seconds, speaker, clean)
    person = make_person(speech.trait)
    action = act(speech.motion, speech.script, person)
    return SyntheticClip(
        id=f"synthetic-{seed:06d}",
        speaker=f"synthetic-{speech.speaker:06d}",
        split=split,
        landmarks=landmarks(speech.camera, action, person),
        audio=speech.audio,
        license="CC BY 4.0",
        source="headmotion.data.synthetic.talking_faces; face shape from GRID speaker 1 (Cooke et al. 2006)",
        distribute=True,
        image_size=(256, 256),
        script=speech.script,
        action=action,
        person=person,
    )


def write_synthetic(
    path: str | os.PathLike[str],
    clips: int = 100,
    seed: int = 0,
    *,
    seconds: float = 3.0,
    clips_per_speaker: int = 5,
    val_every: int = 10,
    make: Make = synthetic_clip,
) -> Path:
    """Write a corpus folder of synthetic clips, as pairs.

    Args:
        path: a new folder.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        seconds: duration of each clip.
        clips_per_speaker: clips that share voice and face.
        val_every: every so manieth speaker goes to the split ``val``, all others to ``train``.
        make: makes a clip; `gesture_clip` and `keypoint_clip` are others.

    Raises:
        CorpusError: the folder is a corpus already, or no clips are asked for.
    """
    return write_corpus(path, synthetic_clips(clips, seed, seconds, clips_per_speaker, val_every, make))


def synthetic_clips(
    clips: int, seed: int, seconds: float, clips_per_speaker: int, val_every: int, make: Make
) -> Iterator[Clip]:
    """The clips of a corpus; see `write_synthetic`."""
    first = seed * MOST_CLIPS
    for k in range(clips):
        speaker = k // clips_per_speaker
        split = "val" if speaker % val_every == val_every - 1 else "train"
        yield make(first + k, seconds, speaker=first + speaker, split=split)
