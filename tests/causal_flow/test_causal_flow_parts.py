"""The parts of causal-flow: the head's frame, coordinates, trunk, flow and noise."""

import pytest
import torch

from headmotion.causal_flow.coordinates import Coordinates
from headmotion.causal_flow.flow_head import FlowHead
from headmotion.causal_flow.head_frame import HeadFrame
from headmotion.causal_flow.reference_features import ReferenceFeatures
from headmotion.causal_flow.smooth_noise import SmoothNoise
from headmotion.causal_flow.trunk import Trunk
from headmotion.core.interfaces.representation import Representation
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.geometry.rotations import rotation_vector_to_matrix

FACES = ["landmarks68", "landmarks68-3d", "mesh478"]


def representation(described: object) -> Representation:
    return resolve_spec("representation", described).build(None)


def turned(face: Representation, shift: float = 0.02) -> torch.Tensor:
    """A face that turns and shifts as a solid body, ``[1, T, P, D]``."""
    solid = representation({"type": "mesh478"} if face.name == "mesh478" else "landmarks68-3d").neutral()
    angles = torch.linspace(0, 0.15, 6).unsqueeze(-1) * torch.tensor([1.0, -1.0, 0.5])
    center = solid.mean(0)
    moved = (solid - center) @ rotation_vector_to_matrix(angles).mT + center + shift
    return moved[None, ..., : face.dims]


@pytest.mark.parametrize("name", FACES)
def test_a_head_that_turns_is_all_in_its_coordinates(name: str) -> None:
    face = representation(name)
    frame, motion = HeadFrame(face), turned(face)
    basis = frame.basis(face.neutral()[None])
    head, local = frame.split(motion - face.neutral(), basis)
    assert head.abs().max() > 0.01 and local.abs().max() < 1e-5
    torch.testing.assert_close(frame.join(head, local, basis), motion - face.neutral(), rtol=0, atol=1e-6)


def test_a_mouth_that_opens_does_not_move_the_head() -> None:
    face = representation("landmarks68")
    opened = torch.zeros(1, 1, 68, 2)
    opened[0, 0, face.groups["lips"], 1] = 0.03
    frame = HeadFrame(face)
    head, local = frame.split(opened, frame.basis(face.neutral()[None]))
    assert head.abs().max() == 0 and torch.equal(local, opened.flatten(2))


@pytest.mark.parametrize("described", [*FACES, "blendshapes", "keypoints"])
def test_coordinates_are_inverted(described: str) -> None:
    torch.manual_seed(0)
    part = representation(described)
    coordinates = Coordinates(part, ("lips", "jaw"), codes=10_000, head_amount=1.0).train()
    pose = part.neutral()[None].expand(4, -1, -1)
    motion = pose.unsqueeze(1) + 0.01 * torch.randn(4, 9, *pose.shape[1:])
    reference = coordinates.reference(pose)
    coordinates.encode(motion, reference)
    regressed, sampled = coordinates.eval().encode(motion, reference)
    codes = coordinates.codes(sampled)
    spread = motion - pose.unsqueeze(1)
    head = coordinates.frame.split(spread, reference.basis)[0]
    if coordinates.frame.size:  # codes of the head are relative to its amount in each clip
        amount = (head - head.mean(1, keepdim=True)).square().mean((1, 2), keepdim=True).sqrt()
        codes[..., : head.shape[-1]] *= amount
        mean = coordinates.scale.running_mean[: head.shape[-1]]
        scale = (coordinates.scale.running_var[: head.shape[-1]] + 1e-8).sqrt()
        codes[..., : head.shape[-1]] += mean * (amount - 1) / scale
    assert coordinates.subspace_error(sampled) < 1e-6, "with as many codes as numbers nothing is lost"
    torch.testing.assert_close(coordinates.decode(regressed, codes, reference), motion, rtol=0, atol=1e-5)


