"""Audio files read in constant memory: by soundfile where libsndfile knows the format, by FFmpeg elsewhere."""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..core.errors import AudioError
from .channel_layout import ChannelLayout, named_layout, vorbis_layout
from .container import as_one_error, best_stream, open_container, start_time

_log = logging.getLogger("headmotion")

Samples = NDArray[Any]
"""Samples ``[s]`` or ``[s, C]``: floats in -1..1, or integers whose full scale is that of their type."""

MIN_RATE, MAX_RATE = 8_000, 192_000
"""Sample rates (Hz) that can be read and resampled."""
CHUNK = 1 << 16
"""Samples per channel that are decoded at a time."""
MAX_GAP_S = 600
"""Seconds without a sample within a track; a longer gap is a damaged time stamp."""

# Other files go to FFmpeg: libsndfile would report some of them (MP3 above all) on the process's standard error.
_SOUNDFILE_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b".snd", b"caff", b"riff")
_RIFF_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""NumPy's names of FFmpeg's types of samples."""


class Source(Protocol):
    """Samples that can be read any number of times."""

    @property
    def name(self) -> str:
        """Name in error messages."""

    @property
    def rate(self) -> int:
        """Samples per second (Hz)."""

    @property
    def channels(self) -> int:
        """Number of channels."""

    @property
    def layout(self) -> ChannelLayout | None:
        """Which channels are center and low frequencies; None if the file does not say."""

    @property
    def length(self) -> int:
        """Exact number of samples per channel; some files must be decoded once to count them."""

    @property
    def announced_length(self) -> int | None:
        """Number of samples per channel according to the header; None if only decoding can count them."""

    def chunks(self) -> Iterator[Samples]:
        """Read all samples from the start, a bounded number at a time."""


def open_source(path: Path, track: int | None = None) -> Source:
    """Open an audio file, or a video's audio track; only headers are read.

    Args:
        path: the file.
        track: number of the audio track, from 1; None: the one that FFmpeg would play.

    Raises:
        AudioError: not there, not readable, not audio, empty, cut short, or of an unsupported rate.
    """
    name = f"audio file {path}"
    head = _checked_head(path, name)
    plain = SoundFileSource.open(path, name) if head.startswith(_SOUNDFILE_HEADS) and track in (None, 1) else None
    source = plain or ContainerSource.open(path, name, track)
    check_rate(source.rate, name)
    return source


def check_rate(rate: int, name: str) -> int:
    """Return ``rate``, or raise an `AudioError` if it is not a whole number of Hz within 8 to 192 kHz."""
    if not (isinstance(rate, int | np.integer) and MIN_RATE <= rate <= MAX_RATE):
        raise AudioError(name, "a whole sample rate of 8000 to 192000 Hz", repr(rate), "resample it first")
    return int(rate)


def soundfile_name(path: Path) -> str | bytes:
    """Return a path as soundfile takes it: bytes, which need not be UTF-8; on Windows text, which names are there."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)


