"""Audio of any rate and channel count, read in blocks at the rate that is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..core.errors import AudioError
from ..core.timing import Rate, as_fps, frame_count
from .audio_file import PIECE, Samples, Source, check_rate, open_source

Wave = NDArray[np.float32]
"""A mono wave ``[S]`` in -1..1."""

MAX_CHANNELS = 64
_LOUDEST = 64.0  # floats far beyond full scale are whole numbers that nobody has divided
_SCALES = {"uint8": (128, 128), "int16": (0, 1 << 15), "int32": (0, 1 << 31)}  # dtype: zero level, full scale


class Audio:
    """Sound with its own rate: an array, or a file that is decoded only while it is being read.

    Args:
        samples: ``[S]`` or ``[S, C]``, NumPy or torch; floats in -1..1, or int16 or int32 of full scale. Copied.
        rate: samples per second, 8000 to 192000 Hz.

    Raises:
        AudioError: no samples, another shape or type, or a rate out of range.
    """

    __slots__ = ("_source",)
    _source: Source

    def __init__(self, samples: ArrayLike | Tensor, rate: int) -> None:
        array = _as_array(samples, "audio").copy()
        if not len(array):
            raise AudioError("audio", "at least one sample", "none", "check that the recording completed")
        array.flags.writeable = False
        self._source = _ArraySource(array, check_rate(rate, "audio"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Audio:
        """Audio backed by an audio file, or by the audio track of a video; only its header is read now.

        Raises:
            AudioError: the file is missing, unreadable, empty, no audio, cut short, or of an unsupported rate.
                Damage deeper in the file is found, and raised likewise, while reading.
        """
        audio = cls.__new__(cls)
        audio._source = open_source(Path(path))
        return audio

    @classmethod
    def coerce(cls, value: Audio | str | os.PathLike[str] | tuple[ArrayLike | Tensor, int]) -> Audio:
        """Whatever a user may hold: an `Audio` itself, a path, or ``(samples, rate)``.

        Raises:
            AudioError: anything else, or what `load` and `Audio` raise.
        """
        if isinstance(value, Audio):
            return value
        if isinstance(value, str | os.PathLike):
            return cls.load(value)
        if isinstance(value, tuple) and len(value) == 2:
            return cls(*value)
        got = f"a {type(value).__name__}"
        raise AudioError("audio", "a path, an Audio or (samples, rate)", got, "an array needs its rate beside it")

    @property
    def rate(self) -> int:
        """Samples per second of the audio itself (Hz)."""
        return self._source.rate

    @property
    def channels(self) -> int:
        """Channels of the audio itself; reading mixes them to one."""
        return self._source.channels

    @property
    def length(self) -> int:
        """Samples per channel, ``S``, at the audio's own rate; compressed containers are decoded once to count them."""
        return self._source.length

    @property
    def duration(self) -> Fraction:
        """Exact length (seconds)."""
        return Fraction(self.length, self.rate)

    def frames(self, fps: Rate) -> int:
        """Motion frames that cover the audio at ``fps`` frames per second: ``floor(duration * fps + 1/2)``."""
        return frame_count(self.duration, as_fps(fps))

    def blocks(self, rate: int = 16000, seconds: float = 1.0) -> Iterator[Wave]:
        """Mono blocks of ``seconds`` each (the last may be shorter) at ``rate`` Hz, decoded in constant memory.

        Channels are averaged. Where ``rate`` differs from the audio's own, it is resampled once. The samples do not
        depend on ``seconds``.

        Raises:
            AudioError: the file turns out to be cut short or damaged, or a sample is not finite.
        """
        resampler = Resampler(self.rate, rate, self._source.name)
        return _blocks(self._source.pieces(), resampler, max(1, round(seconds * rate)))

    def read(self, rate: int = 16000) -> Wave:
        """The whole as one mono wave ``[S]`` at ``rate`` Hz: `blocks` joined."""
        return np.concatenate([np.zeros(0, np.float32), *self.blocks(rate)])

    def __repr__(self) -> str:
        return f"<Audio: {self._source.name}, {self.rate} Hz, {self.channels} channels>"


AudioLike = Audio | str | os.PathLike[str] | tuple[ArrayLike | Tensor, int]
"""A path, an `Audio`, or ``(samples, rate)``."""


