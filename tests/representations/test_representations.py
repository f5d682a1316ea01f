"""Properties of every representation of points that comes with headmotion."""

import subprocess
import sys

import hypothesis.extra.numpy as arrays
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.errors import MotionError, SpecError
from headmotion.core.interfaces.representation import Representation, UnitSquare
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.representations.keypoints import transform_keypoints

SPECS = [
    {"type": "landmarks68"},
    {"type": "landmarks68-3d"},
    {"type": "mesh478"},
    {"type": "mesh478", "dims": 2},
    {"type": "keypoints"},
    {"type": "keypoints", "points": 4, "jacobians": True, "mirror": [1, 0, 2, 3]},
    {"type": "joint-positions", "names": ["hips", "left_foot", "right_foot", "head"], "parents": [-1, 0, 0, 0]},
    {"type": "joint-positions", "names": ["Hips", "LeftFoot", "RightFoot"], "parents": [-1, 0, 0], "dims": 2},
]
BUILT = [resolve_spec("representation", spec).build(None) for spec in SPECS]
for_each_representation = pytest.mark.parametrize(
    "representation", BUILT, ids=lambda built: f"{built.name}-{built.points}x{built.dims}"
)

frames = st.builds(UnitSquare, x=st.floats(-2000, 2000), y=st.floats(-2000, 2000), side=st.floats(10, 4000))


def poses(representation: Representation) -> st.SearchStrategy[torch.Tensor]:
    shape = (2, representation.points, representation.dims)
    return arrays.arrays("float64", shape, elements=st.floats(-2, 3)).map(torch.from_numpy)


@for_each_representation
@given(data=st.data(), frame=frames)
def test_denormalizing_is_the_inverse_of_normalizing(
    representation: Representation, data: st.DataObject, frame: UnitSquare
) -> None:
    values = data.draw(poses(representation))
    pixels = representation.denormalize(values, frame)
    torch.testing.assert_close(representation.normalize(pixels, frame), values, atol=1e-9, rtol=0)


@for_each_representation
@given(data=st.data())
def test_two_mirrors_change_nothing(representation: Representation, data: st.DataObject) -> None:
    values = data.draw(poses(representation))
    flipped = representation.flip(values)
    assert torch.equal(flipped[..., 0], 1 - values[..., list(representation.mirror), 0])
    torch.testing.assert_close(representation.flip(flipped), values, atol=1e-12, rtol=0)


@for_each_representation
def test_tables_are_consistent(representation: Representation) -> None:
    points = range(representation.points)
    assert sorted(representation.mirror) == list(points)
    assert all(representation.mirror[representation.mirror[point]] == point for point in points)
    assert len(set(representation.point_names)) == representation.points
    named = [*representation.groups.values(), *representation.contours.values(), *representation.edges]
    pairs = [pair for opening in representation.openings.values() for pair in opening]
    for members in [*named, *pairs, representation.scale_pair]:
        assert len(set(members)) == len(members) and set(members) <= set(points)


@for_each_representation
def test_neutral_pose_fills_its_frame(representation: Representation) -> None:
    neutral = representation.neutral()
    assert neutral.shape == (representation.points, representation.dims) and neutral.dtype == torch.float32
    frame = UnitSquare(x=100.0, y=-20.0, side=300.0)
    square = representation.frame_of(representation.denormalize(neutral, frame))
    low, high = neutral[:, :2].amin(dim=0), neutral[:, :2].amax(dim=0)
    expected = 300 * (low + high - 1) / 2 + torch.tensor([100.0, -20.0])
    assert [square.x, square.y] == pytest.approx(expected.tolist(), abs=1e-3)
    assert square.side == pytest.approx(float(600 * (high - low).max()), abs=1e-3)
    assert all(type(value) is float for value in (square.x, square.y, square.side))


@for_each_representation
def test_the_square_covers_all_poses(representation: Representation) -> None:
    neutral = representation.denormalize(representation.neutral(), UnitSquare(0.0, 0.0, 100.0))
    moved = neutral.clone()
    moved[:, 0] += 30
    frame, both = representation.frame_of(neutral), representation.frame_of(torch.stack([neutral, moved]))
    assert both.x == pytest.approx(frame.x + 15, abs=1e-3)


@for_each_representation
def test_extra_numbers_are_dropped(representation: Representation) -> None:
    values = representation.neutral()
    wide = torch.cat([values, torch.full((representation.points, 1), 7.0)], dim=-1)
    frame = UnitSquare(3.0, 4.0, 50.0)
    assert torch.equal(representation.normalize(wide, frame), representation.normalize(values, frame))
    assert torch.equal(representation.to_points2d(values[None]), values[None, :, :2])


@for_each_representation
def test_wrong_shapes_are_one_clear_error(representation: Representation) -> None:
    neutral, frame = representation.neutral(), UnitSquare(0.0, 0.0, 1.0)
    for wrong in (neutral[1:], neutral[..., :1], neutral[0]):
        for use in (lambda x: representation.normalize(x, frame), representation.flip, representation.frame_of):
            with pytest.raises(MotionError, match=f"{representation.name}: expected poses") as raised:
                use(wrong)
            assert "\n" not in str(raised.value)


