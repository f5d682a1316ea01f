"""World transforms of skeletons, against SciPy's rotations chained joint by joint."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from headmotion.geometry.kinematics import KinematicTree


@st.composite
def parent_lists(draw: st.DrawFn) -> list[int]:
    count = draw(st.integers(1, 9))
    return [draw(st.integers(-1, joint - 1)) for joint in range(count)]


@given(parent_lists(), st.integers(0, 1000))
def test_transforms_are_chained_from_the_roots(parents: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(2 * len(parents), rng=rng).as_matrix().reshape(2, len(parents), 3, 3)
    positions = rng.normal(size=(2, len(parents), 3))
    tree = KinematicTree(parents)
    world_rotations, world_positions = tree.to_world(torch.from_numpy(rotations), torch.from_numpy(positions))
    for frame in range(2):
        chained: list[tuple[Rotation, np.ndarray]] = []
        for joint, parent in enumerate(parents):
            rotation, position = Rotation.from_matrix(rotations[frame, joint]), positions[frame, joint]
            if parent >= 0:
                parent_rotation, parent_position = chained[parent]
                position = parent_position + parent_rotation.apply(position)
                rotation = parent_rotation * rotation
            chained.append((rotation, position))
            np.testing.assert_allclose(world_rotations[frame, joint], rotation.as_matrix(), atol=1e-12)
            np.testing.assert_allclose(world_positions[frame, joint], position, atol=1e-12)


@given(parent_lists())
def test_depths_and_roots(parents: list[int]) -> None:
    tree = KinematicTree(parents)
    for joint in range(len(parents)):
        path = [joint]
        while parents[path[-1]] >= 0:
            path.append(parents[path[-1]])
        assert tree.roots[joint] == path[-1] and tree.depths[joint] == len(path) - 1
