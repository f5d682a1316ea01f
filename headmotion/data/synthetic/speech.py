"""The speech of a synthetic utterance: what all synthetic motion goes with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...core.errors import CorpusError
from .curves import FPS
from .script import Script, write_script
from .voice import Voice, make_voice, speak


@dataclass(frozen=True, eq=False)
class SyntheticSpeech:
    """One utterance, and the random generators that are left for what moves with it."""

    speaker: int
    """Number of the speaker."""
    frames: int
    """At 25 per second."""
    script: Script
    voice: Voice
    audio: npt.NDArray[np.float32]
    """``[S]`` at 16 kHz, -1..1."""
    speaker_rng: np.random.Generator
    """Belongs to the speaker: body and habits."""
    motion_rng: np.random.Generator
    """Belongs to the clip: motion that no speech explains."""
    camera_rng: np.random.Generator
    """Belongs to the clip: where the speaker is in the picture."""


def synthesize_speech(seed: int, seconds: float, speaker: int | None = None, clean: bool = False) -> SyntheticSpeech:
    """Return an utterance; the same arguments give the same one.

    Args:
        seed: seed of what is said and how.
        seconds: duration, rounded to whole frames.
        speaker: number of the speaker; None: a speaker of the utterance's own.
        clean: without reverberation and noise.

    Raises:
        CorpusError: shorter than one second.
    """
    frames = round(seconds * FPS)
    if frames < FPS:
        raise CorpusError("synthetic clip", "at least one second", f"{seconds} s")
    speaker_seed = seed if speaker is None else speaker
    # A generator for each purpose, so that the same speaker can say different things.
    speaker_rng, text_rng, audio_rng, motion_rng, camera_rng = (
        np.random.default_rng([source, stream]) for stream, source in enumerate((speaker_seed, seed, seed, seed, seed))
    )
    voice = make_voice(speaker_rng)
    script = write_script(text_rng, frames / FPS, voice.syllables_per_second)
    audio = speak(audio_rng, script, voice, clean)
    return SyntheticSpeech(speaker_seed, frames, script, voice, audio, speaker_rng, motion_rng, camera_rng)
