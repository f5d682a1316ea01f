"""Settings of the host program: a session computes the same, or says in one line why it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.pipeline import host_settings

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
SPEECH = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)


@pytest.fixture
def pipe() -> hm.Pipeline:
    return hm.build({"generator": SMALL}, device="cpu")


def test_training_mode_changes_no_frame(pipe: hm.Pipeline) -> None:
    before = pipe.generate((SPEECH, 16_000)).values
    state = {name: value.clone() for name, value in pipe.state_dict().items()}
    pipe.train()
    session = pipe.stream()
    pipe.generator.train()
    values = torch.cat([session.push(SPEECH).values, session.flush().values])
    assert torch.allclose(values, before, atol=1e-5)
    assert not pipe.generator.training
    assert all(torch.equal(value, state[name]) for name, value in pipe.state_dict().items())
    assert torch.equal(pipe.generate((SPEECH, 16_000)).values, before)


@pytest.mark.parametrize("change", ["half", "double"])
def test_another_precision_is_one_line(pipe: hm.Pipeline, change: str) -> None:
    session = pipe.stream()
    getattr(pipe, change)()
    with pytest.raises(hm.HeadmotionError, match="session: expected weights in float32, got torch"):
        session.push(SPEECH)
    with pytest.raises(hm.HeadmotionError, match="weights in float32"):
        pipe.generate((SPEECH, 16_000))


def test_other_defaults_of_torch_are_one_line(pipe: hm.Pipeline) -> None:
    session = pipe.stream()
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(hm.HeadmotionError, match="default type float32, got torch.float64".replace(".", "[.]")):
            session.push(SPEECH)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.set_default_device("meta")
    try:
        with pytest.raises(hm.HeadmotionError, match="default device cpu, got meta"):
            session.push(SPEECH)
        for begin in (pipe.stream, lambda: pipe.generate((SPEECH, 16_000))):
            with pytest.raises(hm.HeadmotionError, match="default device cpu, got meta"):
                begin()
    finally:
        torch.set_default_device(None)
    assert len(session.push(SPEECH)) + len(session.flush()) == 13


def test_a_default_device_of_the_program_does_not_reach_the_parts(pipe: hm.Pipeline) -> None:
    with torch.device("meta"):
        built, loaded = hm.build({"generator": SMALL}, device="cpu"), hm.load("ms-sync", device="cpu")
        renderer = loaded.with_renderer({"type": "skeleton", "size": 64})
        with pytest.raises(hm.HeadmotionError, match="default device cpu, got meta"):
            loaded.stream()
    assert all(torch.equal(value, built.state_dict()[name]) for name, value in pipe.state_dict().items())
    motion = loaded.generate((SPEECH, 16_000))
    assert torch.equal(motion.values, hm.load("ms-sync", device="cpu").generate((SPEECH, 16_000)).values)
    assert renderer.spec.type_name() == "skeleton"


def test_threads_after_a_fork_are_one_line(pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_settings, "_stuck", False)
    monkeypatch.setattr(host_settings, "_used", False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    host_settings._mark_fork()
    pipe.stream()  # before any work
    host_settings._mark_fork()  # as in the child
    with pytest.raises(hm.HeadmotionError, match="one thread of torch after a fork, got 2; call torch"):
        pipe.stream()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    pipe.stream()
