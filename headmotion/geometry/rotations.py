"""Rotations as matrices, six numbers, rotation vectors, Euler angles and quaternions, in batches of any shape.

Matrices ``[..., 3, 3]`` act on column vectors and are right-handed. Angles are in radians. Every function keeps the
floating-point type of its argument.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def rotation_6d_to_matrix(six_numbers: Tensor) -> Tensor:
    """Return the rotations ``[..., 3, 3]`` of six numbers ``[..., 6]``, by Gram and Schmidt's orthonormalization.

    The six numbers are the first two columns of the matrix, one after the other. They need be neither orthogonal nor of
    unit length. Unlike angles and quaternions they have no jumps. Numbers without a direction (all 0, or both columns
    along one line) give a finite singular matrix. Differentiable.

    Source: Zhou, Barnes, Lu, Yang, Li, "On the Continuity of Rotation Representations in Neural Networks" (2019),
    section 4.
    """
    first = functional.normalize(six_numbers[..., :3], dim=-1)
    orthogonal = six_numbers[..., 3:6] - (first * six_numbers[..., 3:6]).sum(-1, keepdim=True) * first
    second = functional.normalize(orthogonal, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def matrix_to_rotation_6d(matrix: Tensor) -> Tensor:
    """Return the first two columns ``[..., 6]`` of rotations ``[..., 3, 3]``."""
    return torch.cat([matrix[..., 0], matrix[..., 1]], dim=-1)


def axis_rotation(axis: int, angle: Tensor) -> Tensor:
    """Return the rotations ``[..., 3, 3]`` by angles ``[...]`` (radians) about one axis (0, 1, 2: x, y, z)."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = angle.new_zeros(*angle.shape, 3, 3)
    cosine, sine = angle.cos(), angle.sin()
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., second, first], matrix[..., first, second] = sine, -sine
    return matrix


def euler_angles_to_matrix(angles: Tensor, order: str) -> Tensor:
    """Return the product ``[..., 3, 3]`` of rotations about three axes.

    Args:
        angles: ``[..., 3]``, one angle (radians) per axis, in the order of the axes.
        order: the axes, such as ``"ZXY"``: the rotation about z, times that about x, times that about y (intrinsic, as
            SciPy's ``Rotation.from_euler`` with capital letters).
    """
    first, second, third = (axis_rotation("XYZ".index(axis), angles[..., k]) for k, axis in enumerate(order))
    return first @ second @ third


def matrix_to_euler_angles(matrix: Tensor, order: str) -> Tensor:
    """Return the angles ``[..., 3]`` (radians) of rotations ``[..., 3, 3]``; the inverse of `euler_angles_to_matrix`.

    The second angle is from -pi/2 to pi/2. At these bounds (gimbal lock) the first and the third angle are not unique;
    the angles that are returned still give the matrix.

    Args:
        matrix: rotations ``[..., 3, 3]``.
        order: three different axes, such as ``"ZXY"``.
    """
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0  # of the permutation of the axes
    first = torch.atan2(-sign * matrix[..., j, k], matrix[..., k, k])
    second = torch.atan2(sign * matrix[..., i, k], torch.hypot(matrix[..., j, k], matrix[..., k, k]))
    # The third angle comes from the remaining rotation, so that in gimbal lock it compensates for the first.
    remainder = (axis_rotation(i, first) @ axis_rotation(j, second)).mT @ matrix
    after, last = (k + 1) % 3, (k + 2) % 3
    third = torch.atan2(remainder[..., last, after], remainder[..., after, after])
    return torch.stack([first, second, third], dim=-1)


def rotation_vector_to_matrix(vector: Tensor) -> Tensor:
    """Return the rotations ``[..., 3, 3]`` of rotation vectors ``[..., 3]``: axis times angle (radians).

    Source: Rodrigues (1840): ``1 + sin(a) / a K + (1 - cos(a)) / a^2 K^2`` with the cross-product matrix ``K``.
    """
    x, y, z = vector.unbind(dim=-1)
    zero = torch.zeros_like(x)
    rows = [torch.stack(row, dim=-1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    cross = torch.stack(rows, dim=-2)
    # Torch's sinc is that of pi x; it needs no special case at 0, and 1 - cos(a) = 2 sin^2(a / 2) loses no digits.
    turns = vector.norm(dim=-1)[..., None, None] / math.pi
    identity = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return identity + torch.sinc(turns) * cross + torch.sinc(turns / 2).square() / 2 * (cross @ cross)


def matrix_to_rotation_vector(matrix: Tensor) -> Tensor:
    """Return axis times angle ``[..., 3]`` (radians, at most pi) of rotations ``[..., 3, 3]``."""
    quaternion = matrix_to_quaternion(matrix)
    # Of the two quaternions of a rotation, the one with w >= 0 turns by at most pi.
    quaternion = torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    # Sine and cosine of half the angle are exact near 0 and near pi, where the trace of the matrix is not.
    sine = quaternion[..., :3].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, quaternion[..., 3:])
    tiny = torch.finfo(matrix.dtype).tiny
    return quaternion[..., :3] * torch.where(sine > tiny, angle / sine.clamp(min=tiny), 2.0)


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """Return the unit quaternions ``[..., 4]`` (x, y, z, w) of rotations ``[..., 3, 3]``, the largest number above 0.

    Source: Shepperd, "Quaternion from Rotation Matrix" (1978): divide by the largest of the four numbers.
    """
    m = matrix
    x, y, z = m.diagonal(dim1=-2, dim2=-1).unbind(dim=-1)
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    # The entries of 4 q q^T: each row is q times one of its numbers.
    rows = (
        (1 + x - y - z, xy, xz, wx),
        (xy, 1 - x + y - z, yz, wy),
        (xz, yz, 1 - x - y + z, wz),
        (wx, wy, wz, 1 + x + y + z),
    )
    products = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    largest = products.diagonal(dim1=-2, dim2=-1).argmax(dim=-1)
    row = products.take_along_dim(largest[..., None, None], dim=-2).squeeze(-2)
    return functional.normalize(row, dim=-1)


def rotation_angle(matrix: Tensor) -> Tensor:
    """Return the angles ``[...]`` (radians, 0 to pi) of rotations ``[..., D, D]`` of the plane or of space.

    The angle comes from the chord, which keeps small angles exact: the Frobenius norm of ``R - 1`` is
    ``2 sqrt(2) sin(angle / 2)``.
    """
    identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    chord = torch.linalg.matrix_norm(matrix - identity) / math.sqrt(8)
    return 2 * torch.asin(chord.clamp(max=1))
