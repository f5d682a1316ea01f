"""Skeletons with rotations: kinematics, normalizing, mirroring, drawing."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from headmotion.core.errors import MotionError, SpecError
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.core.motion import Motion

BODY = {
    "type": "joints",
    "names": ["Hips", "Spine", "Head", "LeftArm", "LeftHand", "RightArm", "RightHand"],
    "parents": [-1, 0, 1, 1, 3, 1, 5],
    "offsets": [[0, 90, 0], [0, 30, 0], [0, 25, 5], [18, 20, 0], [40, 0, -3], [-18, 20, 0], [-40, 0, -3]],
    "ends": [{"joint": 2, "offset": [0, 20, 0]}, {"joint": 4, "offset": [9, 0, 0]}, {"joint": 6, "offset": [-9, 0, 0]}],
    "moving": [4, 6],
}
JOINTS = resolve_spec("representation", BODY).build()
LEFT_RIGHT = [0, 1, 2, 5, 6, 3, 4, 7, 9, 8]


def poses(seed, count=3, size=0.6):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, JOINTS.points, 6, generator=generator, dtype=torch.float64)
    values = JOINTS.neutral().double() + size * noise
    values[:, [0, 1, 2], 3] = values[:, :3, 3].abs() + 0.1
    values[:, 1:3, :3] *= 0.1
    return values


def test_rows_and_names() -> None:
    assert JOINTS.points == 3 + 7
    assert JOINTS.point_names[:4] == ("Hips.place", "LeftHand.place", "RightHand.place", "Hips")
    assert JOINTS.mirror == (0, 2, 1, 3, 4, 5, 8, 9, 6, 7)
    assert JOINTS.edges == ((3, 4), (4, 5), (4, 6), (6, 7), (4, 8), (8, 9))
    assert [JOINTS.point_names[k] for k in JOINTS.scale_pair] == ["LeftArm", "RightArm"]
    assert JOINTS.groups["arms"] == (1, 2, 6, 7, 8, 9) and JOINTS.groups["torso"] == (0, 3, 4)


def test_the_resting_pose_is_upright_in_the_middle_of_the_unit_frame() -> None:
    positions = JOINTS.positions(JOINTS.neutral())
    assert positions[2, 1] < positions[0, 1]  # the head above the hips, y down
    assert JOINTS.frame_of(JOINTS.neutral()) == UnitSquare(*(pytest.approx(x, abs=1e-6) for x in (0.5, 0.5, 1.0)))
    lying = resolve_spec("representation", BODY | {"up": "z", "offsets": [[x, -z, y] for x, y, z in BODY["offsets"]]})
    swapped = [end | {"offset": [end["offset"][0], -end["offset"][2], end["offset"][1]]} for end in BODY["ends"]]
    other = resolve_spec("representation", lying.model_dump() | {"ends": swapped}).build()
    neutral = other.neutral()
    torch.testing.assert_close(other.positions(neutral), positions, atol=1e-6, rtol=0)


@given(st.integers(0, 1000))
def test_positions_are_those_of_scipy(seed: int) -> None:
    values = poses(seed)
    positions, rotations = JOINTS.positions(values), JOINTS.rotations(values)
    frames = zip(values.numpy(), positions.numpy(), rotations.numpy(), strict=True)
    for pose, world_positions, world_rotations in frames:
        scale = pose[0, 3] / JOINTS.size
        world = {}
        for joint, parent in enumerate(BODY["parents"]):
            first, second = np.split(pose[3 + joint], 2)
            # The nearest orthonormal columns with the first one kept, by QR.
            q, r = np.linalg.qr(np.stack([first, second], axis=1))
            q = q * np.sign(np.diag(r))
            rotation = Rotation.from_matrix(np.column_stack([q, np.cross(q[:, 0], q[:, 1])]))
            row = {0: 0, 4: 1, 6: 2}.get(joint)
            local = pose[row, :3] if row is not None else scale * np.array(BODY["offsets"][joint])
            parent_rotation, parent_position = world.get(parent, (Rotation.identity(), np.zeros(3)))
            world[joint] = parent_rotation * rotation, parent_position + parent_rotation.apply(local)
            np.testing.assert_allclose(world_positions[joint], world[joint][1], atol=1e-9)
            np.testing.assert_allclose(world_rotations[joint], world[joint][0].as_matrix(), atol=1e-9)
        for k, end in enumerate(BODY["ends"]):
            parent_rotation, parent_position = world[end["joint"]]
            expected = parent_position + parent_rotation.apply(scale * np.array(end["offset"]))
            np.testing.assert_allclose(world_positions[7 + k], expected, atol=1e-9)


@given(st.integers(0, 1000), st.floats(-500, 500), st.floats(10, 2000))
def test_normalizing_and_projecting_commute(seed: int, x: float, side: float) -> None:
    values, frame = poses(seed), UnitSquare(x, -x / 2, side)
    pixels = JOINTS.denormalize(values, frame)
    expected = (JOINTS.to_points2d(values) - 0.5) * side + torch.tensor([x, -x / 2], dtype=torch.float64)
    torch.testing.assert_close(JOINTS.to_points2d(pixels), expected, atol=1e-8 * side + 1e-9, rtol=1e-9)
    torch.testing.assert_close(JOINTS.normalize(pixels, frame), values, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(JOINTS.rotations(pixels), JOINTS.rotations(values), atol=1e-12, rtol=0)


@given(st.integers(0, 1000))
def test_a_mirrored_body_is_the_mirror_image_of_the_body(seed: int) -> None:
    values = poses(seed)
    mirrored = JOINTS.positions(values)[:, LEFT_RIGHT] * torch.tensor([-1.0, 1.0, 1.0]) + torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(JOINTS.positions(JOINTS.flip(values)), mirrored, atol=1e-9, rtol=0)
    torch.testing.assert_close(JOINTS.flip(JOINTS.flip(values)), values, atol=1e-12, rtol=0)


def test_positions_are_differentiable_even_without_a_direction() -> None:
    values = poses(0)
    values[0, 5] = 0.0
    values[1, 5, 3:] = values[1, 5, :3]
    values.requires_grad_()
    JOINTS.positions(values).square().sum().backward()
    assert values.grad is not None and values.grad.isfinite().all()
    assert (values.grad[2, 3:6].abs().sum(-1) > 0).all()  # hips, spine and head rotate something


def test_end_sites_are_drawn() -> None:
    context = BuildContext(representation=JOINTS, audio_channels=26)
    values = JOINTS.denormalize(JOINTS.neutral(), UnitSquare(50.0, 50.0, 100.0))[None]
    renderer = resolve_spec("renderer", {"type": "skeleton", "size": 256, "point_radius": 0}).build(context)
    (picture,) = renderer.frames([Motion(values, Fraction(25), BODY)])
    without = resolve_spec("representation", BODY | {"ends": []}).build()
    plain = resolve_spec("renderer", {"type": "skeleton", "size": 256, "point_radius": 0})
    (shorter,) = plain.build(BuildContext(without, 26)).frames([Motion(values, Fraction(25), BODY)])
    assert (picture != 16).any() and not np.array_equal(picture, shorter)
    assert JOINTS.to_drawing2d(values).shape == (1, JOINTS.points + 3, 2)


def test_every_skeleton_has_a_pair_that_measures_size() -> None:
    offsets = [[0, 0, 0], [0, 2, 0], [0, 5, 0]]
    chain = {"type": "joints", "names": ["a", "b", "c"], "parents": [-1, 0, 1], "offsets": offsets}
    assert resolve_spec("representation", chain).build().scale_pair == (2, 3)
    roots = {"type": "joints", "names": ["a", "b"], "parents": [-1, -1], "offsets": [[0, 0, 0], [0, 2, 0]]}
    assert resolve_spec("representation", roots).build().scale_pair == (2, 3)
    assert resolve_spec("representation", chain | {"scale_pair": [1, 3]}).build().scale_pair == (1, 3)


def test_one_clear_error() -> None:
    for wrong in (torch.zeros(9, 6), torch.zeros(10, 5), torch.zeros(6)):
        for use in (
            JOINTS.flip,
            JOINTS.frame_of,
            JOINTS.to_points2d,
            lambda x: JOINTS.normalize(x, UnitSquare(0, 0, 1)),
        ):
            with pytest.raises(MotionError, match="joints: expected poses"):
                use(wrong)
    for change in (
        {"offsets": [[0, 0, 0]] * 7, "ends": []},
        {"offsets": [[0, 0, 1]] * 6},
        {"parents": [-1, 0, 1, 1, 5, 1, 5]},
        {"moving": [7]},
        {"ends": [{"joint": 7, "offset": [0, 1, 0]}]},
        {"scale_pair": [0, 99]},
    ):
        with pytest.raises(SpecError):
            resolve_spec("representation", BODY | change).build()
