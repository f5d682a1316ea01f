"""A renderer that draws from audio gets the features of the speech, aligned with the parts of the motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.interfaces.specs import BuildContext, RendererSpec
from headmotion.core.plugins import registry
from headmotion.media.image import read_picture
from headmotion.pipeline.aligned_features import AlignedFeatures

WAVE = (0.3 * np.sin(np.arange(32_000) / 20) * np.sin(np.arange(32_000) / 3000)).astype(np.float32)
SPEECH = (WAVE, 16_000)


class LoudnessSpec(RendererSpec):
    """Gray pictures, the brighter the louder the speech."""

    type: Literal["loudness"] = "loudness"

    def build(self, context: BuildContext) -> Loudness:
        return Loudness(self, context)


class Loudness(hm.Renderer):
    needs_image = False
    needs = frozenset({"motion", "audio"})

    def __init__(self, spec: LoudnessSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.steps = context.steps_per_frame

    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        assert audio is not None
        for part, features in zip(motion, audio, strict=True):
            assert features.shape[:2] == (1, self.steps * len(part))
            for frame in features[0].unflatten(0, (-1, self.steps)):
                yield np.full((8, 8, 3), int(128 + 8 * frame.mean().clamp(-16, 15)), np.uint8)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> hm.Pipeline:
    monkeypatch.setitem(registry().specs, ("renderer", "loudness"), LoudnessSpec)
    return hm.build({"renderer": "loudness"}, device="cpu")


def blocks(pipe: hm.Pipeline, parts: list[hm.Motion]) -> list[Tensor]:
    features = AlignedFeatures(pipe, hm.Audio(*SPEECH), parts)
    return [block for _, block in zip(features.parts(), features, strict=True)]


def test_blocks_are_those_of_the_whole_speech_at_any_division(pipe: hm.Pipeline) -> None:
    motion = pipe.generate(SPEECH)
    with torch.inference_mode():
        whole = pipe.audio_encoder(torch.from_numpy(WAVE)[None], 4 * len(motion))
    for parts in ([motion], [motion[:7], motion[7:7], motion[7:30], motion[30:]]):
        torch.testing.assert_close(torch.cat(blocks(pipe, parts), dim=1), whole, atol=1e-4, rtol=0)


def test_frames_at_another_rate_get_the_steps_of_their_time(pipe: hm.Pipeline) -> None:
    (native,), (fast,) = blocks(pipe, [pipe.generate(SPEECH)]), blocks(pipe, [pipe.generate(SPEECH, fps=50)])
    assert fast.shape[1] == 2 * native.shape[1]
    # Every other frame lies at the time of a native one.
    torch.testing.assert_close(fast.unflatten(1, (-1, 4))[:, ::2], native.unflatten(1, (-1, 4)), atol=1e-4, rtol=0)


def test_motion_that_outlasts_the_speech_gets_features_of_silence(pipe: hm.Pipeline) -> None:
    motion = hm.Motion(torch.zeros(500, 68, 2), pipe.spec.fps)
    (features,) = blocks(pipe, [motion])
    assert features.shape[1] == 2000 and torch.equal(features[:, -1], features[:, -600])


def test_a_block_before_its_part_is_an_error(pipe: hm.Pipeline) -> None:
    features = AlignedFeatures(pipe, hm.Audio(*SPEECH), [pipe.generate(SPEECH)])
    with pytest.raises(hm.HeadmotionError, match="read a part of the motion before its block"):
        next(iter(features))


def test_a_video_is_drawn_from_the_speech_while_it_is_generated(pipe: hm.Pipeline, tmp_path: Path) -> None:
    made = pipe.render(pipe.iter_motion(SPEECH), tmp_path / "frames", audio=SPEECH, quiet=True)
    shown = [int(read_picture(path)[0, 0, 0]) for path in sorted(made.iterdir())]
    assert len(shown) == 50 and max(shown) - min(shown) > 20


def test_without_audio_such_a_renderer_is_refused_in_one_line(pipe: hm.Pipeline, tmp_path: Path) -> None:
    expected = r"^renderer loudness: expected the speech, from which it draws, got none; give audio=$"
    with pytest.raises(hm.HeadmotionError, match=expected):
        pipe.render(pipe.generate(SPEECH), tmp_path / "frames")
    assert not (tmp_path / "frames").exists()
