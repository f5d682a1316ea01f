"""Causal flow's stream in fixed shapes gives the frames of the pipeline, with the noise that the graph draws itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.export.streaming_graph import StreamingGraph

NARROW = {"type": "causal-flow", "width": 16, "flow_width": 12, "blocks": 2, "codes": 4}
RATE = 16_000


def narrow(representation: object, **changes: object) -> hm.Pipeline:
    spec = {"generator": NARROW | changes, "representation": representation, "steps_per_frame": 2}
    return hm.build(spec | {"audio_encoder": {"type": "log-mel", "hop": 320}}, seed=1, device="cpu")


@torch.no_grad()
def stepped(pipe: hm.Pipeline, wave: np.ndarray, seed: int, frames: int) -> torch.Tensor:
    """Frames of the unit frame by `StreamingGraph`; the end is known with the last samples."""
    step, total = StreamingGraph(pipe, frames), hm.Audio(wave, RATE).frames(pipe.spec.fps)
    reference = pipe.reference(None)
    state = step.init_state(pipe.representation.normalize(reference.poses, reference.frame), seed)
    parts: list[torch.Tensor] = []
    first = 0
    while sum(map(len, parts)) < total:
        chunk = torch.zeros(step.samples)
        samples = torch.from_numpy(wave[first : first + step.samples])
        chunk[: len(samples)] = samples
        first += step.samples
        motion, count, state = step(chunk, torch.tensor([total if first >= len(wave) else -1]), state)
        parts.append(motion[: int(count)])
    return torch.cat(parts)


@pytest.mark.parametrize(
    ("representation", "changes", "frames"),
    [
        ("landmarks68", {}, 8),
        ("landmarks68", {"lookahead_frames": 0, "temperature": 0.3, "head_amount": 0.05}, 1),
        ("landmarks68", {"condition_dropout": 0.2, "guidance": 2.5}, 4),
        ("blendshapes", {"value_range": (0.0, 1.0), "kernel": 2}, 5),
        ({"type": "keypoints", "points": 4}, {"noise_seconds": (0.01, 2.0), "lookahead_frames": 7}, 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("seconds", [0.01, 0.32, 2.07])
def test_chunks_give_the_frames_of_generate(
    representation: object, changes: dict[str, object], frames: int, seconds: float
) -> None:
    pipe = narrow(representation, **changes)
    wave = 0.2 * np.random.default_rng(0).standard_normal(round(seconds * RATE)).astype(np.float32)
    expected = pipe.generate((wave, RATE), seed=5)
    assert expected.frame is not None
    unit = pipe.representation.normalize(expected.values, expected.frame)
    torch.testing.assert_close(stepped(pipe, wave, 5, frames), unit, atol=1e-5, rtol=1e-6)
