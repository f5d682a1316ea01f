import pytest
import torch
from torch import nn

import headmotion as hm
from benchmarks.goals.baseline_networks import (
    BaselineDiscriminator,
    BaselineGenerator,
    BaselineSyncer,
    copy_weights,
    parameters,
)
from headmotion.core.component import seeded_uniform
from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.specs import MSSyncDiscriminatorSpec, MSSyncGeneratorSpec, MSSyncSyncerSpec
from headmotion.representations.specs import Landmarks68Spec
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid

CONTEXT = BuildContext(Landmarks68Spec().build(), 26)


@pytest.mark.parametrize(
    ("network", "millions"),
    [(BaselineGenerator, 71.0), (BaselineDiscriminator, 33.2), (BaselineSyncer, 12.081124)],
)
def test_parameter_counts_are_the_published_ones(network: type[nn.Module], millions: float) -> None:
    with torch.device("meta"):
        counted = parameters(network()) / 1e6
    assert counted == pytest.approx(millions, abs=0.05)
    assert round(counted, len(str(millions).split(".")[1])) == millions


@pytest.mark.parametrize(("dtype", "frames", "tolerance"), [(torch.float64, 12, 1e-12), (torch.float32, 4, 1e-6)])
@torch.no_grad()
def test_the_generator_with_the_same_weights_gives_the_same_motion(
    dtype: torch.dtype, frames: int, tolerance: float
) -> None:
    torch.manual_seed(0)
    spec = MSSyncGeneratorSpec.model_validate({"preset": "paper-code", "pose_size": 64, "audio_size": 64})
    ours, baseline = spec.build(CONTEXT).eval().to(dtype), BaselineGenerator(64).eval().to(dtype)
    copy_weights(ours, baseline)
    reference, audio = torch.rand(2, 3, 68, 2, dtype=dtype), torch.randn(2, 4 * frames, 26, dtype=dtype)
    expected = baseline(reference, audio, seeded_uniform(3, 2, 512).to(dtype))
    span = float(expected.max() - expected.min())
    torch.testing.assert_close(ours(reference, audio, seed=3), expected, atol=tolerance * span, rtol=0)


@torch.no_grad()
def test_the_discriminators_with_the_same_weights_give_the_same_scores() -> None:
    torch.manual_seed(0)
    ours, baseline = MSSyncDiscriminatorSpec().build(CONTEXT).eval(), BaselineDiscriminator().eval()
    copy_weights(ours, baseline)
    reference, motion = torch.rand(2, 3, 68, 2), torch.rand(2, 40, 68, 2)
    expected = baseline(reference, motion)
    for name, score in ours(hm.Sample(reference, motion, torch.zeros(2, 172, 26))).items():
        torch.testing.assert_close(score, expected[name], atol=1e-6, rtol=1e-6)


@torch.no_grad()
def test_the_syncer_with_the_same_weights_gives_the_same_cosines() -> None:
    torch.manual_seed(0)
    ours, baseline = MSSyncSyncerSpec().build(CONTEXT).eval(), BaselineSyncer().eval()
    copy_weights(ours, baseline)
    motion, audio = torch.rand(2, 9, 68, 2), torch.randn(2, 36, 26)
    score = SyncerPyramid([ours], Pyramid(levels=1))(motion, audio)
    torch.testing.assert_close(-score, baseline(motion, audio), atol=1e-6, rtol=1e-6)
