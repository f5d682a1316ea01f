"""Audio files read in constant memory: by soundfile where libsndfile knows the format, by FFmpeg elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile  # type: ignore[import-untyped]

from ..core.errors import AudioError
from .audio_container import ContainerSource, audio_track
from .audio_source import CHUNK, Samples, Source, check_rate, damaged_error
from .channel_layout import ChannelLayout, named_layout, vorbis_layout
from .declared_size import declared_size

# Other files go to FFmpeg: libsndfile would report some of them (MP3 above all) on the process's standard error.
_SOUNDFILE_HEADS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b".snd", b"caff", b"riff")


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
            raise damaged_error(self.name, f"an error after {count} samples ({error})") from None
        if count < self.length:
            raise damaged_error(self.name, f"{count} of {self.length} samples")


def _layout_of(path: Path, name: str, file: Any) -> ChannelLayout | None:
    """Return the layout of an open sound file, which soundfile does not expose; None if it is not stated."""
    count = file.channels
    if count not in range(3, 9):
        return None
    if file.format == "OGG":
        return vorbis_layout(count)
    try:
        with audio_track(path, name, None) as (_, stream):
            layout = named_layout(stream.layout)
            return layout if stream.layout.nb_channels == count else None
    except AudioError:  # FFmpeg does not read everything that libsndfile does
        return None


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
            declared = declared_size(file, head, size)
    except FileNotFoundError:
        raise AudioError(name, "a file", "nothing there", "check the path") from None
    except PermissionError:
        raise AudioError(name, "a readable file", "permission denied", "change its permissions (chmod +r)") from None
    except (OSError, ValueError) as error:
        raise AudioError(name, "a readable file", str(error), "check the path") from None
    if declared > size:
        raise damaged_error(name, f"{size} of the {declared} bytes that its header declares")
    return head