def test_the_subspace_finds_what_varies() -> None:
    torch.manual_seed(0)
    part = representation({"type": "keypoints", "points": 10})
    coordinates = Coordinates(part, (), codes=1, head_amount=1.0).train()
    pose = part.neutral()[None].expand(64, -1, -1)
    nod = torch.randn(64, 10, 1, 1) * torch.randn(10, 2)
    _, sampled = coordinates.encode(pose.unsqueeze(1) + 0.01 * nod, coordinates.reference(pose))
    optimizer = torch.optim.Adam(coordinates.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        error = coordinates.subspace_error(sampled)
        error.backward()
        optimizer.step()
    assert error < 1e-3


def test_openings_are_those_between_regressed_points() -> None:
    coordinates = Coordinates(representation("landmarks68"), ("lips",), codes=2, head_amount=1.0)
    assert len(coordinates.upper) == 6, "three pairs of the mouth, and none of the eyes"
    rows = coordinates.regressed[coordinates.upper] // 2
    assert rows.tolist() == [61, 61, 62, 62, 63, 63]


def test_the_trunk_streams() -> None:
    torch.manual_seed(0)
    trunk = Trunk(8, blocks=3, kernel=5, lookahead=4, expansion=2)
    inputs = torch.randn(2, 20, 8)
    for sizes in ([1] * 20, [20], [3, 0, 10, 7]):
        states, outputs = trunk.init_state(2), []
        for number, chunk in enumerate(inputs.split(sizes, dim=1)):
            output, states = trunk.step(chunk, states, last=number == len(sizes) - 1)
            outputs.append(output)
        torch.testing.assert_close(torch.cat(outputs, dim=1), trunk(inputs), rtol=0, atol=1e-6)


def test_the_flow_learns_a_distribution_with_two_modes() -> None:
    torch.manual_seed(0)
    flow = FlowHead(1, 2, width=32, blocks=2, expansion=2)
    optimizer = torch.optim.Adam(flow.parameters(), lr=3e-3)
    for _ in range(400):
        optimizer.zero_grad()
        target = torch.randint(0, 2, (512, 1)) * 4.0 - 2 + 0.1 * torch.randn(512, 1)
        flow.error(target, torch.randn(512, 1), torch.rand(512, 1), torch.zeros(512, 2)).backward()
        optimizer.step()
    with torch.no_grad():
        drawn = flow.sample(torch.randn(500, 1), torch.zeros(500, 2), steps=10)
    assert 0.35 < (drawn > 0).float().mean() < 0.65
    assert ((drawn.abs() - 2).abs() < 0.8).float().mean() > 0.8


def test_noise_is_smooth_of_variance_one_and_the_same_in_pieces() -> None:
    noise = SmoothNoise([3.0, 20.0], torch.tensor([[1.0, 0.3], [0.0, 0.7]]))
    whole = noise((4,), range(4000))
    torch.testing.assert_close(
        torch.cat([noise((4,), range(a, b)) for a, b in ((0, 1), (1, 90), (90, 4000))], dim=1), whole
    )
    assert (whole.std(1) - 1).abs().max() < 0.15
    fast = whole[0, :, 0]
    for lag in (1, 3, 6):
        assert abs(float((fast[lag:] * fast[:-lag]).mean()) - 2.718 ** (-(lag**2) / 18)) < 0.1
    assert not torch.equal(noise((5,), range(9)), whole[:, :9])


def test_only_openings_of_a_face_are_known_of_its_reference() -> None:
    face = representation("landmarks68")
    features, pose = ReferenceFeatures(face, 4), face.neutral()[None]
    wider = pose.clone()
    wider[:, face.groups["jaw"]] *= 1.1
    assert torch.equal(features(wider), features(pose))
    opened = pose.clone()
    opened[:, 66, 1] += 0.02
    assert not torch.equal(features(opened), features(pose))
    assert ReferenceFeatures(representation("blendshapes"), 4).linear.in_features == 52
