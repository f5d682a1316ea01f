"""Confidence around each moment, against the definition for a whole clip."""

import torch

from headmotion.sync.av_offset import best_shift, running_confidence, valid_pairs


def embeddings(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))


def test_surroundings_that_hold_the_clip_give_the_confidence_of_the_clip() -> None:
    motion, audio = embeddings(40, 0), embeddings(40, 1)
    expected = best_shift(valid_pairs(motion, audio)).confidence
    torch.testing.assert_close(running_confidence(motion, audio, 40), expected.expand(40))


def test_it_is_high_where_audio_and_motion_agree_only() -> None:
    motion = embeddings(120, 0)
    audio = motion.clone()
    audio[60:] = embeddings(60, 1)
    values = running_confidence(motion, audio, 10)
    assert float(values[15:45].min()) > 2 * float(values[75:105].max())


def test_short_clips_give_finite_numbers() -> None:
    for count in (1, 2, 5):
        assert torch.isfinite(running_confidence(embeddings(count, 0), embeddings(count, 1), 25)).all()