class Resampler:
    """A stream of samples at one rate to a mono wave at another; the result does not depend on how it is cut.

    Linear phase with its delay taken out: sample ``n`` lies at ``n / rate`` seconds at either rate. Where the rates
    are equal, samples pass through unchanged. Rates are whole numbers within 8000 to 192000 Hz.
    """

    def __init__(self, source: int, target: int = 16000, name: str = "audio") -> None:
        self.source, self.target = check_rate(source, name), check_rate(target, name)
        self._name = name
        self._stream = None if source == target else _stream(source, target)
        self._received = self._emitted = 0

    @property
    def delay_seconds(self) -> float:
        """The longest that a sample waits inside for later ones (seconds), measured; 0 where rates are equal."""
        return 0.0 if self._stream is None else _delay(self.source, self.target)

    def push(self, samples: ArrayLike | Tensor) -> Wave:
        """Samples ``[s]`` or ``[s, C]`` in, the mono wave that they complete out.

        Raises:
            AudioError: another shape or type, or a sample that is not finite or far beyond full scale.
        """
        wave = as_mono(samples, self._name)
        self._received += len(wave)
        if self._stream is not None:
            # Short pieces: soxr holds more back after a long one.
            piece = self.source // 50
            parts = [self._stream.resample_chunk(wave[i : i + piece]) for i in range(0, len(wave), piece)]
            wave = np.concatenate(parts) if parts else wave
        self._emitted += len(wave)
        return wave

    def flush(self) -> Wave:
        """The rest; in all ``floor(samples * target / source + 1/2)`` samples have then come out."""
        total = (2 * self._received * self.target + self.source) // (2 * self.source)
        rest = np.zeros(total - self._emitted, np.float32)
        if self._stream is not None:
            tail = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)[: len(rest)]
            rest[: len(tail)] = tail
        self._emitted = total
        return rest


@dataclass(frozen=True)
class _ArraySource:
    array: Samples
    rate: int
    name: str = "audio"

    @property
    def channels(self) -> int:
        return 1 if self.array.ndim == 1 else self.array.shape[1]

    @property
    def length(self) -> int:
        return len(self.array)

    def pieces(self) -> Iterator[Samples]:
        return (self.array[i : i + PIECE] for i in range(0, len(self.array), PIECE))


def _stream(source: int, target: int) -> Any:
    return soxr.ResampleStream(source, target, 1, dtype="float32", quality="HQ")


@cache
def _delay(source: int, target: int) -> float:
    stream, step = _stream(source, target), np.zeros(source // 1000, np.float32)
    emitted, longest = 0, 0.0
    for count in range(1, 1001):
        emitted += len(stream.resample_chunk(step))
        longest = max(longest, count * len(step) / source - emitted / target)
    return longest + len(step) / source  # between two steps it may wait one step longer


def _as_array(samples: ArrayLike | Tensor, name: str) -> Samples:
    if isinstance(samples, torch.Tensor):
        samples = samples.detach().cpu()
        samples = samples.float() if samples.dtype is torch.bfloat16 else samples
    array = np.asarray(samples)
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MAX_CHANNELS):
        remedy = "transpose it if channels come first"
        raise AudioError(name, f"samples [S] or [S, C] with C up to {MAX_CHANNELS}", f"shape {array.shape}", remedy)
    if array.dtype.kind != "f" and array.dtype.name not in _SCALES:
        got = f"{array.dtype.name} samples"
        raise AudioError(name, "floats in -1..1, int16 or int32", got, "convert them to one of these")
    return array


def as_mono(samples: ArrayLike | Tensor, name: str) -> Wave:
    """Samples ``[S]`` or ``[S, C]`` as one wave ``[S]`` in -1..1, channels averaged.

    Raises:
        AudioError: another shape or type, or a sample that is not finite or far beyond full scale; ``name`` has it.
    """
    array = _as_array(samples, name)
    if array.dtype.kind == "f":
        peak = max(float(array.max(initial=0)), -float(array.min(initial=0)))
        if not peak <= _LOUDEST:  # also true of NaN, which compares with nothing
            got = "a NaN" if np.isnan(array).any() else f"a peak of {peak:g}"
            raise AudioError(name, "finite samples in -1..1", got, "repair it, or divide by its full scale")
        array = array.astype(np.float32)
    else:
        zero, full = _SCALES[array.dtype.name]
        array = (array.astype(np.float32) - zero) / np.float32(full)
    if array.ndim == 1:
        return np.ascontiguousarray(array)
    # One channel after another: the order of a NumPy reduction would depend on the block's shape.
    wave: Wave = sum(array[:, c] for c in range(1, array.shape[1])) + array[:, 0]
    return wave / np.float32(array.shape[1])


def _blocks(pieces: Iterable[Samples], resampler: Resampler, size: int) -> Iterator[Wave]:
    held: list[Wave] = []
    count = 0
    for wave in chain((resampler.push(piece) for piece in pieces), _flushed(resampler)):
        held.append(wave)
        count += len(wave)
        if count >= size:
            joined, whole = np.concatenate(held), count - count % size
            yield from (joined[i : i + size] for i in range(0, whole, size))
            held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)


def _flushed(resampler: Resampler) -> Iterator[Wave]:
    yield resampler.flush()
