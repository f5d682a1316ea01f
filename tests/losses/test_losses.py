import math
from types import SimpleNamespace

import pytest
import torch

from headmotion import SpecError
from headmotion.core.interfaces.sample import Sample
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.interfaces.syncer import Syncer
from headmotion.losses.specs import ReconstructionLossSpec, SpreadLossSpec, SyncLossSpec
from headmotion.losses.sync import contrastive_loss, margin_loss, top1
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.training.adversarial_objectives import hinge_discriminator, hinge_generator


@pytest.mark.parametrize(("margin", "one_way"), [(0.0, 2.90637), (0.2, math.log(math.exp(0.8) + 47) - 0.8)])
def test_contrastive_loss_of_48_orthonormal_pairs(margin: float, one_way: float) -> None:
    embeddings = torch.eye(48)
    assert float(contrastive_loss(embeddings, embeddings, margin=margin)) == pytest.approx(2 * one_way, abs=1e-4)
    assert float(top1(embeddings, embeddings)) == 1.0


def test_contrastive_loss_at_chance_is_twice_ln_n_and_groups_are_averaged() -> None:
    same = torch.ones(3, 48, 1)
    assert float(contrastive_loss(same, same, temperature=0.07)) == pytest.approx(2 * math.log(48), abs=1e-4)


def test_margin_loss_worked_out_by_hand() -> None:
    motion = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    audio = torch.tensor([[0.0, 1.0], [3.0, 4.0]])
    # The distances of matching pairs are 1 and 0, of window 0 and audio 1 is 5, of window 1 and audio 0 the root of 18.
    by_hand = (0.5 + ((10 - 5) ** 2 + (10 - 18**0.5) ** 2) / 2) / 2
    assert float(margin_loss(audio, motion, 10.0)) == pytest.approx(by_hand, rel=1e-6)
    groups = torch.stack([motion, motion]), torch.stack([audio, audio])
    assert float(margin_loss(groups[1], groups[0], 10.0)) == pytest.approx(by_hand, rel=1e-6)
    assert float(margin_loss(20 * audio, 20 * motion, 10.0)) == pytest.approx(400 * 0.25), "no cost beyond the margin"
    assert float(margin_loss(audio[:1], motion[:1] + 5, 10.0)) > 0, "finite where a window is its own negative"


def test_nearest_by_distance_is_nearest_by_cosine_for_unit_length() -> None:
    audio, motion = torch.nn.functional.normalize(torch.randn(2, 3, 48, 8, generator=torch.manual_seed(0)), dim=-1)
    motion = torch.nn.functional.normalize(audio + 0.7 * motion, dim=-1)
    by_cosine = (motion @ audio.mT).argmax(-1) == torch.arange(48)
    assert float(top1(audio, motion)) == pytest.approx(float(by_cosine.float().mean()))
    assert 0.2 < float(top1(audio, motion)) < 1


def test_hinge_losses_at_zero_scores() -> None:
    zeros = torch.zeros(7)
    assert float(hinge_discriminator(zeros, zeros)) == 2.0
    assert float(hinge_generator(zeros)) == 0.0
    assert float(hinge_discriminator(torch.full((3,), 1.0), torch.full((3,), -1.0))) == 0.0


def test_the_sync_loss_uses_as_many_levels_as_its_spec_says() -> None:
    class Mean(Syncer):
        window = 2

        def embed_audio(self, audio: torch.Tensor) -> torch.Tensor:
            return audio.mean(1)

        def embed_motion(self, motion: torch.Tensor) -> torch.Tensor:
            return motion.flatten(2).mean(1)

    syncers = SyncerPyramid([Mean(SyncLossSpec()) for _ in range(3)], Pyramid(3, kernel=3))
    real = torch.randn(2, 20, 1, 2)
    sample = Sample(real[:, :3], torch.randn(2, 17, 1, 2), real.flatten(2).repeat_interleave(4, 1))
    motion = torch.cat([sample.reference, sample.motion], 1)
    cosines = [float(level.mean()) for level in syncers.scores(motion, sample.audio)]
    for levels in (1, 2, 3, None):
        loss = SyncLossSpec(weight=2.0, levels=levels).build(_context())
        loss.use_parts({"syncers": syncers})
        used = cosines[:levels]
        assert float(loss(sample, sample, 0)["sync"]) == pytest.approx(-2 * sum(used) / len(used), abs=1e-5)


def _samples(reference: torch.Tensor, real: torch.Tensor, generated: torch.Tensor) -> tuple[Sample, Sample]:
    """Return recorded and generated motion of one reference, without audio."""
    return Sample(reference, real, torch.empty(0)), Sample(reference, generated, torch.empty(0))


def _context() -> BuildContext:
    representation = SimpleNamespace(
        name="toy",
        points=4,
        dims=2,
        groups={"lips": (0, 1), "nose": (2, 3)},
        openings={"mouth": ((0, 1),)},
        to_points2d=lambda values: values,
    )
    return BuildContext(representation, 26)  # type: ignore[arg-type]


