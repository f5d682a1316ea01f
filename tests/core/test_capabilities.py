"""Capabilities of generators: pipelines use them, or refuse a feature by naming the capability that is missing."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.interfaces.specs import BuildContext, GeneratorSpec
from headmotion.core.plugins import registry
from headmotion.testing import check_component

RATE = 16_000
STYLES = {"calm": 0.5, "lively": 2.0}


class Nod(hm.Generator):
    """Each frame is the reference, lowered by the loudness of its own audio; it has all capabilities of a stream."""

    def __init__(self, spec: NodSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.context_frames, self.lookahead, self.amount, self.steps = 1, 0, 1e-3, context.steps_per_frame

    def forward(self, reference: Tensor, audio: Tensor, seed: Any = 0) -> Tensor:
        return self.step(audio, self.init_state(reference, seed))[0]

    def init_state(self, reference: Tensor, seed: Any = 0) -> Any:
        return reference[:, -1], None, None

    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        pose, listener, _ = state
        own = self._loudness(audio)
        loudness = own if listener is None else own + 10 * listener[:, : own.shape[1]]
        motion = pose.unsqueeze(1) + self.amount * loudness[..., None, None]
        return motion, (pose, None if listener is None else listener[:, own.shape[1] :], 0.1 * loudness.abs())

    def push_listener(self, audio: Tensor, state: Any) -> Any:
        pose, listener, deviation = state
        loudness = self._loudness(audio)
        return pose, loudness if listener is None else torch.cat([listener, loudness], 1), deviation

    def deviation(self, state: Any) -> Tensor:
        return (self.amount * state[2][..., None, None]).expand(-1, -1, *state[0].shape[1:])

    def styled(self, style: Any) -> hm.Generator:
        if style not in STYLES:
            raise hm.SpecError("nod", f"a style among {', '.join(STYLES)}", repr(style))
        bound = copy.copy(self)
        bound.amount = self.amount * STYLES[style]
        return bound

    def _loudness(self, audio: Tensor) -> Tensor:
        return audio.mean(2).reshape(len(audio), -1, self.steps).mean(2)


class Mean(hm.Generator):
    """The mean of the whole clip lowers all of its frames; it has no capabilities."""

    context_frames = 1

    def __init__(self, spec: MeanSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.steps = context.steps_per_frame

    def forward(self, reference: Tensor, audio: Tensor, seed: Any = 0) -> Tensor:
        frames = audio.shape[1] // self.steps
        return (reference[:, -1:] + 1e-3 * audio.mean((1, 2))[:, None, None, None]).expand(-1, frames, -1, -1)


class NodSpec(GeneratorSpec):
    """A generator with all capabilities."""

    type: Literal["nod"] = "nod"

    def build(self, context: BuildContext) -> hm.Generator:
        return Nod(self, context)


class MeanSpec(GeneratorSpec):
    """A generator without capabilities."""

    type: Literal["mean"] = "mean"

    def build(self, context: BuildContext) -> hm.Generator:
        return Mean(self, context)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in (NodSpec, MeanSpec):
        monkeypatch.setitem(registry().specs, ("generator", spec.type_name()), spec)
        monkeypatch.setitem(registry().owners, ("generator", spec.type_name()), "losses")


@pytest.fixture
def nod() -> hm.Pipeline:
    return hm.build({"generator": "nod"}, device="cpu")


@pytest.fixture
def mean() -> hm.Pipeline:
    return hm.build({"generator": "mean"}, device="cpu")


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_capabilities_are_declared_by_methods(nod: hm.Pipeline, mean: hm.Pipeline) -> None:
    capabilities = (hm.SupportsStreaming, hm.SupportsUncertainty, hm.SupportsStyle, hm.SupportsDialogue)
    assert [isinstance(nod.generator, kind) for kind in capabilities] == [True] * 4
    assert [isinstance(mean.generator, kind) for kind in capabilities] == [False] * 4
    small = hm.build({"generator": {"type": "ms-sync", "preset": "small"}}, device="cpu").generator
    assert [isinstance(small, kind) for kind in capabilities] == [True, False, False, False]


@pytest.mark.parametrize("spec", [NodSpec, MeanSpec])
def test_both_conform(spec: type[GeneratorSpec]) -> None:
    check_component(spec(), expected_failures={"spec-imports-without-torch": "this module is a test, and imports it"})


def test_without_streaming_a_session_collects_the_whole_clip(mean: hm.Pipeline) -> None:
    session, samples = mean.stream(), speech(1.0)
    assert [len(session.push(part)) for part in np.split(samples, 10)] == [0] * 10
    frames = session.flush()
    whole = mean.generate((samples, RATE))
    torch.testing.assert_close(frames.values, whole.values)
    features = mean.audio_encoder(torch.from_numpy(samples)[None], 100)
    expected = mean.generator(mean.representation.neutral()[None, None], features)[0]
    torch.testing.assert_close(whole.values, expected)
    assert mean.lookahead_ms() is None


def moved(pipeline: hm.Pipeline, motion: hm.Motion) -> Tensor:
    return motion.values - pipeline.representation.neutral()


def test_style_has_an_effect_whole_and_streamed_and_leaves_the_generator_unchanged(nod: hm.Pipeline) -> None:
    samples = speech(0.6)
    plain, calm = (nod.generate((samples, RATE), style=style) for style in (None, "calm"))
    torch.testing.assert_close(moved(nod, calm), 0.5 * moved(nod, plain))
    session = nod.stream(style="lively")
    parts = [session.push(part) for part in np.split(samples, 6)]
    torch.testing.assert_close(moved(nod, hm.Motion.concatenate([*parts, session.flush()])), 2 * moved(nod, plain))
    torch.testing.assert_close(nod.generate((samples, RATE)).values, plain.values)
    assert calm.provenance["style"] == "calm" and "style" not in plain.provenance
    with pytest.raises(hm.SpecError, match="a style among calm, lively, got 'wild'"):
        nod.stream(style="wild")


@pytest.mark.parametrize("fps", [None, 30, Fraction(30000, 1001)])
def test_deviations_belong_to_their_frames(nod: hm.Pipeline, fps: Any) -> None:
    reference = (nod.representation.neutral() * 300 + 40).numpy()
    audio = (speech(1.3), RATE)
    estimate = nod.estimate(audio, reference, fps=fps, style="lively")
    torch.testing.assert_close(estimate.motion.values, nod.generate(audio, reference, fps=fps, style="lively").values)
    distance = (estimate.motion.values - torch.from_numpy(reference)).abs()
    torch.testing.assert_close(estimate.deviation, 0.1 * distance, atol=1e-3, rtol=1e-3)
    session = nod.stream(reference, RATE, fps=fps, style="lively")
    deviations = []
    for part in (*np.split(speech(1.3), 13), None):
        motion = session.flush() if part is None else session.push(part)
        deviations.append(session.deviation)
        assert deviations[-1].shape == motion.values.shape
    torch.testing.assert_close(torch.cat(deviations), estimate.deviation, atol=1e-3, rtol=1e-3)
    session = nod.stream(controls=[hm.controls.smooth(80)])
    with pytest.raises(hm.HeadmotionError, match="no controls with deviations"):
        _ = session.deviation


@pytest.mark.parametrize("seconds", [1.7, 2.5, 1.0])
def test_the_listener_has_an_effect_at_the_same_time(nod: hm.Pipeline, seconds: float) -> None:
    samples, listener = speech(1.7), speech(seconds, seed=1)
    both = nod.generate((samples, RATE), listener_audio=(listener, RATE))
    padded = np.pad(listener[: len(samples)], (0, max(0, len(samples) - len(listener))))
    encoded = [nod.audio_encoder(torch.from_numpy(wave)[None], 4 * len(both)) for wave in (samples, padded)]
    loudness = [features[0].mean(1).reshape(-1, 4).mean(1) for features in encoded]
    torch.testing.assert_close(moved(nod, both)[:, 0, 0], 1e-3 * (loudness[0] + 10 * loudness[1]))
    session = nod.stream()
    cuts = [3000, 3500, 20_000]
    parts = [session.push(*pair) for pair in zip(np.split(samples, cuts), np.split(padded, cuts), strict=True)]
    torch.testing.assert_close(hm.Motion.concatenate([*parts, session.flush()]).values, both.values)


def test_listener_audio_is_as_long_and_comes_at_every_push(nod: hm.Pipeline) -> None:
    session, part = nod.stream(), speech(0.1)
    session.push(part, part)
    for wrong, got in ((None, "none"), (part[:100], "100 samples")):
        with pytest.raises(hm.AudioError, match=f"1600 samples of the listener too.*got {got}"):
            session.push(part, wrong)
    begin = nod.stream()
    with pytest.raises(hm.AudioError):
        begin.push(part, part[:10])
    begin.push(part)  # a push that is refused starts no dialogue
    monologue = nod.stream()
    first = monologue.push(part)
    with pytest.raises(hm.AudioError, match="at every push from the first on"):
        monologue.push(part, part)
    assert len(first) + len(monologue.flush()) == 3, "a push that is refused adds no samples"


def test_a_feature_that_is_lacking_names_its_capability(mean: hm.Pipeline) -> None:
    audio = (speech(0.2), RATE)
    lacks = "generator mean: expected {} for {}, got the capabilities none; leave out {}"
    for feature, capability, call in [
        ("a style", "SupportsStyle", lambda: mean.generate(audio, style="calm")),
        ("listener audio", "SupportsDialogue", lambda: mean.generate(audio, listener_audio=audio)),
        ("deviations", "SupportsUncertainty", lambda: mean.estimate(audio)),
    ]:
        with pytest.raises(hm.HeadmotionError) as caught:
            call()
        assert str(caught.value) == lacks.format(capability, feature, feature)
