import os
import socket
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from headmotion.core.errors import AudioError
from headmotion.media.audio import Audio
from headmotion.media.audio_file import soundfile_name
from headmotion.media.audio_source import CHUNK

RATE = 44100
CLICKS = (0.5, 1.2)
SECONDS = 1.5


def clicks(rate=RATE):
    """Stereo hiss with a short burst at each of `CLICKS` (seconds)."""
    x = np.random.default_rng(0).standard_normal((round(rate * SECONDS), 2)).astype(np.float32) * 1e-3
    for at in CLICKS:
        x[round(at * rate)] = 0.9
    return x


def encode(path, codec, rate=RATE, video=False, late=0, **options):
    """`clicks` as a file that FFmpeg writes: the audio starts ``late`` seconds after the video."""
    with av.open(str(path), "w", options=options) as out:
        if video:
            picture = out.add_stream("mpeg4", rate=25)
            picture.width = picture.height = 32
        stream = out.add_stream(codec, rate=rate, layout="stereo")
        if video:
            for _ in range(38):
                out.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
            out.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(clicks(rate).T), format="fltp", layout="stereo")
        frame.rate, frame.pts, frame.time_base = rate, round(late * rate), Fraction(1, rate)
        context = stream.codec_context
        split = av.AudioResampler(context.format, "stereo", rate, context.frame_size or 1024)
        for part in [*split.resample(frame), *split.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode())
    return path


def click_times(audio, late=0):
    wave = audio.read()
    windows = [slice(round((at + late - 0.1) * 16000), round((at + late + 0.1) * 16000)) for at in CLICKS]
    return [(np.abs(wave[window]).argmax() + window.start) / 16000 for window in windows]


# Formats


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_16"),
        ("a.wav", "PCM_24"),
        ("a.wav", "FLOAT"),
        ("a.wav", "PCM_U8"),
        ("a.flac", None),
        ("a.ogg", "VORBIS"),
        ("a.aiff", None),
        ("a.au", None),
        ("a.caf", None),
        ("a.w64", None),
        ("a.rf64", None),
    ],
)
def test_sound_files_keep_length_and_time(tmp_path, name, subtype):
    soundfile.write(tmp_path / name, clicks(), RATE, subtype=subtype)
    audio = Audio.load(tmp_path / name)
    assert (audio.rate, audio.channels, audio.duration) == (RATE, 2, Fraction(3, 2))
    assert click_times(audio) == pytest.approx(CLICKS, abs=1e-4)
    assert len(audio.read()) == 24000


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [("a.mp3", "libmp3lame", False), ("a.m4a", "aac", False), ("a.mp4", "aac", True), ("a.webm", "libopus", False)],
)
def test_compressed_files_keep_length_and_time(tmp_path, name, codec, video, capfd):
    rate = 48000 if codec == "libopus" else RATE
    audio = Audio.load(encode(tmp_path / name, codec, rate, video))
    assert audio.duration == Fraction(3, 2)
    assert audio.length == sum(len(block) for block in audio.blocks(rate=audio.rate))
    assert click_times(audio) == pytest.approx(CLICKS, abs=2e-3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.mov", "pcm_s16le"), ("a.ts", "mp2")]
)
def test_a_late_track_is_preceded_by_silence(tmp_path, name, codec):
    audio = Audio.load(encode(tmp_path / name, codec, video=True, late=0.4))
    assert click_times(audio, late=0.4) == pytest.approx([at + 0.4 for at in CLICKS], abs=2e-3)
    assert np.all(audio.read()[:4000] == 0)
    assert float(audio.duration) == pytest.approx(SECONDS + 0.4, abs=0.03)


def test_a_pause_within_a_track_keeps_what_follows_in_time(tmp_path):
    path = tmp_path / "pause.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        for start in (0, 1600, 8000):
            tone = np.tile(np.array([16384, -16384], np.int16), 800)[None]  # not an offset, which would be removed
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    wave = np.abs(Audio.load(path).read())
    assert len(wave) == 9600
    assert np.all(wave[:3200] == 0.5) and np.all(wave[3200:8000] == 0) and np.all(wave[8000:] == 0.5)


# Headers written to a pipe, which leave the length open


def wav_with_size(path, declared):
    soundfile.write(path, clicks(), RATE)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = data[4:8] = struct.pack("<I", declared)
    path.write_bytes(data)


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_open_ended_wav_is_read_to_its_end(tmp_path, declared):
    wav_with_size(tmp_path / "piped.wav", declared)
    audio = Audio.load(tmp_path / "piped.wav")
    assert audio.duration == Fraction(3, 2)
    assert click_times(audio) == pytest.approx(CLICKS, abs=1e-4)


def test_open_ended_flac_is_counted(tmp_path):
    path = tmp_path / "piped.flac"
    soundfile.write(path, clicks(), RATE)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # STREAMINFO: the 36 bits of the sample count
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert Audio.load(path).duration == Fraction(3, 2)


def test_short_frames_are_read_together(tmp_path):
    source = Audio.load(encode(tmp_path / "a.m4a", "aac"))._source
    lengths = [len(chunk) for chunk in source.chunks()]
    assert sum(lengths) == source.length and len(lengths) == 2
    assert CHUNK - 1024 < lengths[0] <= CHUNK