def test_reconstruction_ignores_head_motion_and_compares_the_mouth() -> None:
    spec = ReconstructionLossSpec(groups={"lips": 1.0}, relative_to="nose", openings={"mouth": 2.0})
    loss = spec.build(_context())
    real = torch.rand(2, 6, 4, 2)

    def terms(generated: torch.Tensor) -> dict[str, float]:
        return {name: float(t) for name, t in loss(*_samples(real[:, :1], real, generated), 0).items()}

    assert terms(real) == pytest.approx({"lips": 0.0, "mouth_opening": 0.0}, abs=1e-4)
    assert terms(real + 0.3) == pytest.approx({"lips": 0.0, "mouth_opening": 0.0}, abs=1e-3)
    opened = real.clone()
    opened[:, :, 0] += torch.tensor([0.0, 0.5])
    assert terms(opened)["lips"] == pytest.approx(100 * 0.5 / 4, rel=1e-3)
    assert terms(opened)["mouth_opening"] > 1
    crossed = real.clone()
    crossed[:, :, [0, 1]] = real[:, :, [1, 0]]
    assert terms(crossed)["mouth_opening"] > 1


def test_the_shape_ignores_rotation_and_detects_a_displaced_point() -> None:
    loss = ReconstructionLossSpec(groups={}, shape=1.0).build(_context())
    real = torch.rand(2, 6, 4, 2)
    rotation = torch.tensor([[0.8, 0.6], [-0.6, 0.8]])
    bent = real.clone()
    bent[:, :, 3, 0] += 0.5
    inputs = [_samples(real[:, :1], real, generated) for generated in (real @ rotation + 0.2, bent)]
    assert float(loss(*inputs[0], 0)["shape"]) < 0.01 < 1 < float(loss(*inputs[1], 0)["shape"])


def test_reconstruction_names_what_the_representation_lacks() -> None:
    with pytest.raises(SpecError, match="lips, nose"):
        ReconstructionLossSpec(groups={"limbs": 1.0}).build(_context())


def test_spread_compares_how_far_a_body_moves_and_not_its_path() -> None:
    loss = SpreadLossSpec(weight=3.0, lags=(1, 2), groups=("nose",), directions=2).build(_context())
    steps = 0.01 * torch.randn(500, 6, 1, 2, generator=torch.manual_seed(0))
    resting, path = torch.rand(500, 1, 4, 2), steps.cumsum(1)

    def spread(motion: torch.Tensor) -> float:
        (value,) = loss(*_samples(resting, resting + path, motion), 0).values()
        return float(value)

    assert spread(resting + path) == pytest.approx(0.0, abs=1e-3)
    assert spread(resting - path.flip(0)) < 0.2
    assert spread(resting + 2 * path) == pytest.approx(3 * math.log(2), rel=0.05)
    assert spread(resting.expand(-1, 6, -1, -1)) > 3
    assert not math.isfinite(spread(resting + path / 0))
    with pytest.raises(SpecError, match="'tail'"):
        SpreadLossSpec(groups=("tail",)).build(_context())


def test_spread_detects_a_missing_small_rotation_next_to_a_large_shift() -> None:
    loss = SpreadLossSpec(lags=(1,), directions=2).build(_context())
    shift = 0.1 * torch.randn(400, 8, 1, 1, generator=torch.manual_seed(1)) * torch.ones(4, 2)
    rotation = (
        0.01 * torch.randn(400, 8, 1, 1, generator=torch.manual_seed(2)) * torch.tensor([[1.0, -1.0], [-1.0, 1.0]] * 2)
    )
    resting = torch.zeros(400, 1, 4, 2)
    (both,) = loss(*_samples(resting, shift + rotation, shift + rotation), 0).values()
    (stiff,) = loss(*_samples(resting, shift + rotation, shift), 0).values()
    assert float(both) < 0.01 < 1.0 < float(stiff)


def test_aligned_reconstruction_ignores_rotation_and_size_too() -> None:
    loss = ReconstructionLossSpec(groups={"lips": 1.0}, aligned_by=("nose",)).build(_context())
    real = torch.rand(2, 6, 4, 2)

    def lips(generated: torch.Tensor) -> float:
        return float(loss(*_samples(real[:, :1], real, generated), 0)["lips"])

    rotation = torch.tensor([[0.9, 0.3], [-0.3, 0.9]])
    assert lips(real @ rotation + 0.2) < 1e-3
    opened = real.clone()
    opened[:, :, 0] += torch.tensor([0.0, 0.5])
    assert lips(opened @ rotation) == pytest.approx(100 * 0.5 / 4, rel=1e-3)
    with pytest.raises(SpecError, match="expected relative_to or aligned_by, got both"):
        ReconstructionLossSpec(relative_to="nose", aligned_by=("nose",))


def test_spread_compares_correlations_of_directions() -> None:
    loss = SpreadLossSpec(lags=(1,), directions=2).build(_context())
    first, second = (torch.randn(400, 8, 1, 1, generator=torch.manual_seed(seed)) for seed in (1, 2))
    shift, rotation = torch.ones(4, 2), torch.tensor([[1.0, -1.0], [-1.0, 1.0]] * 2)
    resting = torch.zeros(400, 1, 4, 2)
    real = 0.1 * first * shift + 0.05 * second * rotation
    (swapped,) = loss(*_samples(resting, real, 0.1 * second * shift + 0.05 * first * rotation), 0).values()
    (matching,) = loss(*_samples(resting, real, 0.1 * first * shift + 0.05 * first * rotation), 0).values()
    assert float(swapped) < 0.1 < 1.0 < float(matching)
