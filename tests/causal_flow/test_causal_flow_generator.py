"""The generator causal-flow: streams, seeds, settings, representations, training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.causal_flow.generator import CausalFlowGenerator
from headmotion.core.interfaces.sample import Sample
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train

NARROW = {"type": "causal-flow", "width": 16, "flow_width": 12, "blocks": 2, "codes": 4}
ARM = {"type": "joint-positions", "names": ("shoulder", "left_elbow", "right_elbow"), "parents": (-1, 0, 0)}
CHANNELS = 8


def built(described: object = "landmarks68", **changes: object) -> CausalFlowGenerator:
    torch.manual_seed(0)
    representation = resolve_spec("representation", described).build(None)
    generator = resolve_spec("generator", NARROW | changes).build(BuildContext(representation, CHANNELS, 2))
    assert isinstance(generator, CausalFlowGenerator)
    return generator.eval()


def inputs(described: object, frames: int, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    pose = resolve_spec("representation", described).build(None).neutral()
    rng = torch.Generator().manual_seed(1)
    return pose.expand(batch, 1, -1, -1), torch.randn(batch, 2 * frames, CHANNELS, generator=rng)


def recorded(described: object, batch: int = 3, frames: int = 20) -> Sample:
    reference, audio = inputs(described, frames + 1, batch)
    rng = torch.Generator().manual_seed(2)
    moved = reference + 0.01 * torch.randn(batch, frames, *reference.shape[2:], generator=rng)
    return Sample(reference, moved, audio)


@pytest.mark.parametrize("described", ["landmarks68", "mesh478", "blendshapes", "keypoints", ARM], ids=str)
def test_terms_reach_all_weights_on_any_representation(described: object) -> None:
    generator = built(described).train()
    sum(generator.training_terms(recorded(described), 0, seed=0).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())
    has_lips = "lips" in resolve_spec("representation", described).build(None).groups
    assert ("lips" in generator.training_terms(recorded(described), 0, seed=0)) is has_lips


def test_a_flow_that_sometimes_does_not_hear_trains_what_stands_for_speech() -> None:
    generator = built(condition_dropout=0.5).train()
    sum(generator.training_terms(recorded("landmarks68"), 0, seed=0).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is not None and p.grad.any() for p in generator.unconditional.parameters())  # type: ignore[union-attr]


@pytest.mark.parametrize("condition_dropout", [0.0, 0.5])
def test_terms_of_a_clip_do_not_depend_on_its_batch(condition_dropout: float) -> None:
    generator, sample = built(condition_dropout=condition_dropout), recorded("landmarks68")
    distances = [
        generator.training_terms(
            Sample(sample.reference[k : k + 1], sample.motion[k : k + 1], sample.audio[k : k + 1]), 0, k
        )
        for k in range(3)
    ]
    for name, value in generator.training_terms(sample, 0, seed=0).items():
        torch.testing.assert_close(torch.stack([terms[name] for terms in distances]).mean(), value)


def test_lips_do_not_depend_on_the_seed_and_all_else_does() -> None:
    generator, groups = built(head_amount=0.0), resolve_spec("representation", "landmarks68").build(None).groups
    one, other = (generator(*inputs("landmarks68", 30), seed) for seed in (0, 9))
    for name, points in groups.items():
        assert torch.equal(one[:, :, points], other[:, :, points]) is (name in ("lips", "jaw")), name


def test_brows_have_a_temperature_of_their_own() -> None:
    reference, audio = inputs("landmarks68", 30)
    brows = list(resolve_spec("representation", "landmarks68").build(None).groups["brows"])

    def brows_differ(**changes: object) -> bool:
        generator = built(head_amount=0.0, **changes)
        return not torch.allclose(
            generator(reference, audio, 0)[:, :, brows], generator(reference, audio, 9)[:, :, brows]
        )

    assert brows_differ() and not brows_differ(expression_temperature=0.0, temperature=0.0)
    assert brows_differ(expression_temperature=1.0, temperature=0.0)


def test_guidance_scales_what_speech_adds_to_the_flow() -> None:
    groups = resolve_spec("representation", "landmarks68").build(None).groups
    generator, (reference, audio) = built(head_amount=0.0, condition_dropout=0.1), inputs("landmarks68", 30)

    def brows(guidance: float, speech: torch.Tensor) -> torch.Tensor:
        return generator.with_settings(guidance=guidance, euler_steps=1)(reference, speech)[:, :, list(groups["brows"])]

    without, one, two = (brows(guidance, audio) for guidance in (0, 1, 2))
    torch.testing.assert_close(two - without, 2 * (one - without))  # one Euler step is linear in the velocity
    assert torch.equal(without, brows(0, -audio))
    assert not torch.allclose(one, brows(1, -audio))
    lips = list(groups["lips"])
    assert torch.equal(
        generator(reference, audio)[:, :, lips], generator.with_settings(guidance=3)(reference, audio)[:, :, lips]
    )


def test_guidance_needs_a_model_that_was_trained_for_it() -> None:
    with pytest.raises(hm.SpecError, match="condition_dropout"):
        built().with_settings(guidance=2)


def test_temperature_and_amount_scale_the_head() -> None:
    reference, audio = inputs("landmarks68", 60)

    def spread(**changes: object) -> float:
        generator = built(**changes)
        generator.coordinates.scale.running_var.fill_(1e-5)  # type: ignore[union-attr]
        motion = torch.stack([generator(reference, audio, seed) for seed in range(0, 8, 2)]).detach()
        return float(motion.std(0).mean())

    assert spread(temperature=0.0) < 1e-6 < spread(temperature=0.5) < spread()
    assert spread(head_amount=0.0) < spread() < spread(head_amount=0.05)


def test_ten_minutes_do_not_drift() -> None:
    generator, minute = built(), 25 * 60
    reference, audio = inputs("landmarks68", minute, batch=1)
    state, first, last = generator.init_state(reference), None, None
    with torch.no_grad():
        for _ in range(10):
            motion, state = generator.step(audio, state)
            first = motion if first is None else first
            last = motion
    assert first is not None and last is not None
    distances = [(motion - reference).abs().mean() for motion in (first, last)]
    assert distances[1] / distances[0] == pytest.approx(1, abs=0.3)


def test_the_recipe_trains_resumes_and_streams(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "corpus", clips=4, seconds=3.2)
    small = [f"pipeline.generator.{k}={v}" for k, v in NARROW.items() if k != "type"]
    changes = [*small, "data.batch_size=2", "phases.generator.frames=30"]
    changes += [
        f"data.feature_cache={tmp_path / 'features'}",
        "save_every=1",
        "preview_every=0",
        "data.feature_lead_s=1",
    ]

    def run(name: str, steps: int, resume: bool = False) -> Path:
        overrides = [*changes, f"phases.generator.steps={steps}", "phases.generator.optimizer.schedule=constant"]
        return train(
            "causal-flow", [corpus], tmp_path / name, device="cpu", overrides=overrides, quiet=True, resume=resume
        )

    run("stopped", 2)
    whole, continued = run("whole", 4), run("stopped", 4, resume=True)
    pipe, other = (hm.load(path, device="cpu") for path in (whole, continued))
    assert all(
        torch.equal(a, b) for a, b in zip(pipe.generator.parameters(), other.generator.parameters(), strict=True)
    )
    assert pipe.lookahead_ms() == 280
    wave = hm.Audio.load(next(corpus.glob("*.flac"))).read(16_000)
    session, parts = pipe.stream(), []
    for chunk in np.split(wave, [1, 7000, 7001, 23_456]):
        parts.append(session.push(chunk).values)
    streamed = torch.cat([*parts, session.flush().values])
    assert (streamed - pipe.generate((wave, 16_000)).values).abs().max() < 1e-5
