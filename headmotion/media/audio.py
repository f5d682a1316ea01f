"""Audio of any rate and channel count, read in mono blocks at any rate."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..core.arguments import as_path
from ..core.errors import AudioError
from ..core.timing import Rate, as_fps, frame_count
from .audio_file import open_source
from .audio_source import CHUNK, Samples, Source, check_rate, empty_error
from .channel_layout import USUAL_LAYOUTS
from .downmix import Downmixer
from .samples import Wave as Wave
from .samples import as_floats, as_samples

RESTART_SECONDS = 30
"""Age at which a resampler replaces its soxr stream by one that has received the last second only."""

CANCELED = 0.1
"""Energy of the mean of two channels relative to the louder one, below which they cancel each other; 0.5 if they are
independent, and 0.25 if one is silent."""


class Audio:
    """Sound with its own rate: an array, or a file that is decoded only while it is being read.

    Args:
        samples: ``[S]`` or ``[S, C]``, NumPy or torch: floats in -1..1, int16 or int32 at full scale. Copied.
        rate: samples per second, 8000 to 192000 Hz.

    Raises:
        AudioError: no samples, another shape or type, or a rate out of range.
    """

    __slots__ = ("_source", "_warned")
    _source: Source
    _warned: set[str]

    def __init__(self, samples: ArrayLike | Tensor, rate: int) -> None:
        array = as_samples(samples, "audio").copy()
        if not len(array):
            raise empty_error("audio")
        # Readers get slices of it.
        array.flags.writeable = False
        self._source, self._warned = _ArraySource(array, check_rate(rate, "audio")), set()

    @classmethod
    def load(cls, path: str | os.PathLike[str], track: int | None = None) -> Audio:
        """Open an audio file, or the audio track of a video; only its header is read now.

        Args:
            path: the file.
            track: number of the audio track, from 1; None: the one that FFmpeg would play. If that turns out to be
                silent and there are others, a warning says so.

        Raises:
            AudioError: the file is missing, unreadable, empty, no audio, cut short, or of an unsupported rate.
                Damage deeper in the file is found, and raised likewise, while reading.
        """
        audio = cls.__new__(cls)
        audio._source, audio._warned = open_source(as_path(path, "audio", AudioError), track), set()
        return audio

    @classmethod
    def coerce(cls, value: Audio | str | os.PathLike[str] | tuple[ArrayLike | Tensor, int]) -> Audio:
        """Return audio for an `Audio` itself, a path, or ``(samples, rate)``.

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
        raise AudioError("audio", "a path, an Audio or (samples, rate)", got, "an array needs its rate")

    @property
    def rate(self) -> int:
        """The audio's own sample rate (Hz)."""
        return self._source.rate

    @property
    def channels(self) -> int:
        """The audio's own number of channels; reading mixes them to one."""
        return self._source.channels

    @property
    def has_usual_order(self) -> bool:
        """Whether the channels are in the order of WAV files: front left, front right, center, low frequencies, ..."""
        return self._source.layout in (None, USUAL_LAYOUTS.get(self.channels))

    @property
    def length(self) -> int:
        """Samples per channel, ``S``, at the audio's own rate; a compressed file that has not been read is decoded."""
        return self._source.length

    @property
    def duration(self) -> Fraction:
        """Exact length (seconds)."""
        return Fraction(self.length, self.rate)

    def frames(self, fps: Rate) -> int:
        """Return the number of motion frames at ``fps`` frames per second: ``floor(duration * fps + 1/2)``."""
        return frame_count(self.duration, as_fps(fps))

    def announced_frames(self, fps: Rate) -> int | None:
        """Return the number of motion frames by the file's header, or None if only decoding can count them."""
        length = self._source.announced_length
        return None if length is None else frame_count(Fraction(length, self.rate), as_fps(fps))

    def blocks(self, rate: int = 16000, seconds: float = 1.0) -> Iterator[Wave]:
        """Read mono blocks in constant memory.

        Channels are mixed by a `Downmixer`. Where ``rate`` differs from the audio's own, the wave is resampled once.
        The samples do not depend on ``seconds``.

        Args:
            rate: samples per second of the blocks (Hz).
            seconds: length of each block; the last may be shorter.

        Raises:
            AudioError: the file turns out to be cut short or damaged, or a sample is not finite.
        """
        mixer = Downmixer(self.rate, self._source.name, self._source.layout, self._warned)
        resampler = Resampler(self.rate, rate)
        waves = map(mixer.push, self._source.chunks())
        return _blocks(waves, resampler, max(1, round(seconds * rate)))

    def cancels_when_folded(self) -> bool:
        """Return whether it has two channels that cancel each other, so that one loudspeaker plays nearly nothing.

        All of it is read.

        Raises:
            AudioError: as `blocks`.
        """
        if self.channels != 2:
            return False
        energies, folded = np.zeros(2), 0.0
        for chunk in self._source.chunks():
            block = as_floats(chunk, self._source.name).reshape(len(chunk), -1)
            energies += np.einsum("sc,sc->c", block, block, dtype=np.float64)
            mean = block.mean(axis=1)
            folded += float(np.einsum("s,s->", mean, mean, dtype=np.float64))
        return folded < CANCELED * float(energies.max())

    def channel_blocks(self, rate: int) -> Iterator[NDArray[np.float32]]:
        """Read blocks ``[s, C]`` of all channels as they are, resampled once, in constant memory.

        Raises:
            AudioError: as `blocks`.
        """
        stream = None if rate == self.rate else soxr.ResampleStream(self.rate, rate, self.channels, dtype="float32")
        received = emitted = 0
        for chunk in self._source.chunks():
            block = np.ascontiguousarray(as_floats(chunk, self._source.name).reshape(len(chunk), -1))
            if block.shape[1] != self.channels:  # a pause within the track has one channel
                block = np.repeat(block[:, :1], self.channels, axis=1)
            received += len(block)
            part = block if stream is None else stream.resample_chunk(block)
            emitted += len(part)
            yield part
        if stream is not None:
            total = (2 * received * rate + self.rate) // (2 * self.rate)
            tail = stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)[: total - emitted]
            yield np.pad(tail, ((0, total - emitted - len(tail)), (0, 0)))

    def read(self, rate: int = 16000, max_samples: int | None = None) -> Wave:
        """Read everything as one mono wave ``[S]`` at ``rate`` Hz, or no more than ``max_samples`` of it.

        A file of a few kilobytes can hold days of silence, so a caller who knows the length should say so.
        """
        blocks, count = [np.zeros(0, np.float32)], 0
        for block in self.blocks(rate):
            blocks.append(block)
            count += len(block)
            if max_samples is not None and count >= max_samples:
                break
        return np.concatenate(blocks)[:max_samples]

    def __repr__(self) -> str:
        return f"<Audio: {self._source.name}, {self.rate} Hz, {self.channels} channels>"


