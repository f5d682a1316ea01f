"""One clip: landmarks and the speech that belongs to them, and their two files ``ID.npz`` and ``ID.flac``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from ..core.arrays import as_float32, read_arrays
from ..core.errors import CorpusError, MotionError
from ..core.files import atomic_output

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

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(len(self.landmarks) / self.fps)


@dataclass(frozen=True, eq=False)
class Stored:
    """What the two files of a clip hold; audio as the 16-bit numbers that are stored."""

    landmarks: npt.NDArray[np.float32]
    audio: npt.NDArray[np.int16]
    fps: Fraction
    image_size: tuple[int, int] | None


def read_clip(folder: Path, name: str) -> Stored:
    """The clip ``name`` in ``folder``.

    Raises:
        CorpusError: a file is missing or damaged, values are not finite, or audio and landmarks differ in length.
    """
    from ..core.timing import as_fps  # here, because writing a corpus needs no torch

    component = f"clip {folder / name}"
    try:
        stored = read_arrays(folder / f"{name}.npz", "landmarks", "fps", "image_size")
        landmarks = as_float32(stored["landmarks"])
        fps = as_fps(str(stored.get("fps", 25)))
        height, width = map(int, stored.get("image_size", (0, 0)))
        audio, rate = soundfile.read(os.fsencode(folder / f"{name}.flac"), dtype="int16")
    except (OSError, KeyError, ValueError, TypeError, OverflowError, RuntimeError, MemoryError, MotionError) as error:
        raise CorpusError(component, "a readable .npz and .flac", f"{type(error).__name__}: {error}") from None
    if rate != SAMPLE_RATE:
        raise CorpusError(component, f"{SAMPLE_RATE} samples per second", str(rate))
    _check(component, landmarks, audio, fps)
    return Stored(landmarks, audio, fps, (height, width) if height else None)


def write_clip(folder: Path, clip: Clip) -> None:
    """Write the two files of ``clip`` into ``folder``; values beyond -1..1 of the audio are clipped.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    _check(f"clip {clip.id}", clip.landmarks, clip.audio, clip.fps)
    samples = np.clip(np.round(clip.audio * FULL_SCALE), -32768, 32767).astype(np.int16)
    with atomic_output(folder / f"{clip.id}.flac") as temporary:
        soundfile.write(temporary, samples, SAMPLE_RATE, subtype="PCM_16")
    values: dict[str, Any] = {"landmarks": clip.landmarks.astype(np.float32), "fps": np.array(str(clip.fps))}
    if clip.image_size is not None:
        values["image_size"] = np.array(clip.image_size)
    with atomic_output(folder / f"{clip.id}.npz") as temporary, temporary.open("wb") as stream:
        np.savez(stream, **values)


def _check(component: str, landmarks: npt.NDArray[Any], audio: npt.NDArray[Any], fps: Fraction) -> None:
    if landmarks.ndim != 3 or landmarks.shape[-1] < 2 or not len(landmarks):
        raise CorpusError(component, "landmarks [T, P, 2 or more]", f"the shape {list(landmarks.shape)}")
    if not (np.isfinite(landmarks).all() and np.isfinite(audio).all()):
        raise CorpusError(component, "finite landmarks and samples", "NaN or infinity")
    if fps <= 0:
        raise CorpusError(component, "more than 0 frames per second", str(fps))
    needed = (len(landmarks) * SAMPLE_RATE / fps + Fraction(1, 2)).__floor__()
    if audio.shape != (needed,):
        shape = list(audio.shape)
        raise CorpusError(component, f"{needed} mono samples for {len(landmarks)} frames", f"the shape {shape}")
