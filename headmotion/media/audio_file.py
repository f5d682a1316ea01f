"""Audio files as streams of samples in constant memory: soundfile for plain audio files, PyAV for everything else."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import av
import av.error
import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..core.errors import AudioError

Samples = NDArray[Any]
"""Samples ``[s]`` or ``[s, C]``: floats in -1..1, or whole numbers of full scale."""

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
PIECE = 1 << 16  # samples decoded at a time
LONGEST_PAUSE = 600  # seconds without a sample: more is a damaged time stamp

# Other files go to PyAV: libsndfile would report some of them (MP3 above all) on the process's standard error.
_SOUNDFILE_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b".snd", b"caff", b"riff")
_RIFF_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


class Source(Protocol):
    """Where samples come from. It can be read any number of times."""

    @property
    def name(self) -> str:
        """What error messages call it."""

    @property
    def rate(self) -> int:
        """Samples per second (Hz)."""

    @property
    def channels(self) -> int:
        """Number of channels."""

    @property
    def length(self) -> int:
        """Exact number of samples; some files must be decoded once to tell."""

    def pieces(self) -> Iterator[Samples]:
        """All samples from the start, a bounded number at a time."""


def open_source(path: Path) -> Source:
    """The samples of an audio file, or of a video's audio track; only headers are read.

    Raises:
        AudioError: not there, not readable, not audio, empty, cut short, or of an unsupported rate.
    """
    name = f"audio file {path}"
    head = _checked_head(path, name)
    source: Source | None = None
    if head.startswith(_SOUNDFILE_HEADS):
        source = SoundFileSource.open(path, name)
    if source is None:
        source = ContainerSource.open(path, name)
    check_rate(source.rate, name)
    return source


def check_rate(rate: int, name: str) -> int:
    """``rate`` itself, or an `AudioError` if it is not a whole number of Hz within 8 to 192 kHz."""
    if not (isinstance(rate, int | np.integer) and LOWEST_RATE <= rate <= HIGHEST_RATE):
        raise AudioError(name, "a whole sample rate of 8000 to 192000 Hz", repr(rate), "resample it first")
    return int(rate)


@dataclass
class SoundFileSource:
    """A file that libsndfile reads; its header says how many samples it holds."""

    path: Path
    name: str
    rate: int
    channels: int
    length: int

    @classmethod
    def open(cls, path: Path, name: str) -> SoundFileSource | None:
        """None where libsndfile does not know the format, or the header leaves the length open."""
        try:
            with soundfile.SoundFile(os.fsencode(path)) as file:
                known = 0 < file.frames < 1 << 62
                return cls(path, name, file.samplerate, file.channels, file.frames) if known else None
        except (soundfile.SoundFileError, TypeError):
            return None

    def pieces(self) -> Iterator[Samples]:
        """Float samples ``[s, C]``; fewer than the header promised is an error."""
        count = 0
        try:
            with soundfile.SoundFile(os.fsencode(self.path)) as file:
                while len(piece := file.read(PIECE, dtype="float32", always_2d=True)):
                    count += len(piece)
                    yield piece
        except (soundfile.SoundFileError, OSError) as error:
            raise _damaged(self.name, f"an error after {count} samples ({error})") from None
        if count < self.length:
            raise _damaged(self.name, f"{count} of {self.length} samples")


@dataclass
class ContainerSource:
    """The best audio track of any file that FFmpeg reads; sample 0 lies at the container's own start."""

    path: Path
    name: str
    rate: int
    channels: int
    end: int | None
    """The sample at which the container says the track ends; codecs pad their last packet beyond it."""
    strict: bool
    """Whether ending before ``end`` means that the file is cut short."""

    @classmethod
    def open(cls, path: Path, name: str) -> ContainerSource:
        """Raises an `AudioError` where there is no audio track, or its first packet cannot be decoded."""
        with _container(path, name) as container:
            stream = _audio_stream(container, name)
            first = next(container.decode(stream), None)
            if first is None:
                raise _empty(name)
            # The first frame knows better than the header: some codecs double the rate that it states.
            rate, kind = first.sample_rate, container.format.name
            # Only MP4 and tagged MP3 count their samples; elsewhere a duration is a guess from the bit rate.
            # FFmpeg starts an MP3 later than 0 exactly where a tag told it the encoder's delay.
            tagged = kind == "mp3" and bool(stream.start_time)
            end = None
            if ("mp4" in kind or tagged) and stream.duration:
                stamp = ((stream.start_time or 0) + stream.duration) * stream.time_base
                end = _at_rate(stamp - _start(container), rate)
            return cls(path, name, rate, first.layout.nb_channels, end, tagged)

    @cached_property
    def length(self) -> int:
        """Counted by decoding once."""
        return sum(len(piece) for piece in self.pieces())

    def pieces(self) -> Iterator[Samples]:
        """Samples ``[s, C]``, silence where the track starts late or pauses, no padding after its end."""
        count, last = 0, None
        for piece in self._decoded():
            if last is not None:
                yield last
            count, last = count + len(piece), piece
        if last is None:
            raise _empty(self.name)
        if self.strict and self.end is not None and count < self.end - self.rate // 10:
            raise _damaged(self.name, f"{count} of {self.end} samples")
        excess = max(0, count - self.end) if self.end is not None else 0
        yield last[: len(last) - excess] if excess < len(last) else last

    def _decoded(self) -> Iterator[Samples]:
        count = 0
        with _container(self.path, self.name) as container:
            start = _start(container)
            for frame in container.decode(_audio_stream(container, self.name)):
                if frame.sample_rate != self.rate:
                    raise _damaged(self.name, f"a change of sample rate from {self.rate} to {frame.sample_rate} Hz")
                late = 0 if frame.pts is None else _at_rate(frame.pts * frame.time_base - start, self.rate) - count
                # Stamps in whole milliseconds jitter; a real pause within a track is longer than 10 ms.
                if late > LONGEST_PAUSE * self.rate:
                    raise _damaged(self.name, f"a pause of {late // self.rate:,} seconds")
                if late > (self.rate // 100 if count else 0):
                    yield from (np.zeros(min(PIECE, late - i), np.float32) for i in range(0, late, PIECE))
                    count += late
                samples = frame.to_ndarray()
                count += frame.samples
                yield samples.T if frame.format.is_planar else samples.reshape(frame.samples, -1)


@contextlib.contextmanager
def _container(path: Path, name: str) -> Iterator[Any]:
    try:
        # A playlist may name other files, even remote ones; nothing but local files is ever opened.
        options = {"protocol_whitelist": "file"}
        with av.open(str(path.resolve()), options=options, metadata_errors="ignore") as container:
            yield container
    except av.error.FFmpegError as error:
        remedy = "it is no audio, cut short or damaged: copy, record or export it again"
        raise AudioError(name, "audio that can be decoded", error.strerror or "a decoding error", remedy) from None


def _audio_stream(container: Any, name: str) -> Any:
    stream = container.streams.best("audio")
    if stream is None or stream.codec_context is None:
        raise AudioError(name, "an audio track", "none", "give an audio file, or a video that has sound")
    return stream


def _start(container: Any) -> Fraction:
    return Fraction(container.start_time or 0, av.time_base)


def _at_rate(seconds: Fraction, rate: int) -> int:
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
    """Bytes up to the end of the samples; 0 where a header written to a pipe leaves the length open."""
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
    """Bytes up to the end of the last box that matters."""
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
