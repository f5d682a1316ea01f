"""glTF as another program reads it: chunks, accessors and transforms by the standard's own words, and by trimesh."""

from __future__ import annotations

import base64
import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exported import BODY, built, joint_positions, smooth_motion
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

import headmotion as hm
from headmotion.export import write_motion
from headmotion.export.gltf_mesh import TOLERANCE
from headmotion.representations.blendshapes import NAMES
from headmotion.representations.bvh import read_bvh

pytest.importorskip("pygltflib", reason="needs the extra gltf")
trimesh = pytest.importorskip("trimesh", reason="reads the files")

TYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
SIZES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class File:
    """A glTF file, read as the standard says."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if path.suffix == ".glb":
            magic, version, length = struct.unpack_from("<4sII", data)
            assert (magic, version, length) == (b"glTF", 2, len(data)) and length % 4 == 0
            size, kind = struct.unpack_from("<I4s", data, 12)
            assert kind == b"JSON" and size % 4 == 0
            self.json = json.loads(data[20 : 20 + size])
            remainder, kind = struct.unpack_from("<I4s", data, 20 + size)
            assert kind == b"BIN\0" and 28 + size + remainder == len(data)
            self.buffer = data[28 + size :]
        else:
            self.json = json.loads(data)
            head, _, encoded = self.json["buffers"][0]["uri"].partition(",")
            assert head.startswith("data:") and head.endswith(";base64")
            self.buffer = base64.b64decode(encoded)
        assert self.json["asset"]["version"] == "2.0" and self.json["asset"]["extras"]["synthetic"] is True
        assert 0 <= len(self.buffer) - self.json["buffers"][0]["byteLength"] < 4
        self.arrays = [self._array(accessor) for accessor in self.json["accessors"]]

    def _array(self, accessor: dict[str, Any]) -> NDArray[Any]:
        view, kind = self.json["bufferViews"][accessor["bufferView"]], TYPES[accessor["componentType"]]
        width, count = SIZES[accessor["type"]], accessor["count"]
        offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        assert offset % np.dtype(kind).itemsize == 0 and count > 0
        assert view["byteLength"] == count * width * np.dtype(kind).itemsize
        assert offset + view["byteLength"] <= self.json["buffers"][0]["byteLength"]
        rows = np.frombuffer(self.buffer, kind, count * width, offset).reshape(count, width)
        np.testing.assert_array_equal(np.array(accessor["min"], kind), rows.min(axis=0))
        np.testing.assert_array_equal(np.array(accessor["max"], kind), rows.max(axis=0))
        return rows

    def animated(self) -> dict[tuple[int, str], tuple[NDArray[Any], NDArray[Any]]]:
        """Times and values of each animated property of each node."""
        (animation,) = self.json["animations"]
        result = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            assert sampler.get("interpolation", "LINEAR") == "LINEAR"
            times = self.arrays[sampler["input"]][:, 0]
            assert (np.diff(times) > 0).all() and times[0] >= 0
            result[channel["target"]["node"], channel["target"]["path"]] = times, self.arrays[sampler["output"]]
        return result

    def transforms(self, frame: int) -> dict[int, NDArray[np.float64]]:
        """Matrices of all nodes in the world at a key frame."""
        animated_values, result = self.animated(), {}
        children = [(node, np.eye(4)) for node in self.json["scenes"][0]["nodes"]]
        while children:
            number, above = children.pop()
            node = self.json["nodes"][number]

            def now(path: str, still: Any, number: int = number, node: Any = node) -> NDArray[Any]:
                if (number, path) in animated_values:
                    return animated_values[number, path][1][frame].astype(np.float64)
                return np.array(node.get(path, still), np.float64)

            own = np.eye(4)
            turn = now("rotation", [0, 0, 0, 1])
            assert abs(np.linalg.norm(turn) - 1) < 1e-6
            own[:3, :3] = Rotation.from_quat(turn).as_matrix() * now("scale", [1, 1, 1])
            own[:3, 3] = now("translation", [0, 0, 0])
            result[number] = above @ own
            children += [(child, result[number]) for child in node.get("children", [])]
        return result


def mesh_frames(file: File) -> NDArray[np.float64]:
    """Vertices ``[T, P, 3]`` as the weights move them."""
    (mesh,) = file.json["meshes"]
    (primitive,) = mesh["primitives"]
    base = file.arrays[primitive["attributes"]["POSITION"]].astype(np.float64)
    targets = np.array([file.arrays[target["POSITION"]] for target in primitive["targets"]], np.float64)
    assert len(mesh["weights"]) == len(targets) == len(mesh["extras"]["targetNames"])
    ((_, values),) = file.animated().values()
    weights = values.reshape(-1, len(targets)).astype(np.float64)
    assert weights.min() >= 0 and weights.max() <= 1  # Blender cuts off the rest
    return base + np.einsum("tk,kpd->tpd", weights, targets)


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
@pytest.mark.parametrize("description", ["landmarks68", {"type": "landmarks68", "dims": 3}, "keypoints"])
@pytest.mark.parametrize("units", ["px", "unit"])
def test_vertices_are_the_points(suffix: str, description: Any, units: str, tmp_path: Path) -> None:
    motion = smooth_motion(description, units=units)
    file = File(write_motion(motion, tmp_path / f"talk{suffix}"))
    representation = built(motion.representation)
    assert motion.frame is not None
    unit = representation.normalize(motion.values, motion.frame).double().numpy()
    expected = np.zeros((*unit.shape[:2], 3))
    expected[..., 0], expected[..., 1] = unit[..., 0] - 0.5, 0.5 - unit[..., 1]
    if unit.shape[2] == 3:
        expected[..., 2] = -unit[..., 2]
    actual = mesh_frames(file)
    assert np.abs(actual - expected).max() <= TOLERANCE + 1e-6
    assert len(file.json["meshes"][0]["weights"]) <= 8  # the motion has four directions
    ((times, _),) = file.animated().values()
    np.testing.assert_allclose(times, np.arange(30) / 25, atol=1e-6)


def test_triangles_face_the_viewer_and_cover_the_face(tmp_path: Path) -> None:
    path = write_motion(smooth_motion("landmarks68"), tmp_path / "talk.glb")
    (geometry,) = trimesh.load_scene(path).geometry.values()
    assert geometry.vertices.shape == (68, 3)
    assert (geometry.face_normals[:, 2] > 0.99).all()
    assert abs(geometry.area - ConvexHull(geometry.vertices[:, :2]).volume) < 1e-6


def test_points_on_a_line_are_drawn_as_points(tmp_path: Path) -> None:
    line = {"type": "keypoints", "points": 3, "rest": [[0.2, 0.5], [0.5, 0.5], [0.8, 0.5]]}
    representation = built(line)
    values = representation.neutral() + torch.linspace(0, 0.1, 5)[:, None, None]
    file = File(
        write_motion(
            hm.Motion(values, Fraction(25), representation.spec.model_dump(mode="json"), units="unit"),
            tmp_path / "line.glb",
        )
    )
    (primitive,) = file.json["meshes"][0]["primitives"]
    assert primitive["mode"] == 0 and "indices" not in primitive


def test_a_face_at_rest_needs_no_animation(tmp_path: Path) -> None:
    resting_pose = built("landmarks68").neutral()
    motion = hm.Motion(resting_pose.expand(3, -1, -1), Fraction(25), units="unit", reference=resting_pose)
    file = File(write_motion(motion, tmp_path / "still.glb"))
    assert "animations" not in file.json or not file.json["animations"]


# Blend shapes


def test_blend_shapes_are_a_head_with_their_standard_names(tmp_path: Path) -> None:
    """As three.js finds a weight: by its place in the mesh's ``targetNames``."""
    motion = smooth_motion("blendshapes", units="unit")
    for name in ("talk.glb", "talk.gltf"):
        file = File(write_motion(motion, tmp_path / name))
        (mesh,), (animation,) = file.json["meshes"], file.json["animations"]
        names = mesh["extras"]["targetNames"]
        assert tuple(names) == NAMES and len(mesh["weights"]) == len(mesh["primitives"][0]["targets"]) == 52
        (channel,), (sampler,) = animation["channels"], animation["samplers"]
        assert channel["target"] == {"node": 0, "path": "weights"} and file.json["nodes"][0]["mesh"] == 0
        weights = file.arrays[sampler["output"]].reshape(len(motion), 52)
        assert np.array_equal(weights[:, names.index("jawOpen")], motion.values[:, NAMES.index("jawOpen"), 0])
        np.testing.assert_allclose(file.arrays[sampler["input"]].ravel(), [float(t) for t in motion.timestamps()])
    assert trimesh.load(tmp_path / "talk.glb", force="mesh").vertices.shape[1] == 3


