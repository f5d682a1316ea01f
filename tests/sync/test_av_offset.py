import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from headmotion.sync.av_offset import MAX_SHIFT, best_shift, valid_pairs, zero_padded


def syncnet(motion: np.ndarray, audio: np.ndarray, vshift: int) -> tuple[float, float, float, list[float]]:
    """SyncNet's definition, one distance after another: offset, least distance, confidence and the curve."""
    nothing = np.zeros(audio.shape[1])
    curve = []
    for shift in range(2 * vshift + 1):
        distances = []
        for i in range(len(motion)):
            partner = i + shift - vshift
            other = audio[partner] if 0 <= partner < len(audio) else nothing
            distances.append(np.sqrt(((motion[i] - other) ** 2).sum()))
        curve.append(float(np.mean(distances)))
    least = min(curve)
    return vshift - curve.index(least), least, float(np.median(curve)) - least, curve


@pytest.mark.parametrize("count", [1, 2, 6, 16, 40, 76])
@pytest.mark.parametrize("vshift", [1, 10, 15])
def test_zero_padding_is_the_published_definition(count: int, vshift: int) -> None:
    rng = np.random.default_rng([count, vshift])
    motion, audio = rng.normal(0, 3, (2, 3, count, 24))
    curves = zero_padded(torch.from_numpy(motion), torch.from_numpy(audio), vshift)
    found = best_shift(curves)
    for k in range(3):
        offset, distance, confidence, curve = syncnet(motion[k], audio[k], vshift)
        np.testing.assert_allclose(curves[k].numpy(), curve, rtol=1e-12)
        # Where nothing but zeros is left, shifts are equal but for rounding.
        assert int(found.offset[k]) == offset or curve[vshift - int(found.offset[k])] == pytest.approx(distance)
        assert float(found.distance[k]) == pytest.approx(distance, rel=1e-12)
        assert float(found.confidence[k]) == pytest.approx(confidence, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 50])
def test_valid_pairs_average_what_there_is(count: int) -> None:
    rng = np.random.default_rng(count)
    motion, audio = rng.normal(0, 1, (2, count, 5))
    reach = min(MAX_SHIFT, count // 2)
    expected = []
    for shift in range(-reach, reach + 1):
        pairs = [(i, i + shift) for i in range(count) if 0 <= i + shift < count]
        expected.append(np.mean([np.linalg.norm(motion[i] - audio[j]) for i, j in pairs]))
    curve = valid_pairs(torch.from_numpy(motion), torch.from_numpy(audio))
    np.testing.assert_allclose(curve.numpy(), expected, rtol=1e-12)


@given(st.integers(-12, 12), st.integers(0, 100))
def test_offset_of_shifted_embeddings(late: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    signal = functional.normalize(torch.randn(100, 16, generator=generator), dim=-1)
    motion, audio = signal[20:80], signal[20 - late : 80 - late]
    for curve in (valid_pairs, zero_padded):
        found = best_shift(curve(motion, audio, MAX_SHIFT))
        assert int(found.offset) == -late, "negative: the audio is late"
        assert float(found.confidence) > 0.3
    assert float(best_shift(valid_pairs(motion, audio)).distance) == 0


@pytest.mark.parametrize("count", [1, 2, 10, 200])
def test_constant_embeddings_give_no_confidence(count: int) -> None:
    same = 7 * functional.normalize(torch.randn(1, 64, generator=torch.manual_seed(1)), dim=-1).expand(count, -1)
    for audio in (same.clone(), -same, same + 1):
        assert float(best_shift(valid_pairs(same, audio)).confidence) == pytest.approx(0, abs=1e-5)


def test_clips_of_a_batch_do_not_touch_each_other() -> None:
    motion, audio = torch.randn(2, 7, 20, 8, generator=torch.manual_seed(0))
    for curve in (valid_pairs, zero_padded):
        together = curve(motion, audio, MAX_SHIFT)
        torch.testing.assert_close(
            together, torch.stack([curve(m, a, MAX_SHIFT) for m, a in zip(motion, audio, strict=True)])
        )
