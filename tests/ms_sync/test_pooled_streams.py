"""Streams of MS-Sync that are advanced together, at any positions of the audio pyramid."""

import numpy as np
import pytest
import torch

import headmotion as hm


@pytest.mark.parametrize("interpolation", ["causal", "linear", "align-corners"])
@pytest.mark.parametrize("steps_per_frame", [1, 4])
def test_streams_at_random_positions_give_the_frames_of_each_alone(interpolation: str, steps_per_frame: int) -> None:
    spec = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 8, "branch_size": 16}
    hop = {1: 640, 4: 160}[steps_per_frame]
    pipe = hm.build(
        {
            "generator": spec | {"interpolation": interpolation},
            "audio_encoder": {"type": "log-mel", "hop": hop, "window": 800, "n_fft": 1024},
            "steps_per_frame": steps_per_frame,
        },
        device="cpu",
    )
    generator, rng, count = pipe.generator, np.random.default_rng(0), 6
    assert isinstance(generator, hm.SupportsPooling)
    reference = pipe.representation.neutral()[None, None]
    with torch.inference_mode():
        together = [generator.init_state(reference, seed) for seed in range(count)]
        alone = list(together)
        ended: set[int] = set()
        for turn in range(30):
            members = [k for k in range(count) if k not in ended and (turn == 29 or rng.random() < 0.6)]
            audio = [torch.randn(1, steps_per_frame * int(rng.integers(0, 4)), 26) for _ in members]
            last = [turn == 29 or (turn > 20 and rng.random() < 0.1) for _ in members]
            ended |= {k for k, ends in zip(members, last, strict=True) if ends}
            if not members:
                continue
            results = generator.step_streams(audio, [together[k] for k in members], last)
            for k, features, ends, (frames, state) in zip(members, audio, last, results, strict=True):
                expected, alone[k] = generator.step(features, alone[k], ends)
                assert frames.shape == expected.shape
                torch.testing.assert_close(frames, expected, rtol=0, atol=2e-6)
                together[k] = state
    assert len(ended) == count