def test_a_file_that_was_read_is_not_decoded_again_for_its_length(tmp_path, monkeypatch):
    audio = Audio.load(encode(tmp_path / "a.mp3", "libmp3lame"))
    samples = len(audio.read(RATE))
    monkeypatch.setattr(av, "open", lambda *_, **__: pytest.fail("opened again"))
    assert audio.length == samples == round(RATE * SECONDS)


# Files that cannot be used


def cut(path, part=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def scratch(path, part=0.5):
    data = bytearray(path.read_bytes())
    at = int(len(data) * part)
    data[at : at + 3000] = bytes(3000)
    path.write_bytes(data)


def cut_sound(path, **options):
    soundfile.write(path, clicks(), RATE, **options)
    cut(path)


def silent_video(path):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        out.mux(stream.encode())


def with_a_nan(path):
    x = clicks()
    x[50000, 1] = np.nan
    soundfile.write(path, x, RATE, subtype="FLOAT")


BAD = {
    "missing.wav": (lambda path: None, "nothing there"),
    "folder.wav": (lambda path: path.mkdir(), "a folder"),
    "empty.wav": (lambda path: path.touch(), "an empty file"),
    "nothing.wav": (lambda path: soundfile.write(path, clicks()[:0], RATE), "at least one sample"),
    "text.wav": (lambda path: path.write_text("hello there\n" * 100), "audio that can be decoded"),
    "text.mp3": (lambda path: path.write_text("hello there\n" * 100), "audio"),
    "text.txt": (lambda path: path.write_text("hello there\n" * 100), "an audio track"),
    "raw.raw": (lambda path: path.write_bytes(bytes(range(256)) * 9), "audio"),
    "riff.wav": (lambda path: path.write_bytes(b"RIFF" + bytes(100)), "audio"),
    "slow.wav": (lambda path: soundfile.write(path, clicks(), 4000), "got 4000"),
    "fast.wav": (lambda path: soundfile.write(path, clicks(), 384000), "got 384000"),
    "nan.wav": (with_a_nan, "a NaN"),
    "cut.wav": (cut_sound, "bytes that its header declares"),
    "cut.aiff": (cut_sound, "bytes that its header declares"),
    "cut.rf64": (cut_sound, "bytes that its header declares"),
    "header.wav": (lambda path: (soundfile.write(path, clicks(), RATE), cut(path, 1e-4)), "audio"),
    "cut.flac": (cut_sound, "cut short"),
    "cut.mp3": (lambda path: (encode(path, "libmp3lame"), cut(path)), "cut short"),
    "cut.m4a": (lambda path: (encode(path, "aac"), cut(path)), "bytes that its header declares"),
    "streamed.m4a": (
        lambda path: (encode(path, "aac", movflags="faststart"), cut(path, 0.9)),
        "bytes that its header declares",
    ),
    "scratched.flac": (lambda path: (soundfile.write(path, clicks(), RATE), scratch(path)), "damaged"),
    "scratched.ogg": (lambda path: (soundfile.write(path, clicks(), RATE), scratch(path, 0.8)), "damaged"),
    "scratched.mp3": (lambda path: (encode(path, "libmp3lame"), scratch(path)), "damaged"),
    "scratched.m4a": (lambda path: (encode(path, "aac"), scratch(path)), "damaged"),
    "mute.mp4": (silent_video, "an audio track"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_line_and_nothing_else_is_printed(tmp_path, name, capfd):
    make, says = BAD[name]
    path = tmp_path / name
    make(path)
    capfd.readouterr()
    with pytest.raises(AudioError) as caught:
        Audio.load(path).read()
    error, message = caught.value, str(caught.value)
    assert "\n" not in message
    assert str(path) in message and says in message and error.remedy
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name", ["missing.wav", "folder.wav", "empty.wav", "nothing.wav", "text.wav", "cut.wav", "cut.m4a", "mute.mp4"]
)
def test_errors_in_the_header_are_raised_while_loading(tmp_path, name):
    BAD[name][0](tmp_path / name)
    with pytest.raises(AudioError):
        Audio.load(tmp_path / name)


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "secret.wav"
    soundfile.write(path, clicks(), RATE)

    def deny(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # chmod would not stop root
    with pytest.raises(AudioError, match="permission denied"):
        Audio.load(path)


def test_paths_are_text_on_windows_and_bytes_elsewhere(monkeypatch):
    assert soundfile_name(Path("\udcff.wav")) == b"\xff.wav"
    monkeypatch.setattr(sys, "platform", "win32")
    assert soundfile_name(Path("ü.wav")) == "ü.wav"


def test_a_file_that_vanishes_or_shrinks_after_loading(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, clicks(), RATE)
    audio = Audio.load(path)
    cut(path)
    with pytest.raises(AudioError, match="of 66150 samples"):
        audio.read()
    path.unlink()
    with pytest.raises(AudioError):
        audio.read()


def test_a_playlist_never_reaches_the_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        path = tmp_path / "list.m3u8"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n#EXT-X-ENDLIST\n")
        with pytest.raises(AudioError):
            Audio.load(path)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="the system cannot tell")
def test_an_unfinished_download_is_refused_before_it_is_searched(tmp_path):
    path = tmp_path / "speech.mp3"
    path.write_bytes(b"\xff\xfb\x90\x00" + bytes(413))
    os.truncate(path, 1 << 40)
    with pytest.raises(AudioError, match=r"never written, as in an unfinished download .*cp --sparse=never"):
        Audio.load(path)
