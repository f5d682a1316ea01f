"""What a clip is encoded behind: silence, or the speech that another clip ends with."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.interfaces.sample import Track
from ..data.corpus import Corpus

AUDIO: tuple[Track, ...] = ("audio",)
"""What is read of a clip."""


class Lead(NamedTuple):
    """Sound before a clip: silence, then speech; one of them has no length."""

    silence_frames: int
    """Motion frames of silence."""
    speech: npt.NDArray[np.float32]
    """Samples ``[S]`` of a whole number of motion frames."""


class FeatureLeads:
    """Draws what clips are encoded behind.

    Args:
        corpus: the clips, which also lead one another.
        samples_per_frame: samples per motion frame.
        max_frames: longest lead in motion frames; all lengths up to it are as likely.
        speech: share of the leads that are speech.
    """

    def __init__(self, corpus: Corpus, samples_per_frame: int, max_frames: int, speech: float) -> None:
        self._corpus, self._samples_per_frame = corpus, samples_per_frame
        self._max_frames, self._speech = max_frames, speech
        self._speakers = corpus.speaker_codes
        order = np.argsort(self._speakers, kind="stable")
        starts = np.searchsorted(self._speakers[order], np.arange(self._speakers.max(initial=-1) + 2))
        self._of_speaker = [order[start:stop] for start, stop in itertools.pairwise(starts)]

    def draw(self, index: int, rng: np.random.Generator) -> Lead:
        """Return what comes before the clip at ``index``.

        Speech is that of random other clips, complete but for the first of them; of the same speaker, if that one has
        others.
        """
        frames, is_speech = int(rng.integers(self._max_frames + 1)), rng.random() < self._speech
        nothing = np.zeros(0, np.float32)
        others = self._others(index)
        if not is_speech or not frames or not len(others):
            return Lead(frames, nothing)
        speech, length = [nothing], 0
        samples = frames * self._samples_per_frame
        while length < samples:
            audio = self._corpus.read(int(rng.choice(others)), AUDIO).audio
            assert audio is not None
            speech.insert(0, audio)
            length += len(audio)
        return Lead(0, np.concatenate(speech)[length - samples :])

    def _others(self, index: int) -> npt.NDArray[np.int64]:
        """Return the other clips of the speaker, or else of all speakers."""
        own = self._of_speaker[self._speakers[index]]
        candidates = own if len(own) > 1 else np.arange(len(self._corpus))
        others: npt.NDArray[np.int64] = candidates[candidates != index]
        return others
