"""Rotations in all their notations, against SciPy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from headmotion.geometry.rotations import (
    axis_rotation,
    euler_angles_to_matrix,
    matrix_to_euler_angles,
    matrix_to_quaternion,
    matrix_to_rotation_6d,
    matrix_to_rotation_vector,
    rotation_6d_to_matrix,
    rotation_angle,
    rotation_vector_to_matrix,
)

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]
angles = st.floats(-7, 7)
right_angles = st.sampled_from([k * np.pi / 2 for k in range(-4, 5)])
vectors = st.tuples(*[st.one_of(angles, right_angles, st.floats(-1e-9, 1e-9))] * 3)


def random_rotations(count: int = 200) -> np.ndarray:
    return Rotation.random(count, rng=np.random.default_rng(0)).as_matrix()


@given(vectors)
def test_rotation_vectors_are_those_of_scipy(vector: tuple[float, float, float]) -> None:
    expected = Rotation.from_rotvec(vector)
    matrix = rotation_vector_to_matrix(torch.tensor(vector, dtype=torch.float64))
    np.testing.assert_allclose(matrix, expected.as_matrix(), atol=1e-14)
    shortest = matrix_to_rotation_vector(matrix)
    assert shortest.norm() <= np.pi + 1e-12
    # Half a turn has two rotation vectors, so matrices are compared.
    np.testing.assert_allclose(rotation_vector_to_matrix(shortest), expected.as_matrix(), atol=1e-12)
    # The angle comes from a chord, which is flat near half a turn.
    assert float(rotation_angle(matrix)) == pytest.approx(expected.magnitude(), abs=1e-6)


@given(st.tuples(*[st.floats(-1.7, 1.7)] * 3))
def test_rotation_vectors_below_half_a_turn_return(vector: tuple[float, float, float]) -> None:
    expected = torch.tensor([vector], dtype=torch.float64)
    torch.testing.assert_close(matrix_to_rotation_vector(rotation_vector_to_matrix(expected)), expected)


@pytest.mark.parametrize("scale", [1e-3, 1e-8, 1e-160])
def test_small_angles_keep_their_digits(scale: float) -> None:
    vector = scale * torch.tensor([0.3, -0.4, 1.2], dtype=torch.float64)
    matrix = rotation_vector_to_matrix(vector)
    torch.testing.assert_close(matrix_to_rotation_vector(matrix), vector, rtol=1e-12, atol=0)
    if scale > 1e-9:
        assert float(rotation_angle(matrix)) == pytest.approx(1.3 * scale, rel=1e-7)


@given(vectors, st.sampled_from(ORDERS))
def test_euler_angles_are_those_of_scipy(euler: tuple[float, float, float], order: str) -> None:
    expected = Rotation.from_euler(order, euler).as_matrix()
    matrix = euler_angles_to_matrix(torch.tensor(euler, dtype=torch.float64), order)
    np.testing.assert_allclose(matrix, expected, atol=1e-14)
    # In gimbal lock the angles differ from SciPy's, so matrices are compared.
    recovered = matrix_to_euler_angles(matrix, order)
    assert recovered[1].abs() <= np.pi / 2 + 1e-12
    np.testing.assert_allclose(euler_angles_to_matrix(recovered, order), expected, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_within_a_right_angle_return(order: str) -> None:
    expected = torch.rand(50, 2, 3, generator=torch.manual_seed(0), dtype=torch.float64) * 3 - 1.5
    torch.testing.assert_close(matrix_to_euler_angles(euler_angles_to_matrix(expected, order), order), expected)


@pytest.mark.parametrize("axis", range(3))
def test_axis_rotations_are_right_handed(axis: int) -> None:
    angles = torch.linspace(-4, 4, 9, dtype=torch.float64).reshape(3, 3)
    expected = Rotation.from_euler("xyz"[axis], angles.reshape(-1, 1)).as_matrix().reshape(3, 3, 3, 3)
    np.testing.assert_allclose(axis_rotation(axis, angles), expected, atol=1e-15)


@given(vectors)
def test_quaternions_are_those_of_scipy(vector: tuple[float, float, float]) -> None:
    rotation = Rotation.from_rotvec(vector)
    quaternion = matrix_to_quaternion(torch.from_numpy(rotation.as_matrix())).numpy()
    assert quaternion.max() >= -quaternion.min() - 1e-15
    expected = rotation.as_quat()
    np.testing.assert_allclose(quaternion * np.sign(quaternion @ expected), expected, atol=1e-14)


def test_six_numbers_are_orthonormalized() -> None:
    matrices = torch.from_numpy(random_rotations())
    torch.testing.assert_close(rotation_6d_to_matrix(matrix_to_rotation_6d(matrices)), matrices)
    # Longer columns and a second one that leans towards the first mean the same rotation.
    first, second = 3 * matrices[..., 0], 0.5 * matrices[..., 1] + 2 * matrices[..., 0]
    torch.testing.assert_close(rotation_6d_to_matrix(torch.cat([first, second], dim=-1)), matrices)


def test_gradients_are_finite_without_a_direction() -> None:
    for numbers in (torch.zeros(3, 6), torch.ones(3, 6)):
        numbers.requires_grad_()
        rotation_6d_to_matrix(numbers).square().sum().backward()
        assert numbers.grad is not None and numbers.grad.isfinite().all()
    vector = torch.zeros(2, 3, requires_grad=True)
    rotation_vector_to_matrix(vector).sum().backward()
    assert vector.grad is not None and vector.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batches_and_types_are_kept(dtype: torch.dtype) -> None:
    matrices = torch.from_numpy(random_rotations(24)).reshape(2, 3, 4, 3, 3).to(dtype)
    for convert, inverse in (
        (matrix_to_rotation_6d, rotation_6d_to_matrix),
        (matrix_to_rotation_vector, rotation_vector_to_matrix),
        (lambda m: matrix_to_euler_angles(m, "ZXY"), lambda angles: euler_angles_to_matrix(angles, "ZXY")),
    ):
        numbers = convert(matrices)
        assert numbers.shape[:-1] == (2, 3, 4) and numbers.dtype == dtype
        torch.testing.assert_close(inverse(numbers), matrices, atol=1e-5, rtol=0)
    assert matrix_to_quaternion(matrices).shape == (2, 3, 4, 4)
    assert rotation_angle(matrices).shape == (2, 3, 4)


@given(angles)
def test_the_angle_of_a_plane_rotation(angle: float) -> None:
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = torch.tensor([[cosine, -sine], [sine, cosine]])
    assert float(rotation_angle(matrix)) == pytest.approx(abs(np.arctan2(sine, cosine)), abs=1e-6)
