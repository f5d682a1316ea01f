"""Points as a mesh: the resting pose, and morph targets whose weights move it.

The targets are the principal components of the motion around the resting pose, as many as bring every vertex of every
frame within `TOLERANCE`. With all weights 0 the mesh rests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError  # type: ignore[import-untyped,unused-ignore]
from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion
from .gltf_parts import INDICES, VERTICES, Scene

TOLERANCE = 5e-4
"""Sides of the unit frame by which a coordinate may be off."""

Points = NDArray[np.float64]


def mesh(motion: Motion, representation: Representation) -> Scene:
    """The scene of a motion of points.

    Raises:
        MotionError: the representation has no place in space.
    """
    if representation.dims < 2:
        remedy = "motion.to('landmarks68')"
        raise MotionError("glTF export", "points in space", f"a motion of {representation.name}", remedy)
    moved, rest = placed(motion, representation)
    weights, targets = components(moved - rest)
    scene = Scene(motion, representation.name)
    corners = triangles(rest[:, :2])
    shapes = tuple(scene.array(target, "VEC3", VERTICES) for target in targets)
    number = scene.mesh(
        representation.name,
        {"POSITION": scene.array(rest, "VEC3", VERTICES)},
        None if corners is None else scene.array(corners.reshape(-1), "SCALAR", INDICES),
        shapes,
        tuple(f"component_{k}" for k in range(len(shapes))),
    )
    node = scene.node(name=representation.name, mesh=number)
    if shapes:
        scene.animate(node, "weights", weights.reshape(-1), "SCALAR")
    return scene


def placed(motion: Motion, representation: Representation) -> tuple[Points, Points]:
    """The frames ``[T, P, 3]`` and the resting pose ``[P, 3]`` in glTF's axes, sides of the unit frame."""
    frame = motion.frame
    if frame is None:
        frame = representation.frame_of(motion.values) if motion.units == "px" else UnitSquare(0.5, 0.5, 1.0)

    def turned(poses: Tensor) -> Points:
        flat = representation.to_points2d(poses).double().cpu().numpy()
        depth = poses[..., 2].double().cpu().numpy() if representation.dims == 3 else np.zeros(flat.shape[:-1])
        return np.stack([flat[..., 0] - frame.x, frame.y - flat[..., 1], -depth], axis=-1) / frame.side

    rest = motion.values[0] if motion.reference is None else motion.reference
    return turned(motion.values), turned(rest)


def components(offsets: Points) -> tuple[Points, Points]:
    """Weights ``[T, K]`` and targets ``[K, P, 3]`` whose products are the offsets ``[T, P, 3]`` within `TOLERANCE`.

    Weights lie within 0 and 1, for Blender and others cut off what does not: a component that goes both ways has a
    target for either.
    """
    left = offsets.reshape(len(offsets), -1).copy()
    _, directions = np.linalg.eigh(left.T @ left)
    weights, targets = [], []
    for direction in directions.T[::-1]:
        if np.abs(left).max() <= TOLERANCE:
            break
        score = left @ direction
        left -= np.outer(score, direction)
        for sign in (1, -1):
            along = np.maximum(sign * score, 0)
            if largest := along.max():
                weights.append(along / largest)
                targets.append(sign * largest * direction)
    shape = (len(targets), *offsets.shape[1:])
    return np.array(weights).reshape(len(targets), len(offsets)).T, np.array(targets).reshape(shape)


def triangles(places: Points) -> NDArray[np.uint32] | None:
    """Corners ``[n, 3]`` of Delaunay's triangles of places ``[P, 2]``, counterclockwise; None if they lie on a line."""
    try:
        corners: NDArray[np.uint32] = Delaunay(places).simplices.astype(np.uint32)
    except (QhullError, ValueError):
        return None
    a, b, c = (places[corners[:, k]] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    corners[area < 0] = corners[area < 0][:, ::-1]
    return corners
