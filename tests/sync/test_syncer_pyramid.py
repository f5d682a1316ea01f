from types import SimpleNamespace

import pytest
import torch

from headmotion.core.interfaces.syncer import Syncer
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid


class MeanSyncer(Syncer):
    """Both modalities carry the same two numbers; a window is embedded as its mean."""

    window = 5

    def __init__(self):
        super().__init__(SimpleNamespace())

    def embed_audio(self, audio):
        return audio.mean(1)

    def embed_motion(self, motion):
        return motion.flatten(2).mean(1)


def clip(frames=60, late=0):
    """Motion ``[1, T, 1, 2]`` and audio ``[1, 4*T, 2]`` of one smooth signal; the audio comes ``late`` frames later."""
    signal = torch.randn(frames + 40, 2, generator=torch.Generator().manual_seed(1))
    motion = signal[20 : 20 + frames].view(1, frames, 1, 2)
    audio = signal[20 - late : 20 - late + frames].repeat_interleave(4, dim=0).unsqueeze(0)
    return motion, audio


def built(levels=1):
    return SyncerPyramid([MeanSyncer() for _ in range(levels)], Pyramid(levels, kernel=1))


@pytest.mark.parametrize("late", [-7, 0, 3])
def test_measure_of_a_clip(late):
    (measure,) = built().measure(*clip(late=late))
    assert measure.offset == -late
    assert measure.seconds == pytest.approx(-late / 25)
    assert measure.confidence > 0.1


def test_seconds_grow_with_the_level():
    measures = built(3).measure(*clip(late=4))
    assert [measure.offset for measure in measures[:2]] == [-4, -2]
    assert [measure.seconds for measure in measures[:2]] == pytest.approx([-0.16, -0.16])


def test_scores_and_loss():
    pyramid = built(4)
    motion, audio = clip(43)
    scores = pyramid.scores(motion, audio)
    assert [score.shape for score in scores] == [(1, 39), (1, 18), (1, 7), (1, 2)]
    assert all((score.abs() <= 1 + 1e-6).all() for score in scores)
    torch.testing.assert_close(scores[0], torch.ones(1, 39))
    torch.testing.assert_close(pyramid(motion, audio), -torch.stack([score.mean() for score in scores]).mean())
    assert pyramid(motion, audio) < pyramid(motion, -audio)


def test_embeddings_are_as_the_syncers_give_them_and_cosines_do_not_depend_on_their_length():
    pyramid = built()
    motion, audio = clip(20)
    ((motion_embeddings, audio_embeddings),) = pyramid.embeddings(motion, audio)
    torch.testing.assert_close(motion_embeddings[0, 3], motion[0, 3:8].flatten(1).mean(0))
    torch.testing.assert_close(audio_embeddings[0, 3], audio[0, 12:32].mean(0))
    torch.testing.assert_close(pyramid.scores(motion, 5 * audio), pyramid.scores(motion, audio))
    (unit,), (free,) = (pyramid.curves(motion, 5 * audio, space) for space in ("unit", "free"))
    assert float(unit.min()) == pytest.approx(0, abs=1e-5) and float(free.min()) > 0.5


def test_levels_without_a_whole_window_are_left_out():
    pyramid = built(4)
    assert len(pyramid.scores(*clip(12))) == 2
    with pytest.raises(ValueError, match="at least 5 frames"):
        pyramid(*clip(4))


def test_one_syncer_per_level():
    with pytest.raises(ValueError, match="4 syncers"):
        SyncerPyramid([MeanSyncer()], Pyramid())


@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (2, 2), (5, 3)])
def test_the_finest_levels_judge_as_they_did_among_all(asked, kept):
    motion, audio = clip(late=2)
    whole = built(levels=3)
    part = whole.finest(asked)
    assert part.pyramid == Pyramid(kept, kernel=1) and part.levels == whole.levels[:kept]
    for one, other in zip(part.scores(motion, audio), whole.scores(motion, audio)[:kept], strict=True):
        assert torch.equal(one, other)
