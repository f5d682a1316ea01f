"""Points as a mesh: the resting pose, and morph targets whose weights are animated.

The targets are the principal components of the motion around the resting pose, as many as are needed to bring every
vertex of every frame within `TOLERANCE`. With all weights 0 the mesh has the resting pose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError  # type: ignore[import-untyped,unused-ignore]
from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion
from .gltf_scene import INDICES, VERTICES, Scene

TOLERANCE = 5e-4
"""Largest error of a coordinate, in sides of the unit frame."""

Points = NDArray[np.float64]


def mesh_scene(motion: Motion, representation: Representation) -> Scene:
    """Return the scene of a motion of points.

    Raises:
        MotionError: the representation has no positions in space.
    """
    if representation.dims < 2:
        remedy = "convert it with motion.to('landmarks68'), or --to landmarks68 of headmotion export"
        raise MotionError("glTF export", "points in space", f"a motion of {representation.name}", remedy)
    frames, resting_pose = to_gltf_axes(motion, representation)
    weights, displacements = morph_targets(frames - resting_pose)
    scene = Scene(motion, representation.name)
    corners = triangulate(resting_pose[:, :2])
    targets = tuple(scene.array(displacement, "VEC3", VERTICES) for displacement in displacements)
    mesh = scene.mesh(
        representation.name,
        {"POSITION": scene.array(resting_pose, "VEC3", VERTICES)},
        None if corners is None else scene.array(corners.reshape(-1), "SCALAR", INDICES),
        targets,
        tuple(f"component_{k}" for k in range(len(targets))),
    )
    node = scene.node(name=representation.name, mesh=mesh)
    if targets:
        scene.animate(node, "weights", weights.reshape(-1), "SCALAR")
    return scene


def to_gltf_axes(motion: Motion, representation: Representation) -> tuple[Points, Points]:
    """Return the frames ``[T, P, 3]`` and the resting pose ``[P, 3]`` in glTF's axes and sides of the unit frame."""
    frame = motion.frame
    if frame is None:
        # A motion of pixels without a frame is fitted into one.
        frame = representation.frame_of(motion.values) if motion.units == "px" else UnitSquare(0.5, 0.5, 1.0)

    def convert(poses: Tensor) -> Points:
        flat = representation.to_points2d(poses).double().cpu().numpy()
        depth = poses[..., 2].double().cpu().numpy() if representation.dims == 3 else np.zeros(flat.shape[:-1])
        return np.stack([flat[..., 0] - frame.x, frame.y - flat[..., 1], -depth], axis=-1) / frame.side

    resting_pose = motion.values[0] if motion.reference is None else motion.reference
    return convert(motion.values), convert(resting_pose)


def morph_targets(offsets: Points) -> tuple[Points, Points]:
    """Decompose offsets ``[T, P, 3]`` into weights and targets, whose product is within `TOLERANCE` of them.

    Returns:
        Weights ``[T, K]`` and targets ``[K, P, 3]``. Weights lie within 0 and 1, because Blender and other programs
        clip them; a component that goes both ways has a target for each.
    """
    remainder = offsets.reshape(len(offsets), -1).copy()
    # Of the covariance rather than a singular value decomposition: frames are many, coordinates few.
    _, directions = np.linalg.eigh(remainder.T @ remainder)
    weights, targets = [], []
    for direction in directions.T[::-1]:  # from the largest eigenvalue on
        # The largest error counts, not the mean: a single misplaced vertex is visible.
        if np.abs(remainder).max() <= TOLERANCE:
            break
        score = remainder @ direction
        remainder -= np.outer(score, direction)
        for sign in (1, -1):
            positive = np.maximum(sign * score, 0)
            if largest := positive.max():
                weights.append(positive / largest)
                targets.append(sign * largest * direction)
    shape = (len(targets), *offsets.shape[1:])
    return np.array(weights).reshape(len(targets), len(offsets)).T, np.array(targets).reshape(shape)


def triangulate(points: Points) -> NDArray[np.uint32] | None:
    """Return the corners ``[n, 3]`` of Delaunay triangles of points ``[P, 2]``; None if the points lie on a line.

    Corners are in counterclockwise order, so that triangles face the viewer.
    """
    try:
        corners: NDArray[np.uint32] = Delaunay(points).simplices.astype(np.uint32)
    except (QhullError, ValueError):
        return None
    a, b, c = (points[corners[:, k]] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    corners[area < 0] = corners[area < 0][:, ::-1]
    return corners
