"""The networks against the published widths, and what each part does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from headmotion_atvg.specs import ATNetSpec, DynamicPixelSpec, LandmarkPCASpec, RegressionSpec, VGNetSpec
from torch import nn

import headmotion as hm

FACE = hm.resolve_spec("representation", "landmarks68").build()
CONTEXT = hm.BuildContext(FACE, 13, picture_size=(128, 128))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def conv(inputs: int, outputs: int, kernel: int = 3, norm: bool = True) -> int:
    """Weights and biases of a convolution, and two numbers per channel of its batch norm."""
    return kernel**2 * inputs * outputs + outputs + 2 * outputs * norm


def linear(*sizes: int) -> int:
    return sum(a * b + b for a, b in pairwise(sizes))


def lstm(inputs: int, hidden: int, layers: int = 3) -> int:
    return sum(4 * hidden * ((inputs if not layer else hidden) + hidden + 2) for layer in range(layers))


def test_at_net_has_the_published_size() -> None:
    with torch.device("meta"):
        network = ATNetSpec(preset="paper").build(CONTEXT)
    assert network.flat_size == 12_288
    speech = conv(1, 64) + conv(64, 128) + conv(128, 256) + conv(256, 256) + conv(256, 512) + linear(12_288, 2048, 256)
    assert count(network) == speech + linear(6, 256, 512) + lstm(768, 256) + linear(256, 6)


def test_vg_net_has_the_published_size_and_maps() -> None:
    with torch.device("meta"):
        network = VGNetSpec(preset="paper").build(CONTEXT)
        still, poses = torch.empty(2, 3, 128, 128), torch.empty(2, 4, 68, 2)
        shallow = network.shallow(still)
        assert shallow.shape == (2, 128, 32, 32) and network.deep(shallow).shape == (2, 512, 8, 8)
        near = network.landmarks(torch.empty(2, 136))
        assert near.shape == (2, 256, 8, 8) and network.landmarks_far(near).shape == (2, 512, 8, 8)
        outputs, state = network.draw(still, poses[:, 0], poses)
    assert state.shape == (2, 512, 8, 8)
    shapes = {name: tuple(values.shape[2:]) for name, values in outputs.items()}
    full, map_size = (3, 128, 128), (1, 128, 128)
    assert shapes == {
        "frames": full,
        "attention": map_size,
        "motion_map": full,
        "landmark_attention": (1, 32, 32),
    }
    images = conv(3, 64, 7) + conv(64, 64) + conv(64, 128) + conv(128, 256) + conv(256, 512)
    landmarks = linear(136, 64) + conv(1, 256) + conv(256, 512)
    attention = conv(512, 256) + conv(256, 128) + conv(128, 1, norm=False)
    recurrent = conv(1024, 128, norm=False) + conv(128, 3 * 512, norm=False) + conv(512, 3 * 512, norm=False)
    generator = 9 * 2 * conv(512, 512) + conv(512, 256) + conv(256, 128)
    base = conv(128, 64) + conv(64, 32) + conv(32, 3, 7, norm=False) + conv(32, 1, 7, norm=False)
    assert count(network) == images + landmarks + attention + recurrent + generator + base


def test_the_discriminator_has_the_published_size() -> None:
    with torch.device("meta"):
        network = RegressionSpec(preset="paper").build(CONTEXT)
    assert network.flat_size == 32_768
    frames = conv(3, 64, norm=False) + conv(64, 128) + conv(128, 256) + conv(256, 512) + linear(32_768, 512)
    heads = linear(256, 1) + linear(256, 136)
    assert count(network) == frames + linear(136, 256, 512) + lstm(1024, 256) + heads


def test_small_networks_fit_into_ten_megabytes() -> None:
    with torch.device("meta"):
        parts = [spec(preset="small").build(CONTEXT) for spec in (ATNetSpec, VGNetSpec)]
    assert 4 * sum(count(part) + sum(buffer.numel() for buffer in part.buffers()) for part in parts) < 10e6


def test_unknown_presets_are_one_line() -> None:
    for spec in (ATNetSpec, VGNetSpec, RegressionSpec):
        with pytest.raises(hm.SpecError, match="a preset among paper, small, got 'huge'"):
            spec(preset="huge")


def vg_net(**fields: object) -> nn.Module:
    torch.manual_seed(0)
    return VGNetSpec.model_validate({"preset": "small", "size": 32, **fields}).build(CONTEXT).eval()


@torch.no_grad()
def test_frames_are_painted_where_the_attention_is_and_copied_elsewhere() -> None:
    network, still = vg_net(follow_head=False), torch.rand(1, 3, 32, 32)
    poses = FACE.neutral() + 0.01 * torch.randn(1, 3, 68, 2)
    network.maps.bias[3] = -30.0
    copied = network.pictures(still, poses[:, 0], poses)
    torch.testing.assert_close(copied["frames"], still[:, None].expand(-1, 3, -1, -1, -1))
    network.maps.bias[3] = 30.0
    painted = network.pictures(still, poses[:, 0], poses)
    torch.testing.assert_close(painted["frames"], painted["motion_map"])


@torch.no_grad()
def test_without_attention_all_pixels_are_painted() -> None:
    network, still = vg_net(attention=False), torch.rand(1, 3, 32, 32)
    poses = FACE.neutral() + 0.01 * torch.randn(1, 3, 68, 2)
    painted = network.pictures(still, poses[:, 0], poses)
    torch.testing.assert_close(painted["frames"], painted["motion_map"])
    torch.testing.assert_close(painted["attention"], torch.ones(1, 3, 1, 32, 32))
    assert len(network.maps.weight) == 3


@torch.no_grad()
def test_the_still_picture_follows_the_head() -> None:
    network, still, pose = vg_net(), torch.rand(1, 3, 32, 32), FACE.neutral()[None]
    network.maps.bias[3] = -30.0
    moved = pose[:, None] + torch.tensor([2 / 32, 0.0])
    outputs = network.pictures(still, pose, torch.cat([pose[:, None], moved], dim=1))
    same, shifted = outputs["frames"][0]
    torch.testing.assert_close(same, still[0], atol=1e-4, rtol=0)
    # The middle is two pixels further right, the border where it was.
    torch.testing.assert_close(shifted[:, 11:21, 12:21], still[0, :, 11:21, 10:19], atol=1e-4, rtol=0)
    torch.testing.assert_close(shifted[:, 0], still[0, :, 0], atol=0.05, rtol=0)
    # The landmarks that the network is given do not move.
    attention = outputs["landmark_attention"][0]
    torch.testing.assert_close(attention[0], attention[1], atol=1e-4, rtol=0)


def test_a_representation_without_a_head_is_one_line() -> None:
    points = hm.BuildContext(hm.resolve_spec("representation", "keypoints").build(), 13)
    with pytest.raises(hm.SpecError, match="groups among brows, nose, eyes, got keypoints; set follow_head to false"):
        VGNetSpec(preset="small").build(points)


@torch.no_grad()
def test_the_state_continues_a_sequence() -> None:
    network, still = vg_net(), torch.rand(1, 3, 32, 32)
    poses = FACE.neutral() + 0.01 * torch.randn(1, 6, 68, 2)
    whole, _ = network.draw(still, poses[:, 0], poses)
    first, state = network.draw(still, poses[:, 0], poses[:, :2])
    second, _ = network.draw(still, poses[:, 0], poses[:, 2:], state)
    torch.testing.assert_close(torch.cat([first["frames"], second["frames"]], dim=1), whole["frames"])


@torch.no_grad()
def test_the_gain_of_differences_changes_nothing_where_there_are_none() -> None:
    still, pose = torch.rand(1, 3, 32, 32), FACE.neutral()[None]
    plain, strong = (vg_net(follow_head=False, difference_gain=gain) for gain in (1.0, 10.0))
    same, moved = pose[:, None], pose[:, None] + 0.01 * torch.randn(1, 1, 68, 2)
    first, second = (network.pictures(still, pose, same)["frames"] for network in (plain, strong))
    torch.testing.assert_close(first, second)
    further = pose[:, None] + 10 * (moved - pose[:, None])
    expected = plain.pictures(still, pose, further)["frames"]
    torch.testing.assert_close(strong.pictures(still, pose, moved)["frames"], expected, atol=1e-4, rtol=0)


def sample(frames: torch.Tensor, **outputs: torch.Tensor) -> hm.Sample:
    motion = FACE.neutral().expand(1, frames.shape[1], 68, 2)
    return hm.Sample(motion[:, :1], motion, torch.zeros(1, 8, 13), frames=frames, outputs=outputs)


def test_dynamic_pixels_by_hand() -> None:
    loss = DynamicPixelSpec(weight=10).build(CONTEXT)
    real, attention = torch.zeros(1, 2, 3, 4, 4), torch.zeros(1, 2, 1, 4, 4, requires_grad=True)
    drawn = torch.zeros(1, 2, 3, 4, 4, requires_grad=True)
    weights = attention + torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1, 1)
    terms = loss(sample(real), sample(drawn + 0.25, attention=weights), 0)
    # Differences of 0.25 count twice; half of the pixels weigh 0.5, the other half 1.5.
    assert terms["pixels"].item() == pytest.approx(10 * 2 * 0.25 * 1.0)
    terms["pixels"].backward()
    assert attention.grad is None and drawn.grad is not None
    assert float(drawn.grad[:, 1].sum() / drawn.grad[:, 0].sum()) == pytest.approx(3.0)
    plain = DynamicPixelSpec(weight=10, dynamic=False).build(CONTEXT)
    assert plain(sample(real), sample(drawn + 0.25), 0)["pixels"].item() == pytest.approx(5.0)
    with pytest.raises(hm.OutputError, match="'attention'"):
        loss(sample(real), sample(real), 0)


def test_errors_of_the_mouth_weigh_more() -> None:
    network = RegressionSpec(preset="small").build(hm.BuildContext(FACE, 13, picture_size=(32, 32)))
    nn.init.zeros_(network.landmarks.weight)
    poses = FACE.neutral().expand(1, 2, 68, 2)
    sample = hm.Sample(
        poses[:, :1], poses, torch.zeros(1, 12, 13), torch.rand(1, 2, 3, 32, 32), identity_pose=poses[:, 0]
    )

    def error(point: int, axis: int) -> float:
        moved = poses.clone()
        moved[:, :, point, axis] += 0.01
        return network.predictions(replace(sample, picture_motion=moved))["landmarks"].item()

    assert error(62, 1) / error(30, 1) == pytest.approx(1e4, rel=1e-3)
    assert error(62, 0) / error(30, 1) == pytest.approx(1.0, rel=1e-3)
    with pytest.raises(hm.SpecError, match="square pictures, a multiple of 16"):
        RegressionSpec(preset="small").build(hm.BuildContext(FACE, 13, picture_size=(32, 48)))


def fitted(**fields: object) -> hm.Representation:
    torch.manual_seed(3)
    shapes = 0.01 * torch.randn(8, 68, 2)
    part = LandmarkPCASpec.model_validate(fields).build()
    part.fit(FACE.neutral() + torch.einsum("tk,kpd->tpd", torch.randn(20, 8), shapes) for _ in range(4))
    return part


@pytest.mark.parametrize("alignment", ["procrustes", "fixed"])
def test_faces_of_the_basis_come_back(alignment: str) -> None:
    part, values = fitted(alignment=alignment), 0.1 * torch.randn(5, 6)
    poses = part.decode(values)
    torch.testing.assert_close(part.basis @ part.basis.T, torch.eye(6), atol=1e-5, rtol=0)
    if alignment == "fixed":
        torch.testing.assert_close(part.encode(poses), values, atol=1e-5, rtol=0)
    # A mirrored face has the same coefficients up to signs.
    mirrored = part.flip(part.encode(poses).unsqueeze(-1))
    torch.testing.assert_close(part.encode(FACE.flip(poses)).unsqueeze(-1), mirrored, atol=1e-4, rtol=0)


def test_coefficients_do_not_depend_on_where_the_head_is() -> None:
    part, poses = fitted(), FACE.neutral() + 0.01 * torch.randn(5, 68, 2)
    rotation = torch.tensor([[0.96, 0.28], [-0.28, 0.96]])
    moved = 1.3 * (poses - 0.5) @ rotation + 0.7
    torch.testing.assert_close(part.encode(moved), part.encode(poses), atol=1e-4, rtol=0)
    alignment = part.alignment(moved)
    torch.testing.assert_close(alignment.invert(alignment.apply(moved)), moved, atol=1e-5, rtol=0)


def test_a_basis_is_not_fitted_to_poses_that_hardly_vary() -> None:
    with pytest.raises(hm.MotionError, match="poses that vary in 6 ways to fit a basis to, got 3 poses"):
        LandmarkPCASpec().build().fit([FACE.neutral().expand(3, 68, 2)])


def test_converters_keep_place_and_size() -> None:
    part, square = fitted(alignment="fixed"), hm.UnitSquare(100.0, 80.0, 200.0)
    poses = FACE.denormalize(part.decode(0.1 * torch.randn(9, 6)), square)
    motion = hm.Motion(poses, 25, {"type": "landmarks68"}, square, reference=poses[0])
    coded = motion.to(part)
    assert coded.values.shape == (9, 6, 1) and coded.reference.shape == (6, 1)
    # Faces of the basis come back to the pixel.
    torch.testing.assert_close(coded.to("landmarks68").values, poses, atol=1e-2, rtol=0)
    with pytest.raises(hm.MotionError, match="expected a fitted basis, got none yet"):
        motion.to("atvg/landmark-pca")
    other = hm.Motion(
        coded.values, 25, coded.representation, square, basis={"mean": torch.zeros(956), "basis": part.basis}
    )
    with pytest.raises(hm.MotionError, match="a basis that fits"):
        other.to("landmarks68")
