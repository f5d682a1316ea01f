"""The networks against published sizes, drawing by hand, and the conformance kit over small networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from headmotion_frechet import features
from headmotion_frechet.features import I3DClips, InceptionFrames, InceptionTraces
from headmotion_frechet.i3d import I3D
from headmotion_frechet.inception import InceptionV3
from headmotion_frechet.raster import average_frames, draw_dots, point_channels
from headmotion_frechet.specs import FIDSpec, FVDSpec, TemporalFIDSpec
from safetensors.torch import save_file
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import check_component

FACE = hm.PipelineSpec().representation.build()


def keypoints(count: int) -> hm.Representation:
    representation: hm.Representation = hm.resolve_spec(
        "representation", {"type": "keypoints", "points": count}
    ).build()
    return representation


def save_random(network: nn.Module, path: Path) -> str:
    """Write random weights without counters, next to an unused classifier."""
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state | {"fc.weight": torch.zeros(3)}, path)
    return str(path)


def test_dots_by_hand() -> None:
    points = torch.tensor([[[0.0, 0.5], [0.25, 0.999], [-3.0, 7.0], [0.5, 0.1]]])
    (picture,) = draw_dots(points, ([0], [1, 2], [3]))
    lit = [tuple(index) for index in picture.nonzero().tolist()]
    # Channel, row, column: 224 * 0.99 = 221.76.
    assert lit == [(0, 112, 0), (1, 221, 0), (1, 221, 56), (2, 22, 112)]
    assert set(picture.unique().tolist()) == {0.0, 1.0}


def test_a_face_has_jaw_rest_and_lips_and_others_have_thirds() -> None:
    assert point_channels(FACE) == (list(range(17)), list(range(17, 48)), list(range(48, 68)))
    assert point_channels(keypoints(4)) == ([0, 1], [2, 3], [])
    assert point_channels(keypoints(3)) == ([0], [1], [2])


def test_the_average_weighs_later_frames_more() -> None:
    pictures = torch.eye(5)[:, None, None, :]
    weights = np.linspace(0.2, 0.8, 5)
    np.testing.assert_allclose(average_frames(pictures)[0, 0].numpy(), weights / weights.sum(), rtol=1e-6)


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_inception_has_the_published_size() -> None:
    # torchvision's Inception-v3 without its auxiliary head: 23,834,568 parameters, 2,049,000 of them the classifier.
    assert count_parameters(InceptionV3()) == 23_834_568 - 2_049_000


def inception_v1_by_table(inflated: int) -> int:
    """Parameters of GoogLeNet's table with cubes of this volume for squares: weights, and two per channel of a norm."""
    table = [
        (192, 64, 96, 128, 16, 32, 32),
        (256, 128, 128, 192, 32, 96, 64),
        (480, 192, 96, 208, 16, 48, 64),
        (512, 160, 112, 224, 24, 64, 64),
        (512, 128, 128, 256, 24, 64, 64),
        (512, 112, 144, 288, 32, 64, 64),
        (528, 256, 160, 320, 32, 128, 128),
        (832, 256, 160, 320, 32, 128, 128),
        (832, 384, 192, 384, 48, 128, 128),
    ]
    total = 3 * 64 * 7**3 + 64 * 64 + 64 * 192 * inflated + 2 * (64 + 64 + 192)
    for width, w0, w1a, w1b, w2a, w2b, w3 in table:
        total += width * (w0 + w1a + w2a + w3) + inflated * (w1a * w1b + w2a * w2b)
        total += 2 * (w0 + w1a + w1b + w2a + w2b + w3)
    return total + 1024 * 400 + 400


def test_i3d_has_the_published_size() -> None:
    assert count_parameters(I3D()) == inception_v1_by_table(27) == 12_697_264


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[nn.Module]], str]:
    """Files of random weights of the real networks."""
    folder = tmp_path_factory.mktemp("weights")

    def make(network: type[nn.Module]) -> str:
        path = folder / f"{network.__name__}.safetensors"
        if not path.exists():
            torch.manual_seed(0)
            save_random(network(), path)
        return str(path)

    return make


@torch.no_grad()
def test_shapes_of_features(weights: Callable[[type[nn.Module]], str]) -> None:
    poses = FACE.neutral() + 0.01 * torch.randn(16, 68, 2, generator=torch.manual_seed(0))
    frames = InceptionFrames(FACE, weights(InceptionV3))(poses[:3])
    assert {name: list(values.shape) for name, values in frames.items()} == {"fid": [3, 2048]}
    trace = InceptionTraces(FACE, weights(InceptionV3))(poses[:3])
    assert {name: list(values.shape) for name, values in trace.items()} == {"tfid3": [1, 2048]}
    clip = I3DClips(FACE, weights(I3D))(poses)
    assert {name: list(values.shape) for name, values in clip.items()} == {"fvd16": [1, 400]}
    assert all(torch.isfinite(values).all() for result in (frames, trace, clip) for values in result.values())


@pytest.mark.parametrize(("frames", "steps"), [(40, 4), (80, 9)])
def test_i3d_has_as_many_steps_as_published(frames: int, steps: int) -> None:
    network = I3D().to("meta")
    with torch.no_grad():
        assert network(torch.empty(1, 3, frames, 224, 224, device="meta")).shape == (1, 400 * steps)


def test_averages_of_inception_leave_padding_out_and_its_last_block_takes_the_largest() -> None:
    network = InceptionV3()
    ones = torch.ones(1, 2, 5, 5)
    assert torch.equal(network.Mixed_5b.pool(ones), ones) and torch.equal(network.Mixed_7b.pool(ones), ones)
    ramp = torch.arange(25.0).reshape(1, 1, 5, 5)
    assert network.Mixed_7c.pool(ramp)[0, 0, 2, 2] == 18 and network.Mixed_7b.pool(ramp)[0, 0, 2, 2] == 12


def test_weights_that_do_not_fit_are_one_clear_error(weights: Callable[[type[nn.Module]], str], tmp_path: Path) -> None:
    with pytest.raises(hm.CheckpointError, match="README of headmotion-frechet"):
        InceptionFrames(FACE, str(tmp_path / "none.safetensors"))
    with pytest.raises(hm.CheckpointError, match=r"Conv3d_1a_7x7\.conv3d\.weight"):
        I3DClips(FACE, weights(InceptionV3))
    pickled = tmp_path / "inception.pth"
    torch.save({"weight": torch.zeros(2)}, pickled)
    with pytest.raises(hm.CheckpointError, match=r"a \.safetensors file"):
        InceptionFrames(FACE, str(pickled))


class SmallNetwork(nn.Module):
    """Sums over parts of pictures or videos, in place of a network that takes seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 1.5, 4))

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1).unflatten(1, (4, -1)).mean(2) * self.weight


@pytest.mark.parametrize("spec", [FIDSpec, TemporalFIDSpec, FVDSpec])
def test_each_metric_conforms(
    spec: type[FIDSpec | TemporalFIDSpec | FVDSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "InceptionV3", SmallNetwork)
    monkeypatch.setattr(features, "I3D", SmallNetwork)
    path = save_random(SmallNetwork(), tmp_path / "small.safetensors")
    check_component(spec(weights=path, durations=(40, 80)))


def test_the_plugin_is_found_and_names_the_terms_of_its_weights() -> None:
    record = next(record for record in registry().records if record.name == "frechet")
    assert record.status == "ok", record.error
    assert record.types == ("metric:frechet/fid", "metric:frechet/t-fid", "metric:frechet/fvd")
    assert [asset.bundled for asset in registry().assets["frechet"]] == [False, False]
