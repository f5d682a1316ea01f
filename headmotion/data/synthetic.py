"""A synthetic corpus: speech-like sound and face motion with a known coupling at several time scales.

Lips follow single phones (0.1 s), nods and brows follow accents (0.3 s), posture follows phrases (1 to 2 s); blinks
and idle motion follow nothing. Good for tests and for measuring; what is trained on it alone knows no real speech.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import CorpusError
from .clip import Clip
from .corpus import write_corpus
from .synthetic_face import FPS, Action, act, landmarks, make_person
from .synthetic_script import Script, write_script
from .synthetic_voice import make_voice, speak


@dataclass(frozen=True, eq=False)
class SyntheticClip(Clip):
    """A clip and the truth that it was made from."""

    script: Script | None = None
    action: Action | None = None


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
    frames = round(seconds * FPS)
    if frames < FPS:
        raise CorpusError("synthetic clip", "at least one second", f"{seconds} s")
    who = seed if speaker is None else speaker
    trait, text, sound, motion, camera = (
        np.random.default_rng([source, stream]) for stream, source in enumerate((who, seed, seed, seed, seed))
    )
    voice, person = make_voice(trait), make_person(trait)
    script = write_script(text, frames / FPS, voice.syllables_per_second)
    action = act(motion, script, person)
    return SyntheticClip(
        id=f"synthetic-{seed:06d}",
        speaker=f"synthetic-{who:06d}",
        split=split,
        landmarks=landmarks(camera, action, person),
        audio=speak(sound, script, voice, clean),
        license="CC BY 4.0",
        source="headmotion.data.synthetic; face shape from GRID speaker 1 (Cooke et al. 2006)",
        distribute=True,
        image_size=(256, 256),
        script=script,
        action=action,
    )


def write_synthetic(
    path: str | os.PathLike[str],
    clips: int = 100,
    seed: int = 0,
    *,
    seconds: float = 3.0,
    clips_per_speaker: int = 5,
    val_every: int = 10,
) -> Path:
    """Write a corpus folder of synthetic clips.

    Args:
        path: a new folder.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        seconds: duration of each clip.
        clips_per_speaker: clips that share voice and face.
        val_every: every so manieth speaker goes to the split ``val``, all others to ``train``.

    Raises:
        CorpusError: the folder is a corpus already, or no clips are asked for.
    """
    first = seed * 1_000_000

    def make(k: int) -> Clip:
        speaker = k // clips_per_speaker
        split = "val" if speaker % val_every == val_every - 1 else "train"
        return synthetic_clip(first + k, seconds, speaker=first + speaker, split=split)

    return write_corpus(path, (make(k) for k in range(clips)))