@dataclass
class SoundFileSource:
    """A file that libsndfile reads; its header states its length."""

    path: Path
    name: str
    rate: int
    channels: int
    length: int
    layout: ChannelLayout | None = None

    @classmethod
    def open(cls, path: Path, name: str) -> SoundFileSource | None:
        """Read the header; None if libsndfile does not know the format, or the header leaves the length open."""
        try:
            with soundfile.SoundFile(soundfile_name(path)) as file:
                # libsndfile states nearly 2^63 frames where the header leaves the length open.
                # It counts the samples of an MP3 in a WAV file otherwise than it reads them.
                if not 0 < file.frames < 1 << 62 or file.subtype.startswith("MPEG"):
                    return None
                layout = _layout_of(path, name, file)
                return cls(path, name, file.samplerate, file.channels, file.frames, layout)
        except (soundfile.SoundFileError, TypeError):
            return None

    @property
    def announced_length(self) -> int:
        """Number of samples per channel."""
        return self.length

    def chunks(self) -> Iterator[Samples]:
        """Read float samples ``[s, C]``; fewer than the header promised is an error."""
        count = 0
        try:
            with soundfile.SoundFile(soundfile_name(self.path)) as file:
                while len(chunk := file.read(CHUNK, dtype="float32", always_2d=True)):
                    count += len(chunk)
                    yield chunk
        except (soundfile.SoundFileError, OSError) as error:
            raise _damaged(self.name, f"an error after {count} samples ({error})") from None
        if count < self.length:
            raise _damaged(self.name, f"{count} of {self.length} samples")


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
        with _audio_track(path, name, track) as (container, stream):
            first = next(container.decode(stream), None)
            if first is None:
                raise _empty(name)
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
            raise _empty(self.name)
        # A tenth of a second of tolerance: encoders state their padding inexactly.
        if self.strict and self.end is not None and count < self.end - self.rate // 10:
            raise _damaged(self.name, f"{count} of {self.end} samples")
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
        with _audio_track(self.path, self.name, self.track) as (container, stream):
            start = start_time(container)
            for frame in container.decode(stream):
                if frame.sample_rate != self.rate:
                    raise _damaged(self.name, f"a change of sample rate from {self.rate} to {frame.sample_rate} Hz")
                gap = 0 if frame.pts is None else _samples_at(frame.pts * frame.time_base - start, self.rate) - count
                if gap > MAX_GAP_S * self.rate:
                    raise _damaged(self.name, f"a pause of {gap // self.rate:,} seconds")
                # Stamps in whole milliseconds jitter; a real pause within a track is longer than 10 ms.
                if gap > (self.rate // 100 if count else 0):
                    yield from (np.zeros(min(CHUNK, gap - i), np.float32) for i in range(0, gap, CHUNK))
                    count += gap
                count += frame.samples
                yield _values(frame)


@contextlib.contextmanager
def _audio_track(path: Path, name: str, track: int | None) -> Iterator[tuple[Any, Any]]:
    """Open a file; the context's value is its container and its audio stream."""

    def damaged(reason: str) -> AudioError:
        remedy = "it is no audio, cut short or damaged: copy, record or export it again"
        return AudioError(name, "audio that can be decoded", reason, remedy)

    with as_one_error(damaged), open_container(path, damaged) as container:
        stream = best_stream(container, "audio") if track is None else _numbered(container, track, name)
        if stream is None:
            raise AudioError(name, "an audio track", "none", "give an audio file, or a video that has sound")
        yield container, stream


def _layout_of(path: Path, name: str, file: Any) -> ChannelLayout | None:
    """Return the layout of an open sound file, which soundfile does not expose; None if it is not stated."""
    count = file.channels
    if count not in range(3, 9):
        return None
    if file.format == "OGG":
        return vorbis_layout(count)
    try:
        with _audio_track(path, name, None) as (_, stream):
            layout = named_layout(stream.layout)
            return layout if stream.layout.nb_channels == count else None
    except AudioError:  # FFmpeg does not read everything that libsndfile does
        return None


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


def _values(frame: Any) -> Samples:
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


def _empty(name: str) -> AudioError:
    return AudioError(name, "at least one sample", "none", "check that the recording completed")


def _damaged(name: str, got: str) -> AudioError:
    return AudioError(name, "a whole audio file", got, "it is cut short or damaged: copy, record or export it again")


def _checked_head(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise AudioError(name, "a file", "a folder", "name a file inside it")
        if path.exists() and not path.is_file():
            raise AudioError(name, "a regular file", "a device or pipe", "write it to a file first")
        with path.open("rb") as file:
            head, size = file.read(12), path.stat().st_size
            if size == 0:
                raise AudioError(name, "audio", "an empty file", "check that the recording or download completed")
            declared = _declared_size(file, head, size)
    except FileNotFoundError:
        raise AudioError(name, "a file", "nothing there", "check the path") from None
    except PermissionError:
        raise AudioError(name, "a readable file", "permission denied", "change its permissions (chmod +r)") from None
    except (OSError, ValueError) as error:
        raise AudioError(name, "a readable file", str(error), "check the path") from None
    if declared > size:
        raise _damaged(name, f"{size} of the {declared} bytes that its header declares")
    return head


def _declared_size(file: BinaryIO, head: bytes, size: int) -> int:
    if head.startswith(_RIFF_HEADS):
        return _riff_size(file, ">" if head[:4] in (b"RIFX", b"FORM") else "<")
    return _mp4_size(file, size) if head[4:8] in _MP4_BOXES else 0


def _riff_size(file: BinaryIO, order: str) -> int:
    """Return the bytes up to the end of the samples; 0 where a header written to a pipe leaves the length open."""
    wide, position = 0, 12
    for _ in range(1000):
        file.seek(position)
        if len(chunk := file.read(8)) < 8:
            break
        kind, length = struct.unpack(order + "4sI", chunk)
        if kind == b"ds64" and len(sizes := file.read(16)) == 16:
            wide = struct.unpack("<8xQ", sizes)[0]
        if kind in (b"data", b"SSND"):
            # Programs that cannot seek back leave 0, 0xFFFFFFFF, or (sox, arecord) about 0x7FFFFFFF here.
            is_open = length == 0 or length >= 0x7FFFF000
            return position + 8 + (wide if is_open else length) if wide or not is_open else 0
        position += 8 + length + length % 2
    return 0


def _mp4_size(file: BinaryIO, size: int) -> int:
    """Return the bytes up to the end of the last box that matters."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1 and len(wide := file.read(8)) == 8:
            length = struct.unpack(">Q", wide)[0]
        if length < 8:  # 0: up to the end of the file
            return 0
        position += length
        if position > size:
            return position if kind in (b"mdat", b"moov", b"moof") else 0
    return position
