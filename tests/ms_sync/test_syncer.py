from types import SimpleNamespace

import pytest
import torch

from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.specs import MSSyncSyncerSpec
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid


def context(points: int = 68, dims: int = 2) -> BuildContext:
    return BuildContext(SimpleNamespace(points=points, dims=dims), 26)  # type: ignore[arg-type]


def parameters(*modules: torch.nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameter_counts_are_those_of_the_published_networks() -> None:
    syncer = MSSyncSyncerSpec().build(context())
    assert parameters(syncer.motion_input, syncer.motion_network) == 7_788_176
    assert parameters(syncer.audio_network) == 4_292_948


@pytest.mark.parametrize(("points", "dims"), [(68, 2), (10, 6), (24, 3)])
def test_it_embeds_any_representation(points: int, dims: int) -> None:
    syncer = MSSyncSyncerSpec.model_validate({"preset": "small"}).build(context(points, dims))
    assert syncer.embed_motion(torch.rand(3, 5, points, dims)).shape == (3, 96)
    assert syncer.embed_audio(torch.rand(3, 20, 26)).shape == (3, 96)


def test_relative_windows_do_not_depend_on_the_position_of_the_face() -> None:
    syncer = MSSyncSyncerSpec.model_validate({"preset": "small"}).build(context())
    motion = torch.rand(2, 5, 68, 2)
    torch.testing.assert_close(syncer.embed_motion(motion), syncer.embed_motion(motion + 0.3), atol=1e-4, rtol=0)


def test_a_pyramid_of_syncers_scores_every_window_of_every_level() -> None:
    spec = MSSyncSyncerSpec.model_validate({"preset": "small"})
    syncers = SyncerPyramid([spec.build(context()) for _ in range(4)], Pyramid())
    motion = torch.rand(2, 43, 68, 2, requires_grad=True)
    scores = syncers(motion, torch.randn(2, 172, 26))
    assert [s.shape for s in syncers.scores(motion, torch.randn(2, 172, 26))] == [(2, n) for n in (39, 18, 7, 2)]
    scores.backward()
    assert motion.grad is not None and motion.grad.abs().sum() > 0
