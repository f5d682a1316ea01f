"""Sound files made wrong by hand, and odd ones that are right."""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from judge import Judge

from benchmarks.stress.good_files import RATE, encoded, frames_of_video, portrait, sound, speech


def wav(
    path: Path,
    tag: int = 1,
    channels: int = 1,
    rate: int = RATE,
    align: int = 2,
    bits: int = 16,
    riff: int | None = None,
    declared: int | None = None,
    samples: bytes = bytes(3200),
    extra: bytes = b"",
) -> None:
    """A wav file whose header says whatever one likes."""
    size = len(samples) if declared is None else declared
    form = struct.pack("<HHIIHH", tag, channels, rate, (rate * align) & 0xFFFFFFFF, align, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + extra + b"data" + struct.pack("<I", size) + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body)


def floats(value: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        wave = speech()
        wave[len(wave) // 2] = value
        soundfile.write(path, wave, RATE, subtype="FLOAT")

    return write


def flac(path: Path, **fields: int) -> None:
    """A FLAC file with other values in its STREAMINFO."""
    sound(path)
    data = bytearray(path.read_bytes())
    packed = int.from_bytes(data[18:26], "big")
    for name, (shift, width) in {"rate": (44, 20), "channels": (41, 3), "bits": (36, 5), "total": (0, 36)}.items():
        if name in fields:
            packed = packed & ~(((1 << width) - 1) << shift) | fields[name] << shift
    data[18:26] = packed.to_bytes(8, "big")
    path.write_bytes(data)


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("speech.wav", bytes(1000))


def numbers(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, speech())


def silent_video(path: Path) -> None:
    frames_of_video(path.with_suffix(".avi"), 3)
    path.with_suffix(".avi").rename(path)


REFUSED: dict[str, Callable[[Path], object]] = {
    "empty.wav": lambda path: path.write_bytes(b""),
    "one byte.wav": lambda path: path.write_bytes(b"R"),
    "four bytes.wav": lambda path: path.write_bytes(b"RIFF"),
    "only RIFF WAVE.wav": lambda path: path.write_bytes(b"RIFF\x04\0\0\0WAVE"),
    "zeros.wav": lambda path: path.write_bytes(bytes(5000)),
    "ones.mp3": lambda path: path.write_bytes(b"\xff" * 5000),
    "spaces.flac": lambda path: path.write_text(" " * 5000),
    "text.wav": lambda path: path.write_text("not speech\n" * 400),
    "text.mp3": lambda path: path.write_text("not speech\n" * 400),
    "page.mp4": lambda path: path.write_text("<html>404</html>" * 100),
    "picture.wav": lambda path: portrait().save(path, "PNG"),
    "picture.mp3": lambda path: portrait().save(path, "JPEG"),
    "moving picture.m4a": lambda path: portrait().save(path, "GIF"),
    "archive.mp3": archive,
    "pickle.wav": lambda path: path.write_bytes(pickle.dumps([0.0] * 500)),
    "numbers.wav": numbers,
    "json.wav": lambda path: path.write_text('{"samples": [0, 0]}'),
    "compressed.wav": lambda path: path.write_bytes(zlib.compress(bytes(5000))),
    "a video without sound.mp4": silent_video,
    "no channels.wav": lambda path: wav(path, channels=0, align=0),
    "all channels.wav": lambda path: wav(path, channels=65535),
    "rate 0.wav": lambda path: wav(path, rate=0),
    "rate 1.wav": lambda path: wav(path, rate=1),
    "rate 7999.wav": lambda path: wav(path, rate=7999),
    "rate 2^32-1.wav": lambda path: wav(path, rate=0xFFFFFFFF),
    "0 bits.wav": lambda path: wav(path, bits=0),
    "255 bits.wav": lambda path: wav(path, bits=255, align=32),
    "unknown codec.wav": lambda path: wav(path, tag=0xFFFE),
    "no codec.wav": lambda path: wav(path, tag=0),
    "declares more.wav": lambda path: wav(path, declared=1 << 20),
    "no data.wav": lambda path: path.write_bytes(b"RIFF\x1c\0\0\0WAVEfmt \x10\0\0\0" + bytes(16)),
    "endless chunk.wav": lambda path: wav(path, extra=b"JUNK\xff\xff\xff\xff"),
    "only data.wav": lambda path: path.write_bytes(b"RIFF\xff\0\0\0WAVEdata\xff\0\0\0" + bytes(255)),
    "NaN.wav": floats(float("nan")),
    "infinity.wav": floats(float("inf")),
    "1e30.wav": floats(1e30),
    "no samples.flac": lambda path: soundfile.write(path, speech()[:0], RATE),
    "2^36 samples.flac": lambda path: flac(path, total=(1 << 36) - 1),
    "rate 1.flac": lambda path: flac(path, rate=1),
    "8 channels.flac": lambda path: flac(path, channels=7),
    "only the head.flac": lambda path: path.write_bytes(b"fLaC"),
    "only a tag.mp3": lambda path: path.write_bytes(b"ID3\x04\0\0\0\0\x02\x00" + bytes(256)),
    "a tag of 256 MB.mp3": lambda path: path.write_bytes(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(256)),
    "only a frame head.mp3": lambda path: path.write_bytes(b"\xff\xfb\x90\x64"),
    "no moov.mp4": lambda path: path.write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\0\x08mdat"),
    "box of 2^64.mp4": lambda path: path.write_bytes(b"\0\0\0\x10ftypisom\0\0\2\0" + b"\0\0\0\1moov" + b"\xff" * 8),
    "boxes without end.mp4": lambda path: path.write_bytes(b"\0\0\0\x08free" * 5000),
    "boxes in boxes.mp4": lambda path: path.write_bytes(
        b"".join(struct.pack(">I4s", 8 * (400 - k), b"moov") for k in range(400))
    ),
    "31 years late.mkv": lambda path: encoded(path, "pcm_s16le", "mpeg4", late=1e9),
    "two weeks late.mp4": lambda path: encoded(path, "aac", "mpeg4", late=1.2e6),
    "playlist.m3u8": lambda path: path.write_text("#EXTM3U\n#EXTINF:9,\n/etc/passwd\n"),
    "list.wav": lambda path: path.write_text("ffconcat version 1.0\nfile speech.wav\n"),
    "description.sdp": lambda path: path.write_text("v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"),
    "only pages.ogg": lambda path: path.write_bytes(b"OggS" + bytes(23) * 40),
    "EBML.webm": lambda path: path.write_bytes(b"\x1a\x45\xdf\xa3\x01" + b"\xff" * 40),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_speech(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    (workdir / "model.safetensors").write_bytes(good["model.safetensors"])
    REFUSED[name](workdir / name)
    assert name in judge.refused("animate", name, "--model", "model.safetensors", "-o", "made/talk.mp4", "-q")


ACCEPTED: dict[str, Callable[[Path], object]] = {
    "flac.wav": lambda path: soundfile.write(path, speech(), RATE, format="FLAC"),
    "wav.mp3": lambda path: soundfile.write(path, speech(), RATE, format="WAV"),
    "wav.mp4": lambda path: soundfile.write(path, speech(), RATE, format="WAV"),
    "no suffix": lambda path: soundfile.write(path, speech(), RATE, format="OGG"),
    "open end.wav": lambda path: wav(path, declared=0xFFFFFFFF),
    "length of the file unknown.wav": lambda path: wav(path, riff=0),
    "garbage behind.wav": lambda path: wav(path, samples=bytes(3201)),
    "a law.wav": lambda path: soundfile.write(path, speech(), RATE, subtype="ALAW"),
    "8 bits.wav": lambda path: soundfile.write(path, speech(), RATE, subtype="PCM_U8"),
    "doubles.wav": lambda path: soundfile.write(path, speech(), RATE, subtype="DOUBLE"),
    "64 channels.wav": lambda path: soundfile.write(path, np.repeat(speech()[:, None], 64, 1), RATE),
    "one sample.wav": lambda path: soundfile.write(path, speech()[:1], RATE),
    "192 kHz.wav": lambda path: soundfile.write(path, speech(), 192_000),
    "late by a second.mkv": lambda path: encoded(path, "pcm_s16le", "mpeg4", late=1),
    "speech%03d.wav": sound,
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_speech(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    (workdir / "model.safetensors").write_bytes(good["model.safetensors"])
    ACCEPTED[name](workdir / name)
    judge.accepted("animate", name, "--model", "model.safetensors", "-o", "made/talk.mp4", "-q")
