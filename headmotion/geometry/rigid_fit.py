"""Least-squares fits of rotations, similarities and orthographic poses to corresponding points.

Sources: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976); Umeyama, "Least-squares
estimation of transformation parameters between two point patterns" (1991), whose correction excludes reflections.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

RANK_TOLERANCE = 1e-6
"""Singular values of a resting shape below this share of the largest count as 0: the shape is flat."""


@dataclass(frozen=True)
class SimilarityTransform:
    """The map ``x -> scale * rotation @ x + translation``, one for each item of a batch."""

    rotation: Tensor
    """``[..., D, D]``, determinant 1."""
    scale: Tensor
    """``[...]``, 0 or more; 1 if the fit is rigid."""
    translation: Tensor
    """``[..., D]``, in the unit of the target points."""

    def apply(self, points: Tensor) -> Tensor:
        """Return the images ``[..., N, D]`` of points ``[..., N, D]``."""
        return points @ (self.scale[..., None, None] * self.rotation).mT + self.translation.unsqueeze(-2)


@dataclass(frozen=True)
class OrthographicPose:
    """The pose of a solid shape in ``T`` frames, seen by a distant camera (scaled orthography)."""

    rotation: Tensor
    """``[T, 3, 3]``; axes x right, y down, z away from the viewer."""
    scale: Tensor
    """``[T]``: units of the frame per unit of the shape."""
    center: Tensor
    """``[T, D]``: mean of the fitted points."""

    @property
    def linear(self) -> Tensor:
        """Map ``[T, D, D]`` of displacements in the axes of the shape to displacements in the frame."""
        dims = self.center.shape[-1]
        return self.scale[:, None, None] * self.rotation[:, :dims, :dims]


def fit_similarity(
    source: Tensor, target: Tensor, weights: Tensor | None = None, *, with_scale: bool = True
) -> SimilarityTransform:
    """Fit the similarity that maps source points onto target points with the least squared distance.

    Differentiable in the plane; in space as far as singular vectors are. Where all source points coincide, the rotation
    is the identity and the scale 1; where all target points coincide, the scale is 0.

    Args:
        source: ``[..., N, D]`` with ``D`` 2 or 3.
        target: ``[..., N, D]``, of the same floating-point type; batch shapes broadcast.
        weights: ``[..., N]``, 0 or more and not all 0, of the points; None gives all the same weight.
        with_scale: whether to fit a scale; without, the fit is rigid.
    """
    if source.shape[-1] == 2:
        return _fit_in_plane(source, target, weights, with_scale)
    weights = target.new_ones(target.shape[-2]) if weights is None else weights
    shares = (weights / weights.sum(dim=-1, keepdim=True)).unsqueeze(-1)
    source_mean, target_mean = ((shares * points).sum(dim=-2, keepdim=True) for points in (source, target))
    centered = source - source_mean
    covariance = (shares * (target - target_mean)).mT @ centered
    # Kabsch: the best rotation maximizes trace(R^T covariance).
    rotation = nearest_rotation(covariance)
    scale = torch.ones_like(covariance[..., 0, 0])
    if with_scale:
        variance = (shares * centered.square()).sum(dim=(-2, -1))
        coincident = variance == 0  # adds 1 to both sides of the quotient, which is then 1 and not NaN
        scale = ((rotation * covariance).sum(dim=(-2, -1)) + coincident) / (variance + coincident)
    moved = scale[..., None, None] * (source_mean @ rotation.mT)
    return SimilarityTransform(rotation, scale, (target_mean - moved).squeeze(-2))


def fit_plane_similarity(source: Any, target: Any, weights: Any = None, *, with_scale: bool = True) -> tuple[Any, Any]:
    """Fit the similarity ``z -> factor * z + shift`` of the complex plane with the least squared distance.

    Works on complex NumPy arrays and on complex tensors. Renderers call it several times per frame with NumPy's, in
    which a fit of a few points takes a tenth of the time.

    Args:
        source: complex points ``[..., N]``.
        target: complex points ``[..., N]``; batch shapes broadcast.
        weights: ``[..., N]``, as in `fit_similarity`.
        with_scale: whether to fit a scale; without, the factor has length 1.

    Returns:
        Complex ``factor`` and ``shift``, ``[...]``. The factor is 1 where all source points coincide.
    """
    shares = 1 / source.shape[-1] if weights is None else weights / weights.sum(-1)[..., None]
    source_mean, target_mean = (shares * source).sum(-1), (shares * target).sum(-1)
    centered = source - source_mean[..., None]
    # In complex numbers the cross-covariance is one number, and its direction is the rotation without reflection.
    covariance = (shares * centered.conj() * (target - target_mean[..., None])).sum(-1)
    variance = (shares * (centered.conj() * centered).real).sum(-1)
    coincident = variance == 0
    factor = (covariance + coincident) / (variance + coincident)
    factor = factor if with_scale else _direction(factor)
    return factor, target_mean - factor * source_mean


def _direction(factor: Any) -> Any:
    """Divide complex numbers by their length; 0 becomes 1."""
    length = abs(factor)
    vanishing = length == 0
    return (factor + vanishing) / (length + vanishing)


def centered_inverse(shape: Tensor) -> Tensor:
    """Return the pseudo-inverse ``[3, N]`` of a centered shape ``[N, 3]``; a flat shape has one of least norm."""
    inverse: Tensor = torch.linalg.pinv(shape - shape.mean(dim=0), rtol=RANK_TOLERANCE)
    return inverse


def fit_orthographic_pose(shape: Tensor, points: Tensor) -> OrthographicPose:
    """Fit the pose in which a solid shape is seen as the given points.

    The least-squares linear map from the centered shape to the centered points is replaced by the nearest one that is a
    rotation times a scale. A flat shape has no depth to be seen, and its map is that of least norm.

    Source: scaled orthography (Basri and Ullman 1988; Horaud, Dornaika, Lamiroy, Christy 1997).

    Args:
        shape: ``[N, 3]``; axes x right, y down, z away from the viewer.
        points: ``[T, N, D]`` with ``D`` 2 (without depth) or 3, of the same floating-point type.
    """
    linear = (points - points.mean(dim=-2, keepdim=True)).mT @ centered_inverse(shape).T
    u, singular, vh = torch.linalg.svd(linear, full_matrices=False)
    if points.shape[-1] == 3:
        rotation = _proper(u, vh)
    else:
        # Two rows are visible; the third is perpendicular to them.
        rows = u @ vh
        rotation = torch.cat([rows, torch.linalg.cross(rows[:, 0], rows[:, 1])[:, None]], dim=1)
    # Detected depth is the least reliable, so it does not enter the scale.
    return OrthographicPose(rotation, singular[:, :2].mean(dim=1), points.mean(dim=1))


def nearest_orthographic(images: npt.NDArray[np.complex128]) -> tuple[npt.NDArray[np.complex128], float]:
    """Return the nearest images of three axes under a rotation times a scale, seen along the third, and the scale.

    It is what `fit_orthographic_pose` makes of the least-squares map, of one frame and in closed form, for renderers.
    In the complex plane images are such if their squares add to 0 (Gauss's theorem of axonometry).

    Args:
        images: ``[3]``. Of axes that are seen along a line, half their length remains.
    """
    size, skew = float((images * images.conj()).real.sum()), complex((images * images).sum())
    # Twice the product of the singular values; the square of their sum is the sum of their squares and this product.
    product = max(math.sqrt(max(size * size - abs(skew) ** 2, 0.0)), 1e-9 * size, 1e-30)
    nearest = ((size + product) * images - skew * images.conj()) / (2 * product)
    return nearest, math.sqrt(size + product) / 2


def nearest_rotation(matrix: Tensor) -> Tensor:
    """Return the rotations nearest to matrices ``[..., D, D]`` in the Frobenius norm.

    Of a cross-covariance ``sum of target @ source.T`` it is the rotation that fits best (Kabsch 1976, Umeyama 1991).
    """
    u, _, vh = torch.linalg.svd(matrix)
    return _proper(u, vh)


def _proper(u: Tensor, vh: Tensor) -> Tensor:
    """Multiply orthogonal factors, reflecting the last singular direction where the determinant would be -1."""
    sign = torch.linalg.det(u @ vh).sign()[..., None, None]
    return torch.cat([u[..., :-1], u[..., -1:] * sign], dim=-1) @ vh


def _fit_in_plane(source: Tensor, target: Tensor, weights: Tensor | None, with_scale: bool) -> SimilarityTransform:
    source, target = (torch.view_as_complex(points.contiguous()) for points in (source, target))
    factor, shift = fit_plane_similarity(source, target, weights, with_scale=with_scale)
    direction = _direction(factor)
    rows = [direction.real, -direction.imag], [direction.imag, direction.real]
    rotation = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    scale = factor.abs() if with_scale else torch.ones_like(factor.real)
    return SimilarityTransform(rotation, scale, torch.view_as_real(shift))
