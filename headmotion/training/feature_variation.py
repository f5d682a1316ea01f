"""How the sound of a clip is varied before its features are kept: a lead, another voice, another recording."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]

from ..data.clip import SAMPLE_RATE
from ..data.corpus import Corpus
from ..data.synthetic.espeak.audio_augment import simulate_recording
from .feature_lead import AUDIO, FeatureLeads

Samples = npt.NDArray[np.float32]
NO_SAMPLES: Samples = np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class VariedSound:
    """The sound of a clip and what is done to it."""

    audio: Samples
    """Of the clip, ``[S]``."""
    silence_samples: int = 0
    """Length of a lead of silence."""
    lead: Samples = field(default_factory=lambda: NO_SAMPLES)
    """Speech before the clip, ``[S]``."""
    pace: float = 1.0
    """How much faster speech is played, so that pitch and formants rise by the same factor."""
    recording: int | None = None
    """Seed of another recording; None keeps the one that there is."""

    @property
    def description(self) -> str:
        """What is done, without the samples."""
        return f"{self.silence_samples} {len(self.lead)} {self.pace!r} {self.recording}"

    def wave(self) -> Samples:
        """Return silence, lead and clip, ``[S]``; speech is shorter by `pace`."""
        speech = np.concatenate([self.lead, self.audio])
        if self.recording is not None:
            speech = simulate_recording(np.random.default_rng(self.recording), speech.astype(np.float64))
        if self.pace != 1:
            speech = soxr.resample(speech, SAMPLE_RATE * self.pace, SAMPLE_RATE)
        return np.concatenate([np.zeros(self.silence_samples, np.float32), speech], dtype=np.float32)


@dataclass(frozen=True)
class FeatureVariation:
    """What sounds of clips are varied by; see `headmotion.training.settings.DataSpec`."""

    max_lead_frames: int = 0
    """Longest lead, in motion frames."""
    lead_speech: float = 0.0
    """Share of leads that are speech."""
    voice: float = 0.0
    """Largest change of pitch and formants, as a fraction."""
    recording: float = 0.0
    """Share of clips that another device records."""

    def of(self, corpus: Corpus, samples_per_frame: int) -> Callable[[int], VariedSound]:
        """Return what gives the sound of a clip by its place in the corpus."""
        leads = FeatureLeads(corpus, samples_per_frame, self.max_lead_frames, self.lead_speech)

        def varied(index: int) -> VariedSound:
            audio = corpus.read(index, AUDIO).audio
            assert audio is not None
            # Clips of one sound, such as copies with other motion, are varied differently.
            made_from = hashlib.sha256(corpus.id_of(index).encode() + audio.tobytes()).digest()
            rng = np.random.default_rng(int.from_bytes(made_from[:8]))
            frames, speech = leads.draw(index, rng)
            limit = np.log1p(self.voice)
            pace, seed = float(np.exp(rng.uniform(-limit, limit))), int(rng.integers(2**32))
            recording = seed if rng.random() < self.recording else None
            return VariedSound(audio, frames * samples_per_frame, speech, pace, recording)

        return varied


UNCHANGED = FeatureVariation()
"""Sounds as they are."""