AudioLike = Audio | str | os.PathLike[str] | tuple[ArrayLike | Tensor, int]
"""A path, an `Audio`, or ``(samples, rate)``."""


class Resampler:
    """Conversion of a stream of samples to a mono wave at another rate; its result does not depend on the chunks.

    The filter has linear phase and its delay is compensated: sample ``n`` lies at ``n / rate`` seconds at either rate.
    If the rates are equal, samples pass through unchanged.

    Args:
        source: samples per second of what is pushed, a whole number of Hz within 8000 to 192000.
        target: samples per second of the result, likewise.
        name: what error messages call the audio.
    """

    def __init__(self, source: int, target: int = 16000, name: str = "audio") -> None:
        self.source, self.target = check_rate(source, name), check_rate(target, name)
        self._name = name
        self._received = self._emitted = 0
        # soxr's state cannot be read. But its filters are shorter than a second, so the last second that was received
        # repeats it to the last bit, and a stream that is replaced every now and then needs little silence before that.
        self._recent: deque[Wave] = deque()
        self._recent_samples = 0
        self._stream: Any = None
        if source != target:
            self._start_stream(0, np.zeros(0, np.float32))

    @property
    def delay_seconds(self) -> float:
        """Longest time that a sample waits inside for later ones (seconds), measured; 0 if the rates are equal."""
        return 0.0 if self._stream is None else _delay(self.source, self.target)

    def push(self, wave: Wave) -> Wave:
        """Convert the next samples ``[s]``, as a `Downmixer` returns them; return the part that they complete."""
        if self._stream is None:
            self._received += len(wave)
            self._emitted += len(wave)
            return wave
        resampled = [wave[:0]]
        while len(wave):
            end = (self._begin + RESTART_SECONDS) * self.source
            part, wave = np.split(wave, [end - self._received])
            self._remember(part)
            resampled.append(self._feed(part))
            if self._received == end:
                resampled.append(self._start_stream(end // self.source - 1, self._last_second()))
        return np.concatenate(resampled)

    def least_samples(self, count: int) -> int:
        """Return a number of samples to push, fewer than which give no ``count`` more, or give them 1 ms earlier."""
        if self._stream is None:
            return count
        # The last of them lies at or behind so many samples. The filter needs later ones too, how many depends on the
        # chunks: to the precision of `delay_seconds`, which is measured in steps of a millisecond.
        least = (self._emitted + count - 1) * self.source // self.target + 1 - self._received
        return max(least, self.source // 1000)

    def flush(self) -> Wave:
        """Return the remainder; all in all, ``floor(samples * target / source + 1/2)`` samples have been returned."""
        total = (2 * self._received * self.target + self.source) // (2 * self.source)
        remainder = np.zeros(total - self._emitted, np.float32)
        if self._stream is not None:
            tail = self._new_samples(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))[: len(remainder)]
            remainder[: len(tail)] = tail
        self._emitted = total
        return remainder

    def get_state(self) -> Any:
        """Return the position in the stream, from which `set_state` of a new resampler continues to the same bits."""
        begin = 0 if self._stream is None else self._begin
        return {
            "received": self._received,
            "emitted": self._emitted,
            "begin": begin,
            "recent": self._last_second(),
        }

    def set_state(self, state: Any) -> None:
        """Continue where `get_state` was called."""
        self._received, self._emitted, recent = state["received"], state["emitted"], state["recent"]
        if self._stream is not None:
            self._recent, self._recent_samples = deque([recent]), len(recent)
            silence = np.zeros(self._received - state["begin"] * self.source - len(recent), np.float32)
            self._start_stream(state["begin"], np.concatenate([silence, recent]))

    def _start_stream(self, begin: int, wave: Wave) -> Wave:
        """Begin a stream at a time (whole seconds) with the samples since then; return those that were not yet."""
        self._stream = _stream(self.source, self.target)
        self._begin, self._position = begin, begin * self.target
        return self._feed(wave)

    def _feed(self, wave: Wave) -> Wave:
        # In 20 ms steps, because soxr delays its output more after a long chunk.
        step = self.source // 50
        resampled = [self._stream.resample_chunk(wave[i : i + step]) for i in range(0, len(wave), step)]
        new = self._new_samples(np.concatenate(resampled) if resampled else wave)
        self._emitted += len(new)
        return new

    def _new_samples(self, resampled: Wave) -> Wave:
        """Drop the samples that an earlier stream returned already."""
        skipped = max(0, self._emitted - self._position)
        self._position += len(resampled)
        return resampled[skipped:]

    def _remember(self, wave: Wave) -> None:
        self._received += len(wave)
        self._recent.append(wave[-self.source :].copy())
        # Counted, not summed: single samples may be pushed, of which a second has many thousands.
        self._recent_samples += len(self._recent[-1])
        while self._recent_samples - len(self._recent[0]) >= self.source:
            self._recent_samples -= len(self._recent.popleft())

    def _last_second(self) -> Wave:
        return np.concatenate([np.zeros(0, np.float32), *self._recent])[-self.source :]


@dataclass(frozen=True)
class _ArraySource:
    array: Samples
    rate: int
    name: str = "audio"
    layout: None = None

    @property
    def channels(self) -> int:
        return 1 if self.array.ndim == 1 else self.array.shape[1]

    @property
    def length(self) -> int:
        return len(self.array)

    @property
    def announced_length(self) -> int:
        return len(self.array)

    def chunks(self) -> Iterator[Samples]:
        return (self.array[i : i + CHUNK] for i in range(0, len(self.array), CHUNK))


def _stream(source: int, target: int) -> Any:
    return soxr.ResampleStream(source, target, 1, dtype="float32", quality="HQ")


@cache
def _delay(source: int, target: int) -> float:
    # One second in steps of 1 ms is longer than any of soxr's filters.
    stream, step = _stream(source, target), np.zeros(source // 1000, np.float32)
    emitted, longest = 0, 0.0
    for count in range(1, 1001):
        emitted += len(stream.resample_chunk(step))
        longest = max(longest, count * len(step) / source - emitted / target)
    return longest + len(step) / source  # between two steps it may wait one step longer


def _blocks(waves: Iterable[Wave], resampler: Resampler, size: int) -> Iterator[Wave]:
    """Resample waves and cut the wave into blocks of ``size`` samples; the last may be shorter."""

    def resampled() -> Iterator[Wave]:
        for wave in waves:
            yield resampler.push(wave)
        yield resampler.flush()

    pending: list[Wave] = []
    count = 0
    for wave in resampled():
        pending.append(wave)
        count += len(wave)
        if count >= size:
            joined, full = np.concatenate(pending), count - count % size
            yield from (joined[i : i + size] for i in range(0, full, size))
            pending, count = [joined[full:]], count - full
    if count:
        yield np.concatenate(pending)
