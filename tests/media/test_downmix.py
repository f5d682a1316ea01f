from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

import headmotion as hm
from headmotion.core.errors import AudioError
from headmotion.media.audio import Audio
from headmotion.media.downmix import Downmixer

RATE = 16_000
RNG = np.random.default_rng(0)
TIME = np.arange(2 * RATE) / RATE
VOICE = (0.3 * np.sin(2 * np.pi * 180 * TIME) * np.sin(2 * np.pi * 2 * TIME)).astype(np.float32)
OTHER = (0.3 * np.sin(2 * np.pi * 230 * TIME) * np.cos(2 * np.pi * 2 * TIME)).astype(np.float32)
BASS = (0.6 * np.sin(2 * np.pi * 40 * TIME)).astype(np.float32)
NONE = np.zeros_like(VOICE)
LONG = np.tile(VOICE, 3) * np.linspace(1, 0.5, 3 * len(VOICE), dtype=np.float32)


def mix(*channels: np.ndarray) -> np.ndarray:
    return Downmixer(RATE).push(np.stack(channels, axis=1))


def rms(wave: np.ndarray) -> float:
    return float(np.sqrt(np.square(wave, dtype=np.float64).mean()))


def test_equal_channels_are_their_average_bit_for_bit() -> None:
    assert np.array_equal(mix(VOICE, VOICE), VOICE)
    assert np.array_equal(Downmixer(RATE).push(VOICE), VOICE)
    assert np.array_equal(Downmixer(RATE).push(VOICE[:, None]), VOICE)


@pytest.mark.parametrize("correlation", [-1, -0.9, -0.6, -0.4, -0.2, 0, 0.3, 0.9, 1])
def test_no_correlation_loses_level(correlation: float) -> None:
    second = correlation * VOICE + np.sqrt(1 - correlation**2) * OTHER
    assert 0.9 * rms(VOICE) < rms(mix(VOICE, second)) < 1.15 * rms(VOICE)


@pytest.mark.parametrize("channels", [(VOICE, NONE), (NONE, VOICE), (NONE, NONE, NONE, VOICE), (VOICE, NONE, NONE)])
def test_silent_channels_take_no_level(channels: tuple[np.ndarray, ...]) -> None:
    np.testing.assert_allclose(mix(*channels), VOICE, atol=1e-6)


@pytest.mark.parametrize("count", [3, 5, 6, 7, 8])
def test_the_center_has_the_speech(count: int) -> None:
    channels = [OTHER] * count
    channels[2] = 0.1 * VOICE
    start = RATE // 10  # at the very start the voice is silent, and the center empty
    np.testing.assert_allclose(mix(*channels)[start:], channels[2][start:], atol=1e-6)
    channels[2] = NONE
    assert rms(mix(*channels)) == pytest.approx(rms(OTHER), rel=0.05), "an empty center is no speech"


@pytest.mark.parametrize("level_db", [-60, -38, -32])
def test_a_center_that_is_hardly_audible_does_not_replace_the_speech(level_db: float) -> None:
    noise = rms(VOICE) * 10 ** (level_db / 20) * RNG.standard_normal(len(VOICE)).astype(np.float32)
    mixed = mix(VOICE, VOICE, noise, NONE, NONE, NONE)
    share = min(1.0, (-30 - level_db) / 10)
    np.testing.assert_allclose(mixed[RATE:], (share * VOICE + noise)[RATE:], atol=0.1 * rms(VOICE))
    assert np.corrcoef(mixed[RATE:], VOICE[RATE:])[0, 1] > 0.98


