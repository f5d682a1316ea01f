"""One clip: landmarks and the speech that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError

SAMPLE_RATE = 16000
"""Samples per second of all clips."""

FULL_SCALE = np.float32(32768)


@dataclass(frozen=True, eq=False)
class Clip:
    """Landmarks ``[T, P, D]`` in pixels at ``fps``, and the speech ``[S]`` at 16 kHz in -1..1 that belongs to them."""

    id: str
    speaker: str
    split: str
    landmarks: npt.NDArray[np.float32]
    audio: npt.NDArray[np.float32]
    fps: Fraction = Fraction(25)
    weight: float = 1.0
    license: str = ""
    source: str = ""
    distribute: bool = False
    """Whether weights trained on the clip may be given away."""
    image_size: tuple[int, int] | None = None
    """Height and width of the source video in pixels."""
    checks: Mapping[str, Any] = field(default_factory=dict)
    """What was measured when the clip was prepared, as JSON values: ``av_offset`` (frames), ``lost_frames`` ..."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(len(self.landmarks) / self.fps)


@dataclass(frozen=True, eq=False)
class Stored:
    """What is stored of a clip beside its line in an index; audio as the 16-bit numbers that are stored."""

    landmarks: npt.NDArray[np.float32]
    audio: npt.NDArray[np.int16]
    fps: Fraction
    image_size: tuple[int, int] | None


def to_stored(clip: Clip) -> Stored:
    """What is stored of ``clip``; values of the audio beyond -1..1 are clipped.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    check_values(f"clip {clip.id}", clip.landmarks, clip.audio, clip.fps)
    samples = np.clip(np.round(clip.audio * FULL_SCALE), -32768, 32767).astype(np.int16)
    landmarks = np.ascontiguousarray(clip.landmarks, np.float32)
    return Stored(landmarks, samples, clip.fps, clip.image_size)


def samples_of(frames: int, fps: Fraction) -> int:
    """Samples of speech that belong to so many frames."""
    return (frames * SAMPLE_RATE / fps + Fraction(1, 2)).__floor__()


def check_values(component: str, landmarks: npt.NDArray[Any], audio: npt.NDArray[Any], fps: Fraction) -> None:
    """Refuse what is no clip.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    if landmarks.ndim != 3 or not landmarks.size:
        raise CorpusError(component, "landmarks [T, P, D]", f"the shape {list(landmarks.shape)}")
    if not (np.isfinite(landmarks).all() and np.isfinite(audio).all()):
        raise CorpusError(component, "finite landmarks and samples", "NaN or infinity")
    if fps <= 0:
        raise CorpusError(component, "more than 0 frames per second", str(fps))
    needed = samples_of(len(landmarks), fps)
    if audio.shape != (needed,):
        shape = list(audio.shape)
        raise CorpusError(component, f"{needed} mono samples for {len(landmarks)} frames", f"the shape {shape}")
