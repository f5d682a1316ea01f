"""The tracks of one clip, or of some of its frames: what training reads at once, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from .clip import FULL_SCALE, SAMPLE_RATE, StoredClip, sample_count
from .infer_representation import infer_representation

if TYPE_CHECKING:
    from ..core.interfaces.representation import Representation
    from ..core.interfaces.sample import Track

ALWAYS: frozenset[Track] = frozenset(("motion", "audio", "wave"))
"""The tracks of every clip. ``audio`` and ``wave`` are the same on disk: features are computed from the wave."""


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

    @property
    def frames(self) -> slice:
        """The frames that are read."""
        return slice(self.first, self.first + self.count)

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
    """Return a range of a clip that is in memory; pictures are decoded.

    Raises:
        CorpusError: a picture is damaged.
    """
    frames, points, dims = stored.landmarks.shape
    part, samples = cut.frames, cut.samples(ClipShape(frames, MotionShape(points, dims, stored.fps)))
    motion = stored.landmarks[part] if "motion" in cut.tracks else None
    pictures = stored.frames.read(cut.first, cut.count) if "frames" in cut.tracks and stored.frames else None
    if motion is not None and pictures is not None and stored.picture_box is not None:
        motion = to_picture_pixels(motion, stored.picture_box, (pictures.shape[2], pictures.shape[3]))
    return ClipTracks(
        motion=motion,
        audio=to_float(stored.audio[samples]) if cut.has_audio else None,
        frames=pictures,
        labels=stored.labels[part] if "labels" in cut.tracks and stored.labels is not None else None,
    )


def to_picture_pixels(
    landmarks: npt.NDArray[np.float32],
    box: tuple[float, float, float],
    size: tuple[int, int],
    representation: Representation | None = None,
) -> npt.NDArray[np.float32]:
    """Return motion in pixels of pictures that show a square of what it was in; numbers that are no positions stay.

    Args:
        landmarks: ``[T, P, D]``.
        box: left, top and edge of the square.
        size: height and width of the pictures.
        representation: what the motion is in; None: inferred from its shape.

    Raises:
        CorpusError: no representation is named, and none fits.
    """
    import torch

    from ..core.interfaces.representation import UnitSquare

    representation = representation or infer_representation(landmarks.shape).build(None)
    left, top, side = box
    height, width = size
    shown = UnitSquare(left + side / 2, top + side / 2, side)
    picture = UnitSquare(width / 2, height / 2, max(height, width))
    # A copy, because torch warns of arrays that cannot be written to.
    unit = representation.normalize(torch.from_numpy(landmarks.copy()), shown)
    return np.asarray(representation.denormalize(unit, picture).numpy(), np.float32)


def to_float(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Return 16-bit samples as numbers in -1..1."""
    return samples.astype(np.float32) / FULL_SCALE
