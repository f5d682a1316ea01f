"""Conversions of motions into other representations."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from headmotion.core.conversion import reachable, route
from headmotion.core.errors import MotionError, OutputError
from headmotion.core.interfaces.converter import Converter
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.motion import Motion
from headmotion.core.plugins import registry
from headmotion.representations.blendshapes import NAMES
from headmotion.representations.bvh import read_bvh
from headmotion.representations.landmarks68 import OPENINGS
from headmotion.representations.mesh478 import IBUG

FRAME = UnitSquare(100.0, 80.0, 200.0)
ARM = {
    "type": "joints",
    "names": ["shoulder", "elbow", "hand"],
    "parents": [-1, 0, 1],
    "offsets": [[0, 0, 0], [30, 0, 0], [25, 0, 0]],
    "ends": [{"joint": 2, "offset": [8, 0, 0]}, {"joint": 2, "offset": [7, 3, 0]}],
}


def motion_of(described, frames=4, noise=0.01, units="px"):
    built = resolve_spec("representation", described).build()
    values = built.neutral() + noise * torch.randn(
        frames, built.points, built.dims, generator=torch.Generator().manual_seed(1)
    )
    if units == "px":
        values = built.denormalize(values, FRAME)
    spec = built.spec.model_dump(mode="json")
    return Motion(values, Fraction(30), spec, FRAME, units, reference=values[1], provenance={"seed": 7})


def test_478_to_68() -> None:
    mesh = motion_of("mesh478")
    plane, with_depth = mesh.to("landmarks68"), mesh.to("landmarks68-3d")
    assert torch.equal(plane.values, mesh.values[:, list(IBUG), :2])
    assert torch.equal(with_depth.values, mesh.values[:, list(IBUG)])
    assert torch.equal(with_depth.reference, mesh.reference[list(IBUG)])
    assert (plane.fps, plane.frame, plane.units) == (mesh.fps, FRAME, "px")
    assert plane.representation == {"type": "landmarks68", "dims": 2}
    assert plane.provenance["seed"] == 7
    (step,) = plane.provenance["converted"]
    assert (step["from"], step["to"]) == ("mesh478", "landmarks68") and "depth" in step["loss"]


def test_the_68_of_the_neutral_mesh_are_the_neutral_face() -> None:
    mesh, face = (resolve_spec("representation", name).build() for name in ("mesh478", "landmarks68-3d"))
    picked = mesh.neutral()[list(IBUG)]
    scale = (face.neutral()[45] - face.neutral()[36]).norm() / (picked[45] - picked[36]).norm()
    moved = (picked - picked[[36, 45]].mean(0)) * scale + face.neutral()[[36, 45]].mean(0)
    assert float((moved - face.neutral())[:, :2].abs().max()) < 0.03  # of the unit frame: one speaker, other frames
    assert [mesh.mirror[point] for point in IBUG] == [IBUG[other] for other in face.mirror]


def test_depth_is_dropped() -> None:
    for described in ({"type": "landmarks68", "dims": 3}, {"type": "landmarks68-3d"}, {"type": "mesh478"}):
        motion = motion_of(described)
        plane = motion.to({"type": "landmarks68", "dims": 2})
        assert plane.values.shape == (4, 68, 2)
        assert all(step["loss"] for step in plane.provenance["converted"])
    named = motion_of({"type": "landmarks68", "dims": 3})
    assert torch.equal(named.to("landmarks68-3d").values, named.values)
    assert registry().converters["landmarks68", "landmarks68-3d"].exact
    assert not registry().converters["landmarks68-3d", "landmarks68"].exact
    with pytest.raises(MotionError, match="points with depth, got 2"):
        motion_of("landmarks68").to("landmarks68-3d")


def test_joints_to_points(shared: Path) -> None:
    walk = read_bvh(shared / "data" / "bvh" / "cmu_12_01_walk.bvh")[:50]
    joints = resolve_spec("representation", walk.representation).build()
    points = walk.to("joint-positions")
    torch.testing.assert_close(points.values, joints.positions(walk.values))
    built = resolve_spec("representation", points.representation).build()
    assert built.points == len(joints.spec.names) + len(joints.spec.ends)  # type: ignore[attr-defined]
    assert [built.point_names[k] for k in built.scale_pair] == ["LeftUpLeg", "RightUpLeg"]
    plane = walk.to({"type": "joint-positions", "dims": 2})
    torch.testing.assert_close(plane.values, points.values[..., :2])
    assert [step["to"] for step in plane.provenance["converted"]] == ["joint-positions"] * 2


def test_end_sites_have_names_and_frames_commute() -> None:
    pixels, unit = motion_of(ARM), motion_of(ARM, units="unit")
    points = pixels.to("joint-positions")
    assert points.representation["names"] == ["shoulder", "elbow", "hand", "hand.end", "hand.end1"]
    built = resolve_spec("representation", points.representation).build()
    torch.testing.assert_close(built.normalize(points.values, FRAME), unit.to("joint-positions").values)
    assert built.edges == ((0, 1), (1, 2), (2, 3), (2, 4))


def test_keypoints_without_jacobians() -> None:
    motion = motion_of({"type": "keypoints", "points": 3, "jacobians": True, "rest": np.full((3, 6), 0.5).tolist()})
    plain = motion.to({"type": "keypoints", "jacobians": False})
    assert torch.equal(plain.values, motion.values[..., :2])
    assert resolve_spec("representation", plain.representation).build().neutral().shape == (3, 2)


@pytest.mark.parametrize("units", ["px", "unit"])
@pytest.mark.parametrize("name", ["jawOpen", "mouthPucker", "eyeBlinkLeft", "eyeBlinkRight"])
def test_blendshapes_move_the_face_and_are_recovered(name: str, units: str) -> None:
    values = torch.zeros(5, 52, 1)
    values[:, NAMES.index(name), 0] = torch.linspace(0, 1, 5)
    shapes = Motion(values, Fraction(30), {"type": "blendshapes"}, FRAME, units, reference=torch.zeros(52, 1))
    face = shapes.to("landmarks68")
    neutral = resolve_spec("representation", "landmarks68").build()
    resting_pose = neutral.neutral() if units == "unit" else neutral.denormalize(neutral.neutral(), FRAME)
    torch.testing.assert_close(face.values[0], resting_pose)
    assert float((face.values[4] - resting_pose).abs().max()) > 0.01 * (200 if units == "px" else 1)
    torch.testing.assert_close(face.to("blendshapes").values, values, atol=5e-3, rtol=0)


def test_estimates_do_not_depend_on_position_size_and_roll_of_the_head() -> None:
    motion = motion_of("landmarks68", noise=0.004)
    angle = torch.tensor(0.4)
    rotation = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    moved = 1.7 * motion.values @ rotation.T + torch.tensor([30.0, -5.0])
    moved_motion = replace(motion, values=moved)
    estimate = motion.to("blendshapes").values
    torch.testing.assert_close(moved_motion.to("blendshapes").values, estimate, atol=1e-4, rtol=0)
    assert 0 <= float(estimate.min()) < float(estimate.max()) <= 1
    still = motion.to("blendshapes").values[1]  # the reference
    assert not still.any()


def test_a_blink_of_the_left_eye_is_the_left_blendshape() -> None:
    motion = motion_of("landmarks68", noise=0.0)
    values = motion.values.clone()
    for upper, lower in OPENINGS["left_eye"]:
        values[2, upper] = values[2, lower]
    shapes = replace(motion, values=values).to("blendshapes").values[..., 0]
    assert float(shapes[2, NAMES.index("eyeBlinkLeft")]) == 1.0
    assert float(shapes[2].sum()) == 1.0 and not shapes[0].any()


def test_conversion_to_the_same_representation_returns_the_motion() -> None:
    motion = motion_of("landmarks68")
    assert motion.to("landmarks68") is motion
    assert motion.to({"type": "landmarks68", "dims": 2}) is motion
    assert motion.to(resolve_spec("representation", "landmarks68")) is motion
    assert motion[:0].to("blendshapes").values.shape == (0, 52, 1)


def test_missing_converters_are_reported_in_one_line() -> None:
    mesh = motion_of("mesh478")
    with pytest.raises(MotionError, match=r"converts into: .*blendshapes, landmarks68, .*, got 'joints'"):
        mesh.to("joints")
    with pytest.raises(MotionError, match=r"got 'landmark68'; did you mean 'landmarks68' or 'landmarks68-3d'\?"):
        mesh.to("landmark68")
    with pytest.raises(
        MotionError, match="depth, got 2 numbers per point; generate, detect or prepare it as landmarks68-3d"
    ):
        motion_of("landmarks68").to("landmarks68-3d")
    with pytest.raises(MotionError, match="nothing else, got 'mesh478'"):
        Motion(torch.zeros(1, 2, 2), Fraction(25), {"type": "zoo/none"}).to("mesh478")
    with pytest.raises(MotionError, match=r'"dims": 2.*got .*"dims": 3'):
        mesh.to({"type": "landmarks68", "dims": 3})
    with pytest.raises(MotionError, match="values"):
        Motion(torch.zeros(1, 60, 3), Fraction(25), {"type": "mesh478"}).to("landmarks68")
    with pytest.raises(MotionError, match="a type of representation"):
        mesh.to({"dims": 2})


def test_routes() -> None:
    def converter(source: str, target: str) -> Converter:
        return Converter(source, target, lambda motion, target: motion)

    converters = [
        converter("a", "b"),
        converter("b", "c"),
        converter("c", "a"),
        converter("c", "d"),
        converter("b", "b"),
        converter("a", "d"),
    ]
    assert [converter.target for converter in route(converters, "a", "c")] == ["b", "c"]
    assert [converter.target for converter in route(converters, "a", "d")] == ["d"]
    assert [converter.target for converter in route(converters, "b", "b")] == ["b"]
    assert [converter.target for converter in route(converters, "c", "c")] == ["a", "b", "c"]
    assert route(converters, "d", "a") == ()
    assert reachable(converters, "b") == {"a", "b", "c", "d"}


WRONG = {
    "nothing": (lambda motion, target: None, "a motion, got None"),
    "another type": (lambda motion, target: motion, "a motion of keypoints, got one of landmarks68"),
    "half a spec": (
        lambda motion, target: replace(motion, representation={"type": "keypoints", "pionts": 68}),
        "a motion with a spec of keypoints, got keypoints spec: expected .*pionts",
    ),
    "all points": (
        lambda motion, target: replace(motion, representation={"type": "keypoints", "points": 5, "jacobians": False}),
        r"values \[3, 5, 2\], got float32 \[3, 68, 2\]",
    ),
    "fewer frames": (
        lambda motion, target: replace(
            motion[1:], representation={"type": "keypoints", "points": 68, "jacobians": False}
        ),
        r"values \[3, 68, 2\], got float32 \[2, 68, 2\]",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_converter_that_returns_something_else_is_named(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    convert, said = WRONG[wrong]
    converter = Converter("landmarks68", "keypoints", convert)
    monkeypatch.setitem(registry().converters, ("landmarks68", "keypoints"), converter)
    with pytest.raises(OutputError, match=f"^converter of landmarks68 to keypoints: expected {said}"):
        motion_of("landmarks68")[:3].to("keypoints")
