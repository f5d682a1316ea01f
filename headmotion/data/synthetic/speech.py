"""What a synthetic speaker says and how it sounds: what all synthetic motion goes with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...core.errors import CorpusError
from .face import FPS
from .script import Script, write_script
from .voice import Voice, make_voice, speak


@dataclass(frozen=True, eq=False)
class SyntheticSpeech:
    """One utterance, and the sources of chance that are left for whatever moves with it."""

    speaker: int
    """Number of the speaker."""
    frames: int
    """At 25 per second."""
    script: Script
    voice: Voice
    audio: npt.NDArray[np.float32]
    """``[S]`` at 16 kHz."""
    trait: np.random.Generator
    """Of the speaker: what makes a body and its manner."""
    motion: np.random.Generator
    """Of the clip: motion that no speech explains."""
    camera: np.random.Generator
    """Of the clip: where the speaker is in the picture."""


def synthetic_speech(seed: int, seconds: float, speaker: int | None = None, clean: bool = False) -> SyntheticSpeech:
    """An utterance; the same arguments give the same one.

    Args:
        seed: what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: voice and manner; None is a speaker of the utterance's own.
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
    voice = make_voice(trait)
    script = write_script(text, frames / FPS, voice.syllables_per_second)
    return SyntheticSpeech(who, frames, script, voice, speak(sound, script, voice, clean), trait, motion, camera)
