from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.errors import SpecError
from headmotion.sync.pyramid import Pyramid, windows
from headmotion.sync.specs import PyramidSpec

PYRAMID = Pyramid()


@pytest.mark.parametrize(
    ("frames", "lengths", "counts"),
    [
        (43, [43, 22, 11, 6], [39, 18, 7, 2]),
        (80, [80, 40, 20, 10], [76, 36, 16, 6]),
        (83, [83, 42, 21, 11], [79, 38, 17, 7]),
    ],
)
def test_lengths_and_windows_of_the_paper(frames, lengths, counts):
    levels = PYRAMID(torch.randn(1, frames, 68, 2))
    assert [level.shape[1] for level in levels] == lengths
    assert [PYRAMID.length(frames, level) for level in range(4)] == lengths
    assert [windows(level, 5).shape[1] for level in levels] == counts


def test_moving_average_with_reflected_edges():
    sequence = torch.tensor([[1.0, 2.0, 4.0, 8.0, 16.0]])
    (_, level) = Pyramid(levels=2, kernel=3)(sequence)
    torch.testing.assert_close(level, torch.tensor([[(2 + 1 + 2) / 3, (2 + 4 + 8) / 3, (8 + 16 + 8) / 3]]))


@given(st.integers(1, 50), st.integers(0, 4), st.integers(1, 3), st.floats(-5, 5))
def test_constant_stays_constant_at_any_length(frames, reach, stride, value):
    pyramid = Pyramid(levels=3, kernel=2 * reach + 1, stride=stride)
    for number, level in enumerate(pyramid(torch.full((2, frames, 3, 2), value))):
        assert level.shape == (2, pyramid.length(frames, number), 3, 2)
        torch.testing.assert_close(level, torch.full_like(level, value))


@given(st.integers(1, 120), st.integers(1, 5))
def test_audio_always_has_its_steps_per_frame(frames, levels):
    motion, audio = torch.randn(1, frames, 2, 2), torch.randn(1, 4 * frames, 3)
    pooled = Pyramid(levels=levels)(audio)
    for (m, a), whole in zip(Pyramid(levels=levels).pair(motion, audio), pooled, strict=True):
        assert a.shape[1] == 4 * m.shape[1]
        kept = min(a.shape[1], whole.shape[1])
        assert torch.equal(a[:, :kept], whole[:, :kept])
        assert torch.equal(a[:, kept:], whole[:, -1:].expand(-1, a.shape[1] - kept, -1))


def test_pair_refuses_audio_of_another_length():
    with pytest.raises(ValueError, match="got 171 for 43 frames"):
        PYRAMID.pair(torch.zeros(1, 43, 68, 2), torch.zeros(1, 171, 26))


def test_gradients():
    sequence = torch.randn(1, 9, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(Pyramid(levels=3, kernel=3)(x)), sequence)


def test_windows_are_a_view():
    sequence = torch.arange(12.0).view(1, 6, 2)
    cut = windows(sequence, 3, 2)
    assert cut.shape == (1, 2, 3, 2)
    assert torch.equal(cut[0, 1], sequence[0, 2:5])
    assert cut.data_ptr() == sequence.data_ptr()


def test_seconds_between_frames():
    assert [PYRAMID.frame_seconds(level, Fraction(25)) for level in (0, 3)] == [Fraction(1, 25), Fraction(8, 25)]


@pytest.mark.parametrize("wrong", [{"levels": 0}, {"kernel": 4}, {"kernel": 0}, {"stride": 0}])
def test_impossible_pyramids(wrong):
    with pytest.raises(ValueError, match="needed"):
        Pyramid(**wrong)
    with pytest.raises(SpecError):
        PyramidSpec(**wrong)
