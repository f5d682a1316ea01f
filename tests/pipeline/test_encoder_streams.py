"""Sessions with encoders of any kind: one that needs the whole clip, and one whose stream keeps a state of any type."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

import headmotion as hm

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
HOP = 160


class Levels(hm.AudioEncoder):
    """Loudness of each step, relative to the loudest sample of the clip."""

    sample_rate, hop, channels = 16_000, HOP, 26
    look_back: int | None = None
    look_ahead: int | None = None

    def __init__(self, spec: hm.Spec) -> None:
        super().__init__(spec)
        self.calls: list[tuple[int, int | None]] = []

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        self.calls.append((wave.shape[1], steps))
        count = wave.shape[1] // HOP if steps is None else steps
        loud = wave / wave.abs().amax(1, keepdim=True).clamp(min=1e-3)
        return levels(functional.pad(loud, (0, max(0, count * HOP - wave.shape[1])))[:, : count * HOP])


class Counting(Levels):
    """Loudness of each step and the number of steps before it; its state is a dict of a tensor and a number."""

    look_back, look_ahead = None, HOP

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        count = wave.shape[1] // HOP if steps is None else steps
        wave = functional.pad(wave, (0, max(0, count * HOP - wave.shape[1])))
        return self.step(wave, self.init_state(len(wave)))[0][:, :count]

    def init_state(self, batch: int) -> dict[str, Any]:
        return {"samples": torch.zeros(batch, 0), "steps": 0}

    def step(self, wave: Tensor, state: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        samples = torch.cat([state["samples"], wave], dim=1)
        count = samples.shape[1] // HOP
        numbers = torch.arange(state["steps"], state["steps"] + count).view(1, -1, 1)
        features = levels(samples[:, : count * HOP]) + 0.01 * numbers
        return features, {"samples": samples[:, count * HOP :], "steps": state["steps"] + count}


def levels(wave: Tensor) -> Tensor:
    """Return the mean level of each hop as 26 equal channels."""
    return wave.unflatten(1, (-1, HOP)).abs().mean(-1, keepdim=True).expand(-1, -1, 26)


def pipeline(encoder: type[Levels]) -> hm.Pipeline:
    pipe = hm.build({"generator": SMALL}, device="cpu")
    pipe.audio_encoder = encoder(pipe.audio_encoder.spec)
    return pipe


def speech(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.013, 1.0, 2.05])
def test_a_session_collects_the_clip_for_an_encoder_that_needs_all_of_it(seconds: float) -> None:
    pipe, samples = pipeline(Levels), speech(seconds)
    assert not isinstance(pipe.audio_encoder, hm.SupportsAudioStreaming) and pipe.lookahead_ms() is None
    session = pipe.stream(seed=3)
    parts = [session.push(part) for part in np.array_split(samples, 7) if len(part)]
    assert not any(len(part) for part in parts)
    streamed = session.flush()
    whole = pipe.generate((samples, 16_000), seed=3)
    assert streamed.values.shape == whole.values.shape and len(whole) == max(1, round(25 * seconds - 1e-9))
    torch.testing.assert_close(streamed.values, whole.values, rtol=0, atol=1e-5)
    # The encoder is called once, with the clip and the steps of its frames.
    assert pipe.audio_encoder.calls == [(len(samples), 4 * len(whole))] * 2


def test_a_stream_may_keep_a_state_of_any_type() -> None:
    pipe, samples = pipeline(Counting), speech(1.5)
    assert isinstance(pipe.audio_encoder, hm.SupportsAudioStreaming) and pipe.lookahead_ms() is not None
    session = pipe.stream(seed=3)
    streamed = hm.Motion.concatenate([*(session.push(part) for part in np.array_split(samples, 11)), session.flush()])
    torch.testing.assert_close(streamed.values, pipe.generate((samples, 16_000), seed=3).values, rtol=0, atol=1e-5)


def test_the_export_of_a_stream_names_what_the_encoder_lacks() -> None:
    from headmotion.export.streaming_graph import StreamingGraph

    pipe = hm.load("ms-sync", device="cpu")
    pipe.audio_encoder = Levels(pipe.audio_encoder.spec)
    with pytest.raises(hm.HeadmotionError, match="expected SupportsAudioStreaming for the export"):
        StreamingGraph(pipe, 4)
    pipe.audio_encoder = Counting(pipe.audio_encoder.spec)
    with pytest.raises(hm.HeadmotionError, match="whose state keeps its shape"):
        StreamingGraph(pipe, 4)
