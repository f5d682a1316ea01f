from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.errors import MotionError
from headmotion.core.timing import FrameResampler, as_fps, frame_count, resample_frames

RATES = st.one_of(
    st.sampled_from([8, 10, 12.5, 23.976, 24, 25, 29.97, 30, 50, 59.94, 60, 100, "24000/1001"]).map(as_fps),
    st.fractions(min_value=2, max_value=120, max_denominator=50),
)


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        (25, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (29.97, Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(120000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (np.float32(29.97), Fraction(30000, 1001)),
        (np.int64(30), Fraction(30)),
        (0.004, Fraction(1, 250)),
        (29.5, Fraction(59, 2)),
        (100 / 3, Fraction(100, 3)),
        ("33.33333333333333333333", Fraction(100, 3)),
    ],
)
def test_as_fps(written, exact):
    assert as_fps(written) == exact
    assert type(as_fps(written).numerator) is int


@pytest.mark.parametrize(
    "bad", [0, -25, 1001, float("nan"), float("inf"), "fast", "1/0", None, True, [25], "1e999999999", "1e-999999999"]
)
def test_as_fps_refuses(bad):
    with pytest.raises(MotionError, match="frame rate"):
        as_fps(bad)


@given(st.fractions(min_value=Fraction(1, 100000), max_value=7200), RATES)
def test_frame_count_covers_the_duration_to_half_a_frame(duration, fps):
    frames = frame_count(duration, fps)
    assert frames >= 1
    assert frames == 1 or abs(frames / fps - duration) <= Fraction(1, 2) / fps


def test_frame_count_rounds_half_up():
    assert [frame_count(Fraction(n, 100), Fraction(25)) for n in (0, 1, 4, 5, 6, 10)] == [0, 1, 1, 1, 2, 3]


def test_an_hour_at_ntsc_rate_does_not_drift():
    ntsc, hour = as_fps(29.97), 3600
    frames = frame_count(Fraction(hour), ntsc)
    assert frames == 107892
    # Values are their own time stamps in seconds; float64 tells them apart to the end.
    source = (torch.arange(hour * 25 + 1, dtype=torch.float64) / 25).view(-1, 1, 1)
    stamps = resample_frames(source, Fraction(25), ntsc, frames).flatten()
    exact = torch.tensor([float(Fraction(k * 1001, 30000)) for k in range(frames)], dtype=torch.float64)
    assert (stamps - exact).abs().max() < 1e-9


@given(RATES, RATES, st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any), st.integers(-50, 49))
def test_parts_of_any_size_equal_the_whole_bit_for_bit(source, target, sizes, percent):
    frames = torch.randn(sum(sizes), 2, 2, generator=torch.Generator().manual_seed(0))
    # The audio may be up to half a source frame shorter or longer than its frames.
    total = frame_count((len(frames) + Fraction(percent, 100)) / source, target)
    whole = resample_frames(frames, source, target, total)
    assert len(whole) == total
    resampler = FrameResampler(source, target)
    resampled = [resampler.push(part) for part in frames.split(sizes)]
    assert sum(map(len, resampled)) <= total, "a frame came out that the audio does not have"
    resampled.append(resampler.flush(total))
    assert torch.equal(torch.cat(resampled), whole)


@given(RATES, RATES)
def test_lookahead_is_stated(source, target):
    resampler, out, worst = FrameResampler(source, target), 0, 0
    for newest in range(40):
        for number in range(out, out + len(resampler.push(torch.zeros(1, 1, 1)))):
            worst = max(worst, newest - (number * source / target).__floor__())
            out = number + 1
    assert worst <= resampler.lookahead
    assert FrameResampler(source, source).lookahead == 0


@given(RATES, st.integers(1, 30))
def test_same_rate_changes_nothing(fps, count):
    frames = torch.randn(count, 3, 2)
    assert torch.equal(resample_frames(frames, fps, fps, count), frames)


def test_last_frame_is_held_and_values_lie_between_neighbors():
    frames = torch.tensor([0.0, 1.0, 4.0]).view(3, 1, 1)
    got = resample_frames(frames, Fraction(10), Fraction(20), 8).flatten()
    assert got.tolist() == [0, 0.5, 1, 2.5, 4, 4, 4, 4]


def test_nothing_cannot_be_resampled():
    assert len(resample_frames(torch.zeros(0, 2, 2), Fraction(25), Fraction(30), 0)) == 0
    with pytest.raises(MotionError, match="at least one frame"):
        resample_frames(torch.zeros(0, 2, 2), Fraction(25), Fraction(30), 1)
    with pytest.raises(MotionError, match="at least one frame"):
        FrameResampler(Fraction(25), Fraction(30)).flush(1)
