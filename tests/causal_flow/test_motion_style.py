"""The style of a clip: heads that move as much and as fast as in it, streamed and stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.causal_flow.motion_style import style_settings

RATE = 16_000
SPEECH = (0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load("causal-flow", device="cpu")


def swaying(seconds: float, amount: float, hz: float, fps: int = 25) -> hm.Motion:
    """A neutral face that rolls from side to side, by an amount in radians."""
    representation = hm.load("causal-flow", device="cpu").representation
    angle = torch.from_numpy(amount * np.sin(2 * np.pi * hz * np.arange(round(seconds * fps)) / fps)).float()
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], -2)
    values = (representation.neutral() - 0.5) @ turn.mT + 0.5
    spec = representation.spec.model_dump(mode="json")
    return hm.Motion(values, fps, spec, frame=hm.UnitSquare(0.5, 0.5, 1.0), units="unit")


def settings(pipe: hm.Pipeline, clip: hm.Motion) -> dict[str, float]:
    found = style_settings(pipe.generator, clip)  # type: ignore[arg-type]
    return {"amount": found["head_amount"], "nods": found["noise_seconds"][0]}


def test_amount_and_speed_are_those_of_the_clip(pipe: hm.Pipeline) -> None:
    slow, fast, far = (settings(pipe, swaying(12, *how)) for how in ((0.02, 0.3), (0.02, 1.2), (0.06, 0.3)))
    assert far["amount"] == pytest.approx(3 * slow["amount"], rel=0.02)
    assert fast["nods"] < 0.5 * slow["nods"] and far["nods"] == pytest.approx(slow["nods"], rel=0.02)
    # Another frame rate, and another place and size in the picture, are the same style.
    assert settings(pipe, swaying(12, 0.02, 0.3, fps=50)) == pytest.approx(slow, rel=0.02)


def test_a_generated_clip_gives_about_its_own_settings(pipe: hm.Pipeline) -> None:
    lively = pipe.with_generator(head_amount=0.03)
    clip = lively.generate((np.tile(SPEECH[0], 15), RATE), seed=3)
    assert settings(pipe, clip)["amount"] == pytest.approx(0.03, rel=0.4)


def test_style_streams_and_is_stored(pipe: hm.Pipeline, tmp_path: Path) -> None:
    clip = swaying(4, 0.05, 1.0)
    whole, plain = pipe.generate(SPEECH, style=clip), pipe.generate(SPEECH)
    assert (whole.values - plain.values).abs().max() > 1e-3
    session = pipe.stream(style=clip)
    begin = session.push(SPEECH[0][:20_000])
    restored = pipe.restore(session.snapshot(tmp_path / "session.safetensors"))
    end = hm.Motion.concatenate([restored.push(SPEECH[0][20_000:]), restored.flush()])
    assert (torch.cat([begin.values, end.values]) - whole.values).abs().max() < 1e-5
    assert torch.equal(pipe.generate(SPEECH).values, plain.values)


def test_lips_follow_a_clip_in_which_they_move_and_no_other(pipe: hm.Pipeline) -> None:
    clip, gain = swaying(12, 0.02, 0.3), pipe.spec.generator.model_dump()["regressed_gain"]
    assert "regressed_gain" not in style_settings(pipe.generator, clip)  # type: ignore[arg-type]
    lips = list(pipe.representation.groups["lips"])
    lower = [pair[1] for pair in pipe.representation.openings["mouth"]]
    assert set(lower) <= set(lips)

    def with_mouth(far: float) -> float:
        values = clip.values.clone()
        values[:, lower, 1] += far * torch.linspace(0, 60, len(values)).sin()[:, None]
        found = style_settings(pipe.generator, replace(clip, values=values))  # type: ignore[arg-type]
        return found["regressed_gain"] / gain

    # A mouth that moves twice as far has twice the gain, up to a limit.
    assert with_mouth(0.04) == pytest.approx(2 * with_mouth(0.02), rel=0.05) and with_mouth(0.3) == pytest.approx(2.0)


def test_what_is_no_style_is_one_error(pipe: hm.Pipeline) -> None:
    with pytest.raises(hm.SpecError, match="expected a motion of the person, got 'calm'"):
        pipe.generate(SPEECH, style="calm")
    with pytest.raises(hm.MotionError, match=r"at least 2\.4 s"):
        pipe.generate(SPEECH, style=swaying(1, 0.02, 1.0))
    with pytest.raises(hm.MotionError, match="a head that moves"):
        pipe.generate(SPEECH, style=swaying(4, 0.0, 1.0))
    with pytest.raises(hm.MotionError, match="expected a motion of landmarks68"):
        pipe.generate(SPEECH, style=hm.Motion(torch.rand(99, 10, 2), 25, {"type": "keypoints", "points": 10}))