LAYOUTS = ("2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "6.1", "7.1")
ENCODERS = {
    ("wav", "pcm_s16le"): LAYOUTS,
    ("flac", "flac"): LAYOUTS,
    ("mkv", "flac"): LAYOUTS,
    ("m4a", "aac"): ("3.0", "4.0", "5.0", "5.1", "7.1"),
    ("m4a", "alac"): ("3.0", "4.0", "5.0", "5.1", "6.1(back)", "7.1(wide)"),
    ("ac3", "ac3"): ("2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1"),
    ("eac3", "eac3"): ("2.1", "3.0", "3.1", "4.0", "4.1", "5.0", "5.1"),
    ("mp4", "ac3"): ("5.1", "5.1(side)"),
    ("mkv", "libopus"): ("3.0", "5.1", "7.1"),  # FFmpeg writes 5.0 and 6.1 in a wrong order
    ("opus", "libopus"): ("3.0", "5.1", "7.1"),
}
FILE_RATE = 48_000


def surround(layout: str) -> np.ndarray:
    """Speech in the center, or in front where there is none, bass, and music elsewhere in front, ``[S, C]``."""
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    time = np.arange(2 * FILE_RATE) / FILE_RATE
    voice, music, bass = (np.interp(time, TIME, each) for each in (VOICE, OTHER, BASS))
    front = music if "FC" in names else voice
    parts = {"FC": voice, "LFE": bass, "FL": front, "FR": front}
    return np.stack([parts.get(name, np.zeros_like(voice)) for name in names], axis=1).astype(np.float32)


def written(path: Path, encoder: str, layout: str) -> Path:
    """`surround` as FFmpeg writes it."""
    samples = surround(layout)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = FILE_RATE, 0, Fraction(1, FILE_RATE)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(encoder, rate=FILE_RATE, layout=layout)
        context = stream.codec_context
        split = av.AudioResampler(context.format, layout, FILE_RATE, context.frame_size or 1024)
        for part in [*split.resample(frame), *split.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


def speech_in(wave: np.ndarray) -> tuple[float, float]:
    """Return the level of the speech in a wave, 1 being all of it, and how like speech it is, whatever its delay."""
    wave = np.pad(wave, (0, max(0, len(VOICE) - len(wave))))[: len(VOICE)].astype(np.float64)
    product = np.fft.irfft(np.fft.rfft(wave) * np.conj(np.fft.rfft(VOICE))).max()
    return product / np.square(VOICE).sum(), product / np.sqrt(np.square(VOICE).sum() * np.square(wave).sum())


@pytest.mark.parametrize(("kind", "layout"), [(kind, layout) for kind, names in ENCODERS.items() for layout in names])
def test_files_say_which_channel_is_which(kind: tuple[str, str], layout: str, tmp_path: Path) -> None:
    audio = Audio.load(written(tmp_path / f"speech.{kind[0]}", kind[1], layout))
    assert audio.channels == len(av.AudioLayout(layout).channels)
    wave = audio.read()
    level, likeness = speech_in(wave)
    assert likeness > 0.98 and 0.95 < level < 1.05
    assert np.array_equal(np.concatenate(list(audio.blocks(seconds=0.013)))[: len(wave)], wave)


@pytest.mark.parametrize("container", ["wav", "mkv"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_that_do_not_say_it_keep_the_speech(layout: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / f"speech.{container}"
    if container == "wav":
        soundfile.write(path, surround(layout), FILE_RATE)
    else:  # Matroska has no layout of plain samples
        written(path, "pcm_s16le", layout)
    audio = Audio.load(path)
    assert audio._source.layout is None
    level, likeness = speech_in(audio.read())
    if audio.channels == 4:  # of which any may have the speech
        assert level > 0.4
    else:
        assert likeness > 0.98 and level > 0.95


def test_what_is_expected_there_must_be_found_there() -> None:
    assert speech_in(mix(VOICE, VOICE, BASS))[1] > 0.98, "a bass in place of the center"
    assert speech_in(mix(NONE, NONE, NONE, VOICE, NONE, NONE))[1] > 0.98, "speech in place of the bass"
    offset = mix(OTHER, OTHER, VOICE + 0.3, BASS, NONE, NONE)
    assert np.corrcoef(offset[RATE:], VOICE[RATE:])[0, 1] > 0.98, "a center with an offset"
    assert np.abs(mix(NONE, NONE, BASS)[RATE:] - BASS[RATE:]).max() < 1e-6, "nothing else there"


@pytest.mark.parametrize("first", [1, -1])
def test_a_phase_that_turns_within_a_recording_cancels_for_a_moment_only(first: int) -> None:
    voice = LONG
    sign = np.where(np.arange(len(voice)) < len(voice) // 2, first, -first)
    mixed = Downmixer(RATE).push(np.stack([voice, sign * voice], axis=1))
    for part in (slice(None, len(voice) // 2), slice(len(voice) // 2 + RATE // 2, None)):
        assert rms(mixed[part]) == pytest.approx(rms(voice[part]), rel=0.05)


def test_the_wave_keeps_its_phase_whichever_channel_is_the_loudest() -> None:
    voice, other = LONG, np.tile(OTHER, 3)
    right = -0.99 * voice + 0.14 * other  # now a little louder than the left channel, now a little less loud
    mixed = Downmixer(RATE).push(np.stack([voice, right], axis=1))
    assert np.corrcoef(mixed, voice)[0, 1] > 0.98


def test_antiphase_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    audio = Audio(np.stack([VOICE, -VOICE], axis=1), RATE)
    for _ in range(2):
        assert rms(audio.read()) == pytest.approx(rms(VOICE))
    (message,) = caplog.messages
    assert message == "audio: channels cancel each other: those in antiphase are inverted before they are added"


def test_antiphase_beside_a_center_that_is_taken_alone_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    mixed = Downmixer(RATE).push(np.stack([-0.5 * VOICE, -0.5 * VOICE, VOICE, NONE, NONE, NONE], axis=1))
    np.testing.assert_array_equal(mixed, VOICE)
    assert not caplog.messages


@pytest.mark.parametrize("channels", [2, 4, 6])
@pytest.mark.parametrize("offset", [0.0, 0.05])
def test_chunks_change_nothing(offset: float, channels: int) -> None:
    voices = [VOICE, 0.2 * OTHER - 0.7 * VOICE, OTHER, NONE, BASS, -VOICE]
    samples = np.stack(voices[:channels], axis=1) + np.float32(offset)
    whole, mixer, parts, first = Downmixer(RATE).push(samples), Downmixer(RATE), [], 0
    while first < len(samples):
        count = int(RNG.integers(0, 999))
        parts.append(mixer.push(samples[first : first + count]))
        state, mixer = mixer.get_state(), Downmixer(RATE)
        mixer.set_state(state)
        first += count
    assert np.array_equal(np.concatenate(parts), whole)


def test_an_offset_is_removed_and_nothing_else() -> None:
    for offset in (0.05, -0.1):
        assert abs(float(Downmixer(RATE).push(VOICE + np.float32(offset))[RATE:].mean())) < 0.003
    for quiet in (0.001, 0.01):
        assert np.array_equal(Downmixer(RATE).push(VOICE + np.float32(quiet)), VOICE + np.float32(quiet))


@pytest.mark.parametrize("channels", [4, 5, 6, 8])
def test_a_stream_without_a_stated_layout_is_the_array_and_the_file(channels: int, tmp_path: Path) -> None:
    pipe = hm.build(hm.PipelineSpec(), device="cpu")
    samples = np.stack([OTHER if c == 2 else 0.9 * VOICE for c in range(channels)], axis=1)[:RATE]
    session = pipe.stream(sample_rate=RATE)
    frames = [session.push(samples[k : k + 333]) for k in range(0, RATE, 333)]
    values = hm.Motion.concatenate([*frames, session.flush()]).values
    soundfile.write(tmp_path / "a.wav", samples, RATE, "FLOAT")
    for same in ((samples, RATE), tmp_path / "a.wav"):
        assert (values - pipe.generate(same).values).abs().max() < 1e-5
    center = (values - pipe.generate((OTHER[:RATE], RATE)).values).abs().max()
    assert center > 1e-3 if channels == 4 else center < 1e-3


def test_a_stream_of_many_channels_is_the_file() -> None:
    pipe = hm.build(hm.PipelineSpec(), device="cpu")
    samples = np.stack([VOICE, -VOICE], axis=1)[:RATE]
    session = pipe.stream(sample_rate=RATE)
    frames = [session.push(samples[k : k + 700]).values for k in range(0, RATE, 700)] + [session.flush().values]
    whole = pipe.generate((samples, RATE)).values
    assert np.abs(np.concatenate(frames) - whole.numpy()).max() < 1e-5
    assert (whole - pipe.generate((VOICE[:RATE], RATE)).values).abs().max() < 1e-5


@pytest.mark.parametrize("rows", [[[1, 2], [3]], [["a"]], [[[1.0]]], [None]])
def test_what_is_no_samples_is_one_error(rows: object) -> None:
    with pytest.raises(AudioError):
        Downmixer(RATE).push(rows)


def test_a_silent_first_track(tmp_path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        for stream, wave in zip(streams, (NONE, VOICE), strict=True):
            frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    first = Audio.load(path)
    assert not first.read().any() and not first.read().any()
    (message,) = caplog.messages
    assert "its audio track is silent" in message and "--audio-track" in message
    assert rms(Audio.load(path, track=2).read()) == pytest.approx(rms(VOICE), rel=1e-2)
    with pytest.raises(AudioError, match="an audio track from 1 to 2, got 3"):
        Audio.load(path, track=3)


def test_mp3_in_wav(tmp_path) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libmp3lame", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(VOICE[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        split = av.AudioResampler("fltp", "mono", RATE, stream.codec_context.frame_size)
        for part in [*split.resample(frame), *split.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    assert path.read_bytes()[20] == 0x55
    audio = Audio.load(path)
    assert len(audio.read()) / RATE == float(audio.duration) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 2), (16_000, 6)])
def test_channels_are_read_as_they_are(rate: int, channels: int) -> None:
    samples = RNG.uniform(-0.5, 0.5, (rate, channels)).astype(np.float32)
    blocks = np.concatenate(list(Audio(samples, rate).channel_blocks(48_000)))
    assert blocks.shape == (48_000, channels)
    if rate == 48_000:
        assert np.array_equal(blocks, samples)
