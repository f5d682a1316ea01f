"""One clip: motion, the speech that belongs to it, and what else was kept of each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from ..core.short_repr import fields_repr

if TYPE_CHECKING:
    from .pictures import Frames

MAX_EDGE = 1 << 20
"""Largest height or width of a picture (px)."""
SAMPLE_RATE = 16000
"""Samples per second of all clips."""

FINITE_LABELS = "finite labels"
"""What errors expect of labels with NaN or infinity."""

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

    frames: Frames | None = None
    """Pictures of the face, one for each motion frame, decoded when they are read; None if there are none."""
    labels: npt.NDArray[np.float32] | None = None
    """Named numbers of each frame ``[T, N]``, such as blend shapes; None if there are none."""
    label_names: tuple[str, ...] = ()
    """Names of the labels."""
    picture_box: tuple[float, float, float] | None = None
    """Left, top and edge, in pixels of ``landmarks``, of the square that ``frames`` show; None: both have the same
    pixels."""

    __repr__ = fields_repr

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
    frames: Frames | None = None
    labels: npt.NDArray[np.float32] | None = None
    label_names: tuple[str, ...] = ()
    picture_box: tuple[float, float, float] | None = None


def to_stored(clip: Clip) -> StoredClip:
    """Return what is stored of ``clip``; audio beyond -1..1 is clipped.

    Raises:
        CorpusError: landmarks, audio or labels have a wrong shape or are not finite, or tracks differ in length.
    """
    check_clip_values(f"clip {clip.id}", clip.landmarks, clip.audio, clip.fps)
    check_image_size(f"clip {clip.id}", clip.image_size)
    # 1.0 itself would be 32768, one more than 16 bits hold.
    samples = np.clip(np.round(clip.audio * FULL_SCALE), -32768, 32767).astype(np.int16)
    landmarks = np.ascontiguousarray(clip.landmarks, np.float32)
    labels = None if clip.labels is None else np.ascontiguousarray(clip.labels, np.float32)
    if labels is not None:
        check_labels(f"clip {clip.id}", labels, (len(landmarks), len(clip.label_names)))
    if clip.frames is not None and len(clip.frames) != len(landmarks):
        raise CorpusError(f"clip {clip.id}", f"a picture for each of {len(landmarks)} frames", str(len(clip.frames)))
    names = () if labels is None else clip.label_names
    return StoredClip(landmarks, samples, clip.fps, clip.image_size, clip.frames, labels, names, clip.picture_box)


def sample_count(frames: int, fps: Fraction) -> int:
    """Return the number of samples at 16 kHz that belong to a number of frames."""
    # Exact, because with floats, halves could round either way.
    return (2 * frames * SAMPLE_RATE * fps.denominator + fps.numerator) // (2 * fps.numerator)


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


def check_image_size(component: str, size: tuple[int, int] | None) -> None:
    """Raise a CorpusError for an impossible size of pictures; None is an unknown size."""
    if size is not None and not all(1 <= edge <= MAX_EDGE for edge in size):
        raise CorpusError(component, f"an image_size of 1 to {MAX_EDGE} pixels", " x ".join(str(e) for e in size))


def check_labels(component: str, labels: npt.NDArray[np.float32], shape: tuple[int, int]) -> None:
    """Raise an error for labels that are not ``shape`` finite numbers.

    Args:
        component: who complains, for the error.
        labels: should be ``[T, N]``.
        shape: frames and number of names.

    Raises:
        CorpusError: another shape, NaN or infinity.
    """
    if labels.shape != shape or not shape[1]:
        raise CorpusError(component, f"labels {list(shape)}, a column per name", f"the shape {list(labels.shape)}")
    if not np.isfinite(labels).all():
        raise CorpusError(component, FINITE_LABELS, "NaN or infinity")
