import pickle
import struct
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.core.errors import AudioError
from headmotion.media.audio import Audio, Resampler
from headmotion.media.downmix import Downmixer

RATES = [8000, 11025, 12345, 16000, 22050, 32000, 44100, 47999, 48000, 96000, 192000]


def noise(length, channels=None, seed=0):
    shape = length if channels is None else (length, channels)
    return (np.random.default_rng(seed).standard_normal(shape) * 0.1).astype(np.float32)


def sparse_wav(path, rate, seconds):
    """Stereo silence of 16 bit that takes no room on the disk, and a click in its very last sample."""
    size = rate * seconds * 4
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, 2, rate, rate * 4, 4, 16) + b"data" + struct.pack("<I", size))
        file.truncate(44 + size)
        file.seek(40 + size)
        file.write(struct.pack("<hh", 9830, 9830))
    return path


# Audio from arrays


def test_array_keeps_its_own_rate_and_counts():
    audio = Audio(noise(22051, 2), 22050)
    assert (audio.rate, audio.channels, audio.length) == (22050, 2, 22051)
    assert audio.duration == Fraction(22051, 22050)
    assert audio.frames(25) == 25
    assert "22050 Hz" in repr(audio)


def test_array_is_copied_and_audio_is_immutable():
    samples = noise(1600)
    audio = Audio(samples, 16000)
    before = audio.read()
    samples[:] = 0
    block = next(audio.blocks())
    block[:] = 0  # a block is the reader's own
    assert np.array_equal(audio.read(), before)
    with pytest.raises(AttributeError):
        audio.rate = 8000


@pytest.mark.parametrize(
    ("convert", "tolerance"),
    [
        (lambda x: x.astype(np.float64), 0),
        (lambda x: x.astype(np.float16), 1e-3),
        (lambda x: np.round(x * 2**15).astype(np.int16), 2**-16),
        (lambda x: np.round(x.astype(np.float64) * 2**31).astype(np.int32), 2**-24),
        (lambda x: torch.from_numpy(x).requires_grad_(), 0),
        (lambda x: torch.from_numpy(x).bfloat16(), 1e-2),
        (lambda x: x.tolist(), 0),
    ],
)
def test_every_sample_type_means_the_same(convert, tolerance):
    x = noise(800)
    assert Audio(convert(x), 16000).read() == pytest.approx(x, abs=tolerance + 1e-9)


def test_full_scale_of_whole_numbers_is_one():
    assert Audio(np.array([-(2**15), 2**14], np.int16), 16000).read().tolist() == [-1.0, 0.5]
    assert Audio(np.array([-(2**31), 2**30], np.int32), 16000).read().tolist() == [-1.0, 0.5]


def test_equal_channels_are_averaged():
    x = noise(500)
    assert Audio(np.stack([x, x], axis=1), 16000).read() == pytest.approx(x, abs=1e-7)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        ([], 16000),
        (np.zeros((0, 2)), 16000),
        (np.zeros((2, 16000)), 16000),
        (np.zeros((4, 4, 4)), 16000),
        (0.5, 16000),
        (np.zeros(10, np.int64), 16000),
        (np.zeros(10, np.complex64), 16000),
        (np.zeros(10), 7999),
        (np.zeros(10), 192001),
        (np.zeros(10), 16000.5),
        (np.zeros(10), "16000"),
        (16000, np.zeros(10)),
    ],
)
def test_wrong_arrays_are_one_clear_line(samples, rate):
    with pytest.raises(AudioError) as caught:
        Audio(samples, rate)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy or "int16" in caught.value.expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 32767.0, 1e300])
@pytest.mark.parametrize("channels", [None, 2])
def test_samples_that_are_not_finite_or_far_too_loud_are_found_while_reading(bad, channels):
    x = noise(50000, channels).astype(np.float64)
    x[40000] = bad
    audio = Audio(x, 44100)
    with pytest.raises(AudioError, match="finite samples") as caught:
        audio.read()
    assert "\n" not in str(caught.value)


def test_of_takes_what_users_hold(tmp_path):
    x = noise(1600)
    path = tmp_path / "a.wav"
    soundfile.write(path, x, 16000, subtype="FLOAT")
    audio = Audio(x, 16000)
    assert Audio.coerce(audio) is audio
    for value in (path, str(path), (x, 16000)):
        assert np.array_equal(Audio.coerce(value).read(), x)
    for wrong in (x, None, 3, (x,), [x, 16000]):
        with pytest.raises(AudioError, match="a path, an Audio or"):
            Audio.coerce(wrong)


def test_pickled_audio_still_reads(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1600, 2), 16000)
    for audio in (Audio.load(path), Audio(noise(1600, 2), 44100)):
        assert np.array_equal(pickle.loads(pickle.dumps(audio)).read(), audio.read())


# Blocks


