"""Audio tracks of any file that FFmpeg reads, decoded in constant memory."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import AudioError
from .audio_source import CHUNK, Samples, damaged_error, empty_error
from .channel_layout import ChannelLayout, named_layout
from .container import as_one_error, best_stream, open_container, start_time

_log = logging.getLogger("headmotion")
MAX_GAP_S = 600
"""Seconds without a sample within a track; a longer gap is a damaged time stamp."""
_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""NumPy's names of FFmpeg's types of samples."""


@dataclass
class ContainerSource:
    """An audio track of any file that FFmpeg reads, by default the best; sample 0 lies at the container's own start."""

    path: Path
    name: str
    rate: int
    channels: int
    end: int | None
    """Sample at which the track ends according to the container; codecs pad their last packet beyond it."""
    strict: bool
    """Whether a track that ends before ``end`` is cut short."""
    layout: ChannelLayout | None = None
    track: int | None = None
    """Number of the track, from 1; None: the best."""
    tracks: int = 1
    """Number of tracks in the file."""
    _length: int | None = None
    _was_silent: bool = False

    @classmethod
    def open(cls, path: Path, name: str, track: int | None = None) -> ContainerSource:
        """Read the header and decode the first packet.

        Raises:
            AudioError: there is no (such) audio track, or its first packet cannot be decoded.
        """
        with audio_track(path, name, track) as (container, stream):
            first = next(container.decode(stream), None)
            if first is None:
                raise empty_error(name)
            # The first frame is right where the header is not: some codecs double the rate that it states.
            rate, kind = first.sample_rate, container.format.name
            # Only MP4 and tagged MP3 count their samples; elsewhere a duration is a guess from the bit rate.
            # FFmpeg starts an MP3 later than 0 exactly where a tag states the encoder's delay.
            tagged = kind == "mp3" and bool(stream.start_time)
            end = None
            if ("mp4" in kind or tagged) and stream.duration:
                stamp = ((stream.start_time or 0) + stream.duration) * stream.time_base
                end = _samples_at(stamp - start_time(container), rate)
            tracks = len(container.streams.audio)
            channels, layout = first.layout.nb_channels, named_layout(first.layout)
            return cls(path, name, rate, channels, end, tagged, layout, track, tracks)

    @property
    def length(self) -> int:
        """Number of samples, counted by decoding the file unless `chunks` has already reached its end."""
        if self._length is None:
            for _ in self.chunks():
                pass
        return self._length or 0

    @property
    def announced_length(self) -> int | None:
        """Number of samples that were counted, or else those of the header."""
        return self.end if self._length is None else self._length

    def chunks(self) -> Iterator[Samples]:
        """Decode samples ``[s, C]``, silence where the track starts late or pauses, no padding after its end."""
        return _joined(self._trimmed())

    def _trimmed(self) -> Iterator[Samples]:
        count, last, silent = 0, None, True
        for chunk in self._decoded():
            silent = silent and not chunk.any()
            if last is not None:
                yield last
            count, last = count + len(chunk), chunk
        if last is None:
            raise empty_error(self.name)
        # A tenth of a second of tolerance: encoders state their padding inexactly.
        if self.strict and self.end is not None and count < self.end - self.rate // 10:
            raise damaged_error(self.name, f"{count} of {self.end} samples")
        excess = max(0, count - self.end) if self.end is not None else 0
        trimmed = last[: len(last) - excess] if excess < len(last) else last
        self._length = count - len(last) + len(trimmed)
        if silent and self.tracks > 1 and not self._was_silent:
            self._was_silent = True  # said once
            _log.warning(
                "%s: its audio track is silent; track=N (--audio-track N) takes another of %d", self.name, self.tracks
            )
        yield trimmed

    def _decoded(self) -> Iterator[Samples]:
        count = 0
        with audio_track(self.path, self.name, self.track) as (container, stream):
            start = start_time(container)
            for frame in container.decode(stream):
                if frame.sample_rate != self.rate:
                    raise damaged_error(
                        self.name, f"a change of sample rate from {self.rate} to {frame.sample_rate} Hz"
                    )
                gap = 0 if frame.pts is None else _samples_at(frame.pts * frame.time_base - start, self.rate) - count
                if gap > MAX_GAP_S * self.rate:
                    raise damaged_error(self.name, f"a pause of {gap // self.rate:,} seconds")
                # Stamps in whole milliseconds jitter; a real pause within a track is longer than 10 ms.
                if gap > (self.rate // 100 if count else 0):
                    yield from (np.zeros(min(CHUNK, gap - i), np.float32) for i in range(0, gap, CHUNK))
                    count += gap
                count += frame.samples
                yield _samples_of(frame)


@contextlib.contextmanager
def audio_track(path: Path, name: str, track: int | None) -> Iterator[tuple[Any, Any]]:
    """Open a file; the context's value is its container and its audio stream.

    Args:
        path: the file.
        name: what errors call it.
        track: number of the audio track, from 1; None: the best.

    Raises:
        AudioError: it cannot be opened or, in the body, decoded, or has no (such) audio track.
    """

    def damaged(reason: str) -> AudioError:
        remedy = "it is no audio, cut short or damaged: copy, record or export it again"
        return AudioError(name, "audio that can be decoded", reason, remedy)

    with as_one_error(damaged), open_container(path, damaged) as container:
        stream = best_stream(container, "audio") if track is None else _numbered(container, track, name)
        if stream is None:
            raise AudioError(name, "an audio track", "none", "give an audio file, or a video that has sound")
        yield container, stream


def _joined(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """Join chunks of alike samples up to `CHUNK`: a frame is so short that the cost of each call would prevail."""
    pending: list[Samples] = []
    count = 0
    for chunk in chunks:
        if pending and (count + len(chunk) > CHUNK or chunk.shape[1:] != pending[0].shape[1:]):
            yield np.concatenate(pending)
            pending, count = [], 0
        pending.append(chunk)
        count += len(chunk)
    if pending:
        yield np.concatenate(pending)


def _numbered(container: Any, track: int, name: str) -> Any | None:
    streams = container.streams.audio
    if streams and not 1 <= track <= len(streams):
        raise AudioError(name, f"an audio track from 1 to {len(streams)}", str(track))
    return streams[track - 1] if streams else None


def _samples_of(frame: Any) -> Samples:
    """Return the samples ``[s, C]`` of a decoded frame."""
    kind, channels = np.dtype(_TYPES[frame.format.name.removesuffix("p")]), frame.layout.nb_channels
    # Planar frames have a plane per channel, others interleave the channels. PyAV reports further planes, and
    # its own conversion reads them, where eight channels fill FFmpeg's list of planes.
    planes, count = (channels, frame.samples) if frame.format.is_planar else (1, frame.samples * channels)
    values = np.stack([np.frombuffer(plane, kind, count) for plane in frame.planes[:planes]])
    if kind == np.int64:  # NumPy's integers are no full scale of ours
        values = (values / float(1 << 63)).astype(np.float32)
    return values.T if frame.format.is_planar else values.reshape(frame.samples, channels)


def _samples_at(seconds: Fraction, rate: int) -> int:
    return (seconds * rate + Fraction(1, 2)).__floor__()
