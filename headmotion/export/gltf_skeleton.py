"""A skeleton as animated nodes with a skin: a slender octahedron for each bone, which follows its joint."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import MotionError
from ..core.motion import Motion
from ..geometry.rotations import matrix_to_quaternion, rotation_6d_to_matrix
from ..representations.joints import Joints
from .gltf_scene import INDICES, VERTICES, Scene

HALF_TURN = [1.0, 0.0, 0.0, 0.0]
"""Rotation about x from the picture's axes (y down, z away) to glTF's, as a quaternion x, y, z, w."""
HALF_THICKNESS, BULGE = 0.06, 0.15
"""Half the thickness of a bone, and the distance from its joint at which it is thickest, in lengths of the bone."""
FACES = np.array([(0, k, k % 4 + 1) for k in range(1, 5)] + [(5, k % 4 + 1, k) for k in range(1, 5)], np.uint32)
"""Corners of the octahedron's eight faces: four around its joint (0), four around its end (5)."""

Array = NDArray[np.float64]


def skeleton_scene(motion: Motion, joints: Joints) -> Scene:
    """Return the scene of a motion of `joints`.

    A top node converts the picture's axes. Below it there is a node for each joint and each end site, in the skeleton's
    own unit; the roots are scaled.

    Raises:
        MotionError: rotations without direction.
    """
    scene = Scene(motion, joints.name)
    frame = motion.frame
    side, x, y = (1.0, 0.0, 0.0) if frame is None else (frame.side, frame.x, frame.y)
    top = scene.node(name="picture", rotation=HALF_TURN, scale=[1 / side] * 3, translation=[-x / side, y / side, 0.0])
    values = motion.values.double().cpu()
    size = joints.scale(values).numpy()
    rotations = _quaternions(rotation_6d_to_matrix(values[:, len(joints.moving_joints) :]))
    upright = matrix_to_quaternion(joints.view).tolist()
    nodes: list[int] = []
    for joint, (name, parent) in enumerate(zip(joints.spec.names, joints.spec.parents, strict=True)):
        is_root, offset = parent < 0, [float(value) for value in joints.spec.offsets[joint]]
        at_rest = {"rotation": upright, "scale": [float(size[0, joint])] * 3} if is_root else {}
        nodes.append(scene.node(top if is_root else nodes[parent], name=name, translation=offset, **at_rest))
        scene.animate(nodes[joint], "rotation", rotations[:, joint], "VEC4")
        if joint in joints.moving_joints:
            position = values[:, joints.moving_joints.index(joint), :3].numpy()
            scene.animate(nodes[joint], "translation", position if is_root else position / size[:, [joint]], "VEC3")
        if is_root:
            scene.animate(nodes[joint], "scale", np.repeat(size[:, [joint]], 3, axis=1), "VEC3")
    for end in joints.spec.ends:
        scene.node(nodes[end.joint], name=f"{joints.spec.names[end.joint]}.end", translation=list(end.offset))
    _skin(scene, joints, nodes)
    return scene


def _skin(scene: Scene, joints: Joints, nodes: list[int]) -> None:
    """Add bones from each joint to its children and end sites, at rest."""
    spec, resting = joints.spec, np.zeros((len(nodes), 3))
    for joint, parent in enumerate(spec.parents):
        resting[joint] = np.add(spec.offsets[joint], resting[parent] if parent >= 0 else 0.0)
    bones = [(parent, np.array(spec.offsets[joint])) for joint, parent in enumerate(spec.parents) if parent >= 0]
    bones += [(end.joint, np.array(end.offset)) for end in spec.ends]
    bones = [(joint, bone) for joint, bone in bones if np.linalg.norm(bone) > 0]
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(nodes), 1, 1))
    # In the resting pose no joint is rotated, so inverses are shifts.
    inverse[:, :3, 3] = -resting
    # Each vertex has four joints; all but the first have weight 0.
    owners = np.zeros((6 * len(bones), 4), np.uint16)
    owners[:, 0] = np.repeat([joint for joint, _ in bones], 6)
    weights = np.tile(np.array([1.0, 0.0, 0.0, 0.0], np.float32), (len(owners), 1))
    vertices = np.concatenate([resting[joint] + _octahedron(bone) for joint, bone in bones])
    attributes = {
        "POSITION": scene.array(vertices, "VEC3", VERTICES),
        "JOINTS_0": scene.array(owners, "VEC4", VERTICES),
        "WEIGHTS_0": scene.array(weights, "VEC4", VERTICES),
    }
    corners = np.concatenate([6 * k + FACES for k in range(len(bones))]).astype(np.uint32)
    mesh = scene.mesh("bones", attributes, scene.array(corners.reshape(-1), "SCALAR", INDICES))
    scene.node(name="bones", mesh=mesh, skin=scene.skin(nodes, inverse))


def _octahedron(bone: Array) -> Array:
    """Return the six corners ``[6, 3]`` of a bone from the origin to ``bone`` ``[3]``."""
    length = np.linalg.norm(bone)
    # The axis that is least along the bone is far from parallel to it.
    axis = np.eye(3)[np.abs(bone).argmin()]
    first = np.cross(bone / length, axis)
    first /= np.linalg.norm(first)
    second = np.cross(bone / length, first)
    ring = [BULGE * bone + HALF_THICKNESS * length * side for side in (first, second, -first, -second)]
    return np.array([np.zeros(3), *ring, bone])


def _quaternions(rotations: Tensor) -> Array:
    """Return quaternions ``[T, J, 4]`` (x, y, z, w) of rotations ``[T, J, 3, 3]``, without jumps between frames."""
    if not bool(((torch.linalg.det(rotations) - 1).abs() < 1e-3).all()):
        raise MotionError("glTF export", "rotations with a direction", "numbers that give none")
    quaternions = matrix_to_quaternion(rotations).numpy()
    # A quaternion and its negative are one rotation; of the two take the one nearer to the frame before.
    cosines = (quaternions[1:] * quaternions[:-1]).sum(axis=-1, keepdims=True)
    quaternions[1:] *= np.cumprod(np.where(cosines < 0, -1.0, 1.0), axis=0)
    return np.asarray(quaternions)