@given(
    rate=st.sampled_from(RATES),
    length=st.integers(1, 40000),
    seconds=st.floats(0.001, 2),
)
@settings(max_examples=40, deadline=None)
def test_blocks_are_equal_in_size_and_do_not_change_the_samples(rate, length, seconds):
    audio = Audio(noise(length, 2), rate)
    blocks = list(audio.blocks(seconds=seconds))
    whole = audio.read()
    assert {len(block) for block in blocks[:-1]} <= {max(1, round(seconds * 16000))}
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    assert np.array_equal(np.concatenate([whole[:0], *blocks]), whole)


def test_blocks_at_the_own_rate_are_the_samples_themselves():
    x = noise(100_000)
    assert np.array_equal(Audio(x, 44100).read(44100), x)


def test_wrong_target_rate_is_an_error_at_once():
    with pytest.raises(AudioError, match="sample rate"):
        Audio(noise(10), 16000).blocks(rate=100)


# An hour


def test_an_hour_has_exactly_its_frames_and_drifts_by_nothing(tmp_path):
    audio = Audio.load(sparse_wav(tmp_path / "hour.wav", 44100, 3600))
    assert audio.duration == 3600
    assert audio.frames(25) == 90000
    for fps in ("30000/1001", 29.97):
        assert audio.frames(fps) == 107892
    last = Fraction(107892 - 1) * 1001 / 30000
    assert last == Fraction(107998891, 30000)
    assert last < 3600 <= last + Fraction(3, 2) * Fraction(1001, 30000)

    count = 0
    for block in audio.blocks():
        assert len(block) <= 16000
        count += len(block)
    assert count == 3600 * 16000
    assert np.abs(block).argmax() == len(block) - 1  # the click in the last sample is still in the last sample


def test_reading_in_blocks_takes_constant_memory(tmp_path):
    audio = Audio.load(sparse_wav(tmp_path / "minutes.wav", 48000, 180))
    tracemalloc.start()
    try:
        for _ in audio.blocks():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6e6  # the samples themselves are 35 MB, 69 MB as floats


# Resampler


def resampled(x, rate, cuts=()):
    mixer, resampler = Downmixer(rate), Resampler(rate)
    parts = [resampler.push(mixer.push(part)) for part in np.split(x, sorted(cuts))]
    return np.concatenate([*parts, resampler.flush()])


@given(
    rate=st.one_of(st.sampled_from(RATES), st.integers(8000, 192000)),
    length=st.integers(0, 30000),
    channels=st.sampled_from([None, 1, 2, 9]),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_resampled_wave_does_not_depend_on_the_cuts(rate, length, channels, data):
    x = noise(length, channels)
    cuts = data.draw(st.lists(st.integers(0, length), max_size=60))
    whole = resampled(x, rate)
    assert np.array_equal(resampled(x, rate, cuts), whole)
    assert len(whole) == (Fraction(length * 16000, rate) + Fraction(1, 2)).__floor__()


def test_sample_by_sample_equals_whole():
    x = noise(3000)
    for rate in (8000, 44100):
        assert np.array_equal(resampled(x, rate, range(1, 3000)), resampled(x, rate))


@given(rate=st.integers(8000, 192000))
@settings(max_examples=40, deadline=None)
def test_a_tone_keeps_its_time_at_every_rate(rate):
    def burst(rate, seconds=0.6):
        t = np.arange(round(rate * seconds)) / rate
        return (np.sin(2 * np.pi * 440 * t) * np.exp(-(((t - 0.3) / 0.05) ** 2))).astype(np.float32)

    got, want = resampled(burst(rate), rate), burst(16000)
    size = min(len(got), len(want))
    lags = range(-20, 21)
    score = [np.dot(np.roll(got[:size], -lag), want[:size]) for lag in lags]
    assert lags[int(np.argmax(score))] == 0
    # A lag of a tenth of a sample would be an error of 0.017.
    assert np.abs(got[:size] - want[:size]).max() < 0.005


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192000])
def test_delay_is_the_longest_wait_and_not_much_more(rate):
    delay = Resampler(rate).delay_seconds
    for sizes in ([1], [rate // 25], [17, 5000, 1, 900]):
        resampler, pushed, emitted, longest = Resampler(rate), 0, 0, 0.0
        while pushed < rate * 0.4:
            for size in sizes:
                emitted += len(resampler.push(np.zeros(size, np.float32)))
                pushed += size
                longest = max(longest, pushed / rate - emitted / 16000)
        assert longest <= delay
        if sizes == [1]:
            assert delay < longest + 0.002


def test_equal_rates_pass_through():
    x = noise(1000)
    resampler = Resampler(16000)
    assert resampler.delay_seconds == 0
    assert np.array_equal(resampler.push(x), x)
    assert len(resampler.flush()) == 0


def test_live_input_of_any_type_is_checked():
    mixer = Downmixer(48000)
    mixer.push(np.zeros((480, 2), np.int16))
    mixer.push(torch.zeros(480))
    with pytest.raises(AudioError, match="NaN"):
        mixer.push([np.nan])
    with pytest.raises(AudioError, match="8000 to 192000"):
        Resampler(4000)
