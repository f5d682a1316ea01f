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
"""Audio of 1.0 as a 16-bit number."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Landmarks ``[T, P, D]`` in pixels at ``fps``, and the speech ``[S]`` at 16 kHz in -1..1 that belongs to them."""

    id: str
    """Name, unique within its corpus."""
    speaker: str
    """Empty if unknown."""
    split: str
    """``train``, ``val``, ``test``, or any other name."""
    landmarks: npt.NDArray[np.float32]
    """Motion ``[T, P, D]``, in pixels."""
    audio: npt.NDArray[np.float32]
    """Speech ``[S]``, 16 kHz, mono, in -1..1."""
    fps: Fraction = Fraction(25)
    """Motion frames per second."""
    weight: float = 1.0
    """Factor of the chance that training draws the clip."""
    license: str = ""
    """License of the recording; empty if unknown."""
    source: str = ""
    """Where the clip comes from."""
    distribute: bool = False
    """Whether weights trained on the clip may be given away."""
    image_size: tuple[int, int] | None = None
    """Height and width of the source video in pixels."""
    checks: Mapping[str, Any] = field(default_factory=dict)
    """What was measured when the clip was prepared, as JSON values, such as ``av_offset_ms`` or ``bridged_frames``."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(len(self.landmarks) / self.fps)


@dataclass(frozen=True, eq=False)
class StoredClip:
    """The part of a clip that files hold besides its entry in an index; audio as 16-bit numbers."""

    landmarks: npt.NDArray[np.float32]
    audio: npt.NDArray[np.int16]
    fps: Fraction
    image_size: tuple[int, int] | None


def to_stored(clip: Clip) -> StoredClip:
    """Return what is stored of ``clip``; audio beyond -1..1 is clipped.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    check_clip_values(f"clip {clip.id}", clip.landmarks, clip.audio, clip.fps)
    # 1.0 itself would be 32768, one more than 16 bits hold.
    samples = np.clip(np.round(clip.audio * FULL_SCALE), -32768, 32767).astype(np.int16)
    landmarks = np.ascontiguousarray(clip.landmarks, np.float32)
    return StoredClip(landmarks, samples, clip.fps, clip.image_size)


def sample_count(frames: int, fps: Fraction) -> int:
    """Return the number of samples at 16 kHz that belong to a number of frames."""
    # Exact fractions: with floats, halves could round either way.
    return (frames * SAMPLE_RATE / fps + Fraction(1, 2)).__floor__()


def check_clip_values(component: str, landmarks: npt.NDArray[Any], audio: npt.NDArray[Any], fps: Fraction) -> None:
    """Raise an error for landmarks and audio that are no clip.

    Args:
        component: who complains, for the error.
        landmarks: should be ``[T, P, D]``.
        audio: should be ``[S]`` with as many samples as `sample_count` says.
        fps: frames per second.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    if landmarks.ndim != 3 or not landmarks.size:
        raise CorpusError(component, "landmarks [T, P, D]", f"the shape {list(landmarks.shape)}")
    # One NaN in one clip would turn all weights into NaN.
    if not (np.isfinite(landmarks).all() and np.isfinite(audio).all()):
        raise CorpusError(component, "finite landmarks and samples", "NaN or infinity")
    if fps <= 0:
        raise CorpusError(component, "more than 0 frames per second", str(fps))
    expected_samples = sample_count(len(landmarks), fps)
    if audio.shape != (expected_samples,):
        expected = f"{expected_samples} mono samples for {len(landmarks)} frames"
        raise CorpusError(component, expected, f"the shape {list(audio.shape)}")
