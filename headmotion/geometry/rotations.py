"""Rotations as six numbers, matrices and Euler angles.

Six numbers are the first two columns of the matrix, one after the other; the way back is Gram and Schmidt's, which is
continuous where angles and quaternions jump. Source: Zhou, Barnes, Lu, Yang, Li, "On the Continuity of Rotation
Representations in Neural Networks" (2019), section 4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Matrices = npt.NDArray[np.float64]


def matrices(six: Tensor) -> Tensor:
    """Rotations ``[..., 3, 3]`` of six numbers ``[..., 6]``, which need be neither orthogonal nor of unit length.

    Differentiable. Numbers without direction (all 0, or both columns along one line) give a finite singular matrix.
    """
    first = functional.normalize(six[..., :3], dim=-1)
    rest = six[..., 3:6] - (first * six[..., 3:6]).sum(-1, keepdim=True) * first
    second = functional.normalize(rest, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def six_numbers(turns: Tensor) -> Tensor:
    """The six numbers ``[..., 6]`` of rotations ``[..., 3, 3]``."""
    return torch.cat([turns[..., 0], turns[..., 1]], dim=-1)


def about(axis: int, degrees: npt.NDArray[np.float64]) -> Matrices:
    """Rotations ``[..., 3, 3]`` about an axis (0, 1, 2: x, y, z), right-handed."""
    radians = np.radians(np.fmod(degrees, 360.0))
    turns = np.zeros((*radians.shape, 3, 3))
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turns[..., axis, axis] = 1.0
    turns[..., one, one] = turns[..., other, other] = np.cos(radians)
    turns[..., other, one] = np.sin(radians)
    turns[..., one, other] = -np.sin(radians)
    return turns


def zxy_degrees(turns: Matrices) -> Matrices:
    """Angles ``[..., 3]`` about z, x and y in degrees of rotations ``[..., 3, 3]`` = z * x * y.

    Where the angle about x is a right one and the other two are not told apart, the last takes what the first leaves.
    """
    z = np.arctan2(-turns[..., 0, 1], turns[..., 1, 1])
    x = np.arctan2(turns[..., 2, 1], np.hypot(turns[..., 0, 1], turns[..., 1, 1]))
    before = about(2, np.degrees(z)) @ about(0, np.degrees(x))
    left = np.swapaxes(before, -1, -2) @ turns
    y = np.arctan2(left[..., 0, 2], left[..., 0, 0])
    return np.asarray(np.degrees(np.stack([z, x, y], axis=-1)))