def test_the_head_moves_as_the_names_say(tmp_path: Path) -> None:
    """y is up, x to the viewer's right, where the person's left is; without weights it has the neutral face."""
    motion = hm.Motion(torch.zeros(2, 52, 1), Fraction(25), {"type": "blendshapes"}, units="unit")
    file = File(write_motion(motion, tmp_path / "talk.glb"))
    (primitive,) = file.json["meshes"][0]["primitives"]
    rest = file.arrays[primitive["attributes"]["POSITION"]]
    moved = {name: file.arrays[each["POSITION"]] for name, each in zip(NAMES, primitive["targets"], strict=True)}
    size = np.linalg.norm(rest[33] - rest[263])
    upper_lip, lower_lip, chin, left_corner, right_corner, brow = 13, 14, 152, 291, 61, 107
    assert rest[10, 1] > rest[chin, 1] and rest[263, 0] > rest[33, 0] and rest[4, 2] > rest[234, 2]
    down = moved["jawOpen"][:, 1] / size
    assert down[lower_lip] < -0.3 and down[chin] < -0.2 and abs(down[upper_lip]) < 1e-6 and abs(down[brow]) < 0.01
    assert moved["mouthSmileLeft"][left_corner, 1] > 0.05 * size > 10 * abs(moved["mouthSmileLeft"][right_corner, 1])
    assert moved["browInnerUp"][brow, 1] > 0.05 * size and moved["cheekPuff"][205, 2] > 0.05 * size
    assert moved["mouthPucker"][13, 2] > 0 and moved["jawForward"][chin, 2] > 0
    assert moved["eyeLookInLeft"][473, 0] < 0 < moved["eyeLookInRight"][468, 0] and moved["eyeLookUpLeft"][473, 1] > 0
    gap = (rest + moved["eyeBlinkRight"])[159, 1] - (rest + moved["eyeBlinkRight"])[145, 1]
    assert gap < 0.1 * (rest[159, 1] - rest[145, 1])
    mirror = list(built("mesh478").mirror)
    for name in ("mouthFrown", "eyeSquint", "cheekSquint", "noseSneer", "browDown"):
        left, right = moved[f"{name}Left"], moved[f"{name}Right"]
        np.testing.assert_allclose(left[mirror] * [-1, 1, 1], right, atol=5e-3 * size)
        assert np.abs(left).max() > 0.01 * size
    corners = rest[file.arrays[primitive["indices"]].reshape(-1, 3)][..., :2]
    a, b, c = (corners[:, k] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (area > -1e-9).mean() > 0.99 and len(corners) == 860


# Skeletons


def check_skeleton(motion: hm.Motion, path: Path, frames: list[int]) -> None:
    file, expected = File(path), joint_positions(motion)
    (skin,) = file.json["skins"]
    bones = next(n for n in file.json["nodes"] if "skin" in n)
    (primitive,) = file.json["meshes"][bones["mesh"]]["primitives"]
    joints = built(motion.representation)
    names = [*joints.spec.names, *(f"{joints.spec.names[end.joint]}.end" for end in joints.spec.ends)]
    at = {number: node.get("name") for number, node in enumerate(file.json["nodes"])}
    order = [number for number, name in at.items() if name in names]
    assert [at[number] for number in order] == names
    assert skin["joints"] == order[: len(joints.spec.names)]
    inverse = file.arrays[skin["inverseBindMatrices"]].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    vertices = file.arrays[primitive["attributes"]["POSITION"]].astype(np.float64)
    owners = file.arrays[primitive["attributes"]["JOINTS_0"]][:, 0]
    np.testing.assert_array_equal(file.arrays[primitive["attributes"]["WEIGHTS_0"]], np.eye(4)[[0] * len(vertices)])
    scale = np.abs(expected).max()
    for frame in frames:
        world = file.transforms(frame)
        actual = np.array([world[number][:3, 3] for number in order])
        assert np.abs(actual - expected[frame]).max() < 1e-5 * scale
        # Each bone's first corner lies at its joint, whatever the pose.
        skinning = np.array([world[n] @ i for n, i in zip(skin["joints"], inverse, strict=True)])[owners[::6]]
        roots = np.einsum("vij,vj->vi", skinning, np.c_[vertices[::6], np.ones(len(vertices) // 6)])[:, :3]
        assert np.abs(roots - expected[frame, owners[::6]]).max() < 1e-5 * scale


@pytest.mark.parametrize("units", ["px", "unit"])
def test_joints_are_where_the_motion_has_them(units: str, tmp_path: Path) -> None:
    motion = smooth_motion(BODY, units=units)
    check_skeleton(motion, write_motion(motion, tmp_path / "body.glb"), [0, 11, 29])


def test_a_bvh_file_as_gltf(shared: Path, tmp_path: Path) -> None:
    motion = read_bvh(shared / "data/bvh/cmu_12_01_walk.bvh")
    check_skeleton(motion, write_motion(motion, tmp_path / "walk.glb"), [0, 100, len(motion) - 1])


def test_turns_do_not_jump(shared: Path, tmp_path: Path) -> None:
    motion = read_bvh(shared / "data/bvh/cmu_12_01_walk.bvh")
    file = File(write_motion(motion, tmp_path / "walk.glb"))
    rotations = [values for (_, path), (_, values) in file.animated().items() if path == "rotation"]
    assert len(rotations) > 10
    assert all(((values[1:] * values[:-1]).sum(axis=1) > 0).all() for values in rotations)


def test_rotations_without_direction_are_refused(tmp_path: Path) -> None:
    motion = smooth_motion(BODY)
    motion.values[4, -1] = 0
    with pytest.raises(hm.MotionError, match="direction"):
        write_motion(motion, tmp_path / "body.glb")
    assert not list(tmp_path.iterdir())
