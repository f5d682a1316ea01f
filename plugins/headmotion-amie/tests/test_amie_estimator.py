"""The estimator: its bounds by hand, what it learns from, and what it must not learn from."""

from __future__ import annotations

import copy
from dataclasses import replace
from math import log

import pytest
import torch
from headmotion_amie.bounds import donsker_varadhan, jensen_shannon, pair_scores, positive_part
from headmotion_amie.estimator import shifted_bounds
from headmotion_amie.specs import EstimatorMetricSpec, EstimatorSpec
from headmotion_amie.statistics_network import StatisticsNetwork

import headmotion as hm

FACE = hm.resolve_spec("representation", "landmarks68").build()
CONTEXT = hm.BuildContext(FACE, 13)
SMALL = {"preset": "small", "track": "motion", "motion_widths": (32, 16), "speech_widths": (32, 16), "joint_width": 16}


def test_bounds_of_scores_without_information_and_with_all_of_it() -> None:
    zeros, sure = torch.zeros(3, 5), torch.full((3, 5), 60.0)
    assert jensen_shannon(zeros, zeros).item() == pytest.approx(-2 * log(2))
    assert jensen_shannon(sure, -sure).item() == pytest.approx(0.0, abs=1e-6)
    assert donsker_varadhan(zeros, zeros).item() == pytest.approx(0.0, abs=1e-6)
    # Scores log p(x, y) / p(x) p(y) of two equal bits: true pairs log 2, others log 2 or minus infinity.
    others = torch.tensor([log(2), log(2), -60.0, -60.0])
    assert donsker_varadhan(torch.full((4,), log(2)), others).item() == pytest.approx(log(2))
    assert positive_part("js", sure).item() == pytest.approx(0.0, abs=1e-6)
    assert positive_part("dv", sure).item() == 60.0


def test_pairs_are_those_of_each_clip() -> None:
    scores = torch.arange(18.0).reshape(2, 3, 3)
    joint, others = pair_scores(scores)
    assert joint.tolist() == [[0, 4, 8], [9, 13, 17]]
    assert others.shape == (2, 3, 2) and others[1].flatten().tolist() == [10, 11, 12, 14, 15, 16]


def coupled(seed: int, batch: int = 4, frames: int = 20) -> hm.Sample:
    """Motion whose points move with the loudness, and nothing else."""
    rng = torch.Generator().manual_seed(seed)
    loud = torch.randn(batch, frames + 4, 1, generator=rng)
    audio = loud.repeat_interleave(4, dim=1).expand(-1, -1, 13) + 0.3 * torch.randn(
        batch, 4 * frames + 16, 13, generator=rng
    )
    motion = FACE.neutral() + 0.01 * loud[:, 2:-2, :, None] * torch.ones(68, 2)
    return hm.Sample(motion[:, :0], motion, audio[:, 8:-8])


@pytest.fixture(scope="module")
def learned() -> tuple[hm.Loss, list[float]]:
    torch.manual_seed(0)
    loss = EstimatorSpec.model_validate(SMALL).build(CONTEXT)
    optimizer, values = torch.optim.Adam(loss.parameters(), lr=3e-3), []
    for step in range(40):
        batch = coupled(step)
        optimizer.zero_grad()
        term = loss.objective(batch, batch, step)["information_loss"]
        term.backward()
        optimizer.step()
        values.append(-term.item())
    return loss.eval(), values


@torch.no_grad()
def test_the_bound_rises_with_training_and_falls_with_a_shift(learned: tuple[hm.Loss, list[float]]) -> None:
    loss, values = learned
    assert values[0] == pytest.approx(-2 * log(2), abs=0.3)
    assert values[-1] > values[0] + 0.3
    curve = shifted_bounds(loss.network, coupled(100), "js", 8)
    assert len(curve) == 17 and int(curve.argmax()) == 8
    far = torch.cat([curve[:4], curve[-4:]])
    assert float(curve[8]) > float(far.max()) + 0.3
    # Independent speech: no more than scores without information.
    unrelated = replace(coupled(100), audio=coupled(101).audio)
    assert -loss(unrelated, unrelated, 0)["information_loss"].item() / 0.1 < -2 * log(2) + 0.05


def test_generated_pairs_never_move_an_asymmetric_estimator() -> None:
    for variant, moves in (("amie", False), ("mine_asym", False), ("mine", True), ("mine_js", True)):
        torch.manual_seed(0)
        loss = EstimatorSpec.model_validate(SMALL | {"variant": variant}).build(CONTEXT)
        real, generated = coupled(1), coupled(2)
        leaf = generated.motion.clone().requires_grad_()
        terms = loss.objective(real, replace(generated, motion=leaf), 0)
        terms["information_loss"].backward()
        assert (leaf.grad is not None) == moves, variant
        # Guiding changes neither weights nor running means.
        before = copy.deepcopy(loss.state_dict())
        loss(real, generated, 0)["information_loss"].backward()
        assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items()), variant


def test_guidance_rewards_motion_that_belongs_to_the_speech(learned: tuple[hm.Loss, list[float]]) -> None:
    loss, _ = learned
    real, other = coupled(7), coupled(8)
    leaf = other.motion.clone().requires_grad_()
    mismatched = replace(real, motion=leaf)
    assert loss(real, real, 0)["information_loss"] < loss(real, mismatched, 0)["information_loss"]
    term = loss(real, mismatched, 0)["information_loss"]
    term.backward()
    nearer = replace(real, motion=(leaf - 1e-3 * leaf.grad / leaf.grad.abs().max()).detach())
    assert loss(real, nearer, 0)["information_loss"] < term


def test_blend_shapes_have_an_estimator_too() -> None:
    shapes = hm.resolve_spec("representation", "blendshapes").build()
    network = StatisticsNetwork(EstimatorSpec.model_validate(SMALL), hm.BuildContext(shapes, 26), "test")
    motion = torch.rand(2, 7, shapes.points, shapes.dims)
    assert network(hm.Sample(motion[:, :1], motion[:, 1:], torch.randn(2, 28, 26))).shape == (2, 6, 6)
    with pytest.raises(hm.SpecError, match="poses with positions in the picture, got blendshapes"):
        StatisticsNetwork(EstimatorSpec(preset="small"), hm.BuildContext(shapes, 26), "test")


def test_mistakes_are_one_line() -> None:
    with pytest.raises(hm.SpecError, match="a preset among paper, small, got 'huge'"):
        EstimatorSpec(preset="huge")
    loss = EstimatorSpec.model_validate(SMALL | {"estimator": "judge"}).build(CONTEXT)
    assert loss.uses == ("judge",) and not list(loss.parameters())
    with pytest.raises(hm.SpecError, match="an estimator of motion under the name 'judge', got a Linear"):
        loss.use_parts({"judge": torch.nn.Linear(1, 1)})
    with pytest.raises(hm.CheckpointError, match=r"estimator: .* grid-lips, grid-motion, .*did you mean 'grid-motion'"):
        EstimatorMetricSpec(model="grid-moton").build(CONTEXT)
    single = coupled(0, frames=1)
    with pytest.raises(hm.TrainingError, match="clips of two frames or more"):
        EstimatorSpec.model_validate(SMALL).build(CONTEXT)(single, single, 0)
