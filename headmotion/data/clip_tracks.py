"""The tracks of one clip, or of some of its frames: what training reads at once, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from .clip import FULL_SCALE, SAMPLE_RATE, StoredClip, sample_count

Track = Literal["motion", "audio", "wave", "frames", "labels"]
"""``audio`` and ``wave`` are the same on disk: features are computed from the wave."""


@dataclass(frozen=True)
class MotionShape:
    """What the motion of clips has in common."""

    points: int
    """Points per frame."""
    dims: int
    """Numbers per point."""
    fps: Fraction
    """Motion frames per second."""


@dataclass(frozen=True)
class ClipShape:
    """The length of a clip and the shape of its motion, as they are known without reading it."""

    frames: int
    """Number of motion frames."""
    motion: MotionShape
    """Points and rate of the motion."""


@dataclass(frozen=True, eq=False)
class ClipTracks:
    """The tracks of ``t`` consecutive frames of a clip; None for those that were not asked for."""

    motion: npt.NDArray[np.float32] | None = None
    """``[t, P, D]`` in pixels: of ``frames`` where these were read too, otherwise as the corpus has it."""
    audio: npt.NDArray[np.float32] | None = None
    """``[s]`` at 16 kHz, -1..1: what belongs to the frames, and what follows up to ``audio_after_s`` seconds."""
    frames: npt.NDArray[np.uint8] | None = None
    """Pictures ``[t, 3, H, W]``."""
    labels: npt.NDArray[np.float32] | None = None
    """``[t, N]``."""


@dataclass(frozen=True)
class TrackRange:
    """Which tracks of which frames are read."""

    tracks: frozenset[str]
    """Names of tracks."""
    first: int
    """The first frame."""
    count: int
    """Number of frames."""
    audio_after_s: float = 0.0
    """Seconds of audio after the last frame."""

    @property
    def has_audio(self) -> bool:
        """Whether audio is read."""
        return not self.tracks.isdisjoint(("audio", "wave"))

    def samples(self, shape: ClipShape) -> slice:
        """Return the samples of a clip that are read; fewer than asked for at its end."""
        fps = shape.motion.fps
        stop = sample_count(self.first + self.count, fps) + round(self.audio_after_s * SAMPLE_RATE)
        return slice(sample_count(self.first, fps), min(stop, sample_count(shape.frames, fps)))


def track_range(
    component: str, tracks: Collection[Track], first: int, count: int | None, audio_after_s: float, shape: ClipShape
) -> TrackRange:
    """Return a checked range of a clip of ``shape``; a ``count`` of None is all frames from ``first`` on.

    Raises:
        CorpusError: frames that the clip does not have.
    """
    last = shape.frames if count is None else first + count
    if not 0 <= first < last <= shape.frames:
        raise CorpusError(component, f"frames among its {shape.frames}", f"{first} to {last}")
    return TrackRange(frozenset(tracks), first, last - first, audio_after_s)


def cut_clip(stored: StoredClip, cut: TrackRange) -> ClipTracks:
    """Return a range of a clip that is in memory."""
    frames, points, dims = stored.landmarks.shape
    samples = cut.samples(ClipShape(frames, MotionShape(points, dims, stored.fps)))
    return ClipTracks(
        motion=stored.landmarks[cut.first : cut.first + cut.count] if "motion" in cut.tracks else None,
        audio=to_float(stored.audio[samples]) if cut.has_audio else None,
    )


def to_float(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Return 16-bit samples as numbers in -1..1."""
    return samples.astype(np.float32) / FULL_SCALE