@for_each_representation
def test_no_frame_without_extent(representation: Representation) -> None:
    neutral = representation.neutral()
    with pytest.raises(MotionError, match="one place"):
        representation.frame_of(torch.zeros_like(neutral))
    with pytest.raises(MotionError, match="finite"):
        representation.frame_of(torch.full_like(neutral, float("nan")))
    with pytest.raises(MotionError, match="pose"):
        representation.frame_of(neutral[None][:0])
    with pytest.raises(MotionError, match="side above 0"):
        representation.normalize(neutral, UnitSquare(0.0, 0.0, 0.0))


def test_jacobians_scale_with_the_positions_and_turn_in_a_mirror() -> None:
    keypoints = BUILT[5]
    values = torch.tensor([[10.0, 20.0, 1.0, 2.0, 3.0, 4.0]]).expand(4, 6)
    values = keypoints.normalize(values, UnitSquare(0.0, 0.0, 100.0))
    assert values[0].tolist() == pytest.approx([0.6, 0.7, 0.01, 0.02, 0.03, 0.04])
    assert keypoints.flip(values)[0].tolist() == pytest.approx([0.4, 0.7, 0.01, -0.02, -0.03, 0.04])


def neighborhoods(values: torch.Tensor) -> torch.Tensor:
    """Points near each keypoint, ``[..., P, 3, 2]``, as the Jacobians map them."""
    steps = torch.tensor([[0.1, 0.0], [0.0, 0.1], [-0.2, 0.3]], dtype=values.dtype)
    return values[..., None, :2] + steps @ values[..., 2:].unflatten(-1, (2, 2)).mT


@given(data=st.data(), frame=frames)
def test_the_neighborhoods_of_keypoints_move_as_the_picture_does(data: st.DataObject, frame: UnitSquare) -> None:
    keypoints = BUILT[5]
    values = data.draw(poses(keypoints))
    origin = torch.tensor([frame.x, frame.y], dtype=torch.float64)
    pixels = keypoints.denormalize(values, frame)
    moved = (neighborhoods(values) - 0.5) * frame.side + origin
    torch.testing.assert_close(neighborhoods(pixels), moved, atol=1e-7, rtol=1e-9)
    linear = torch.tensor([[0.3, -1.2], [0.9, 0.4]], dtype=torch.float64)
    shift = torch.tensor([3.0, -2.0]).double()
    transformed = transform_keypoints(values, linear, shift)
    torch.testing.assert_close(neighborhoods(transformed), neighborhoods(values) @ linear.T + shift, atol=1e-9, rtol=0)
    assert torch.equal(transform_keypoints(values[..., :2], linear, shift), transformed[..., :2])
    # A mirror turns the steps around as well: the network's own frame is mirrored with the picture.
    reflection = torch.tensor([[-1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    mirrored = transform_keypoints(values, reflection, torch.tensor([1.0, 0.0]).double())
    mirrored[..., [2, 4]] *= -1
    torch.testing.assert_close(keypoints.flip(values), mirrored[:, list(keypoints.mirror)], atol=1e-12, rtol=0)


def test_jacobians_are_drawn_as_axes() -> None:
    keypoints = BUILT[5]
    drawing = keypoints.to_drawing2d(keypoints.neutral()[None])
    assert drawing.shape == (1, 12, 2)
    ends = {end: drawing[0, end] - drawing[0, point] for point, end in keypoints.drawing_edges}
    assert ends[4].tolist() == pytest.approx([0.05, 0]) and ends[5].tolist() == pytest.approx([0, 0.05], abs=1e-6)
    assert BUILT[4].drawing_edges == ()


def test_depth_is_scaled_and_not_mirrored() -> None:
    joints = BUILT[6]
    values = joints.normalize(torch.tensor([[10.0, 20.0, 30.0]]).expand(4, 3), UnitSquare(0.0, 0.0, 100.0))
    assert values[0].tolist() == pytest.approx([0.6, 0.7, 0.3])
    assert joints.flip(values)[0].tolist() == pytest.approx([0.4, 0.7, 0.3])


def test_joints_mirror_by_name() -> None:
    assert BUILT[6].mirror == (0, 2, 1, 3)
    assert BUILT[7].mirror == (0, 2, 1)
    assert BUILT[7].edges == ((0, 1), (0, 2))


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "landmarks68", "dims": 4},
        {"type": "keypoints", "points": 1},
        {"type": "keypoints", "points": 3, "mirror": [1, 2, 0]},
        {"type": "keypoints", "points": 3, "scale_pair": [0, 3]},
        {"type": "keypoints", "points": 2, "rest": [[0.1, 0.2]]},
        {"type": "joint-positions", "names": ["a", "b"], "parents": [1, -1]},
        {"type": "joint-positions", "names": ["a", "a"], "parents": [-1, 0]},
        {"type": "joint-positions", "names": ["a", "b"], "parents": [-1]},
    ],
    ids=str,
)
def test_bad_specs(spec: dict[str, object]) -> None:
    with pytest.raises(SpecError):
        resolve_spec("representation", spec)


def test_specs_and_converters_need_no_torch() -> None:
    code = (
        "import sys; from headmotion.representations import headmotion_converters, headmotion_specs; "
        "assert headmotion_specs() and headmotion_converters(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
