"""Landmarks in PCA coordinates: mean and basis of aligned faces, fitted to a corpus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.interfaces.representation import unfitted
from headmotion.geometry.rigid_fit import fit_similarity

from .specs import LandmarkPCASpec

SOURCE = "landmarks68"
"""What the basis is fitted to."""
RIGID = (*range(27, 36), 36, 39, 42, 45)
"""Points by which faces are aligned: the nose and the corners of the eyes, which neither speech nor blinks move."""
TINY = 1e-12
"""Variance below which a direction has none."""


@dataclass(frozen=True)
class Alignment:
    """The similarity ``x -> x linear + offset`` of poses onto the template, one for each pose."""

    linear: Tensor
    """``[..., 2, 2]``, a rotation times a scale."""
    offset: Tensor
    """``[..., 1, 2]``."""

    def apply(self, points: Tensor) -> Tensor:
        """Map points ``[..., 68, 2]`` onto the template."""
        return points @ self.linear + self.offset

    def invert(self, points: Tensor) -> Tensor:
        """Map points ``[..., 68, 2]`` of the template back."""
        # The inverse of a scaled rotation is its transpose over the squared scale, its determinant.
        return (points - self.offset) @ (self.linear.mT / torch.linalg.det(self.linear)[..., None, None])


class LandmarkPCA(hm.Representation):
    """``h = U^T (scale p - mean)`` of landmarks ``p`` in the unit frame, by default aligned to a template.

    Source: the paper, section 3.1. Unlike there, each column of ``U`` is a symmetric or an antisymmetric deformation of
    the face, fitted to faces and their mirror images, so that a mirrored face has the same coefficients up to signs.
    """

    name = "atvg/landmark-pca"
    dims = 1
    fit_source = SOURCE
    mean: Tensor
    """``[136]``, scaled."""
    basis: Tensor
    """``[components, 136]``, orthonormal rows, the largest variance first; zeros before it is fitted."""

    def __init__(self, spec: LandmarkPCASpec) -> None:
        super().__init__(spec)
        self.points, self.scale, self.aligned = spec.components, spec.scale, spec.alignment == "procrustes"
        self.point_names = tuple(f"coefficient_{number}" for number in range(self.points))
        self.groups, self.mirror = {}, tuple(range(self.points))
        self.face = hm.resolve_spec("representation", SOURCE).build()
        self.register_buffer("mean", torch.zeros(2 * self.face.points))
        self.register_buffer("basis", torch.zeros(self.points, 2 * self.face.points))

    @property
    def fitted(self) -> bool:
        """Whether the basis is there."""
        return bool(self.basis.any())

    def fit(self, motions: Iterable[Tensor]) -> None:
        """Fit mean and basis to motions ``[t, 68, 2]`` of the unit frame, and to their mirror images.

        Raises:
            MotionError: poses that do not vary in as many ways as there are coefficients.
        """
        size = len(self.mean)
        count, total = 0, torch.zeros(size, dtype=torch.float64)
        products = torch.zeros(size, size, dtype=torch.float64)
        for motion in motions:
            for poses in (motion, self.face.flip(motion)):
                rows = self._scaled(poses).double().cpu()
                count, total, products = count + len(rows), total + rows.sum(0), products + rows.T @ rows
        mean = total / max(count, 1)
        covariance = products / max(count, 1) - torch.outer(mean, mean)
        variances, basis = self._symmetric_basis(covariance)
        if len(variances) < self.points or variances[-1] < TINY:
            got = f"{count // 2} poses that vary in fewer"
            raise hm.MotionError(self.name, f"poses that vary in {self.points} ways to fit a basis to", got)
        self.mean.copy_(mean)
        self.basis.copy_(basis)

    def encode(self, points: Tensor) -> Tensor:
        """Return the coefficients ``[..., components]`` of landmarks ``[..., 68, 2]`` in the unit frame.

        Raises:
            MotionError: the basis is not fitted.
        """
        self.require_fitted()
        return (self._scaled(points) - self.mean.to(points)) @ self.basis.to(points).T

    def decode(self, coefficients: Tensor) -> Tensor:
        """Return landmarks ``[..., 68, 2]`` of the template's unit frame for coefficients ``[..., components]``.

        Raises:
            MotionError: the basis is not fitted.
        """
        self.require_fitted()
        return (self.mean.to(coefficients) / self.scale).unflatten(-1, (-1, 2)) + self.displacements(coefficients)

    def displacements(self, coefficients: Tensor) -> Tensor:
        """Return how far coefficients ``[..., components]`` move the landmarks, ``[..., 68, 2]``, from the mean."""
        return (coefficients @ self.basis.to(coefficients) / self.scale).unflatten(-1, (-1, 2))

    def alignment(self, points: Tensor) -> Alignment:
        """Return what moves landmarks ``[..., 68, 2]`` of the unit frame onto the template."""
        if not self.aligned:
            linear = torch.eye(2).to(points).expand(*points.shape[:-2], 2, 2)
            return Alignment(linear, points.new_zeros(*points.shape[:-2], 1, 2))
        fit = fit_similarity(points[..., RIGID, :], self.face.neutral()[RIGID, :].to(points))
        return Alignment((fit.scale[..., None, None] * fit.rotation).mT, fit.translation.unsqueeze(-2))

    def require_fitted(self) -> None:
        """Refuse to work without a basis.

        Raises:
            MotionError: the basis is not fitted.
        """
        if not self.fitted:
            raise unfitted(self)

    def neutral(self) -> Tensor:
        """Return the mean face, whose coefficients ``[components, 1]`` are zero."""
        return torch.zeros(self.points, 1)

    def frame_of(self, values: Tensor) -> hm.UnitSquare:
        """Return the square of numbers that have no place in the picture.

        Raises:
            MotionError: not finite.
        """
        if not bool(values.isfinite().all()):
            raise hm.MotionError(self.name, "finite coefficients", "NaN or infinity")
        return hm.UnitSquare(0.5, 0.5, 1.0)

    def normalize(self, values: Tensor, frame: hm.UnitSquare) -> Tensor:
        """Return coefficients ``[..., components, 1]`` as they are: they do not depend on the square.

        Raises:
            MotionError: values of another shape, or a square without a side.
        """
        if values.dim() < 2 or values.shape[-2:] != (self.points, 1):
            got = f"the shape {list(values.shape)}"
            raise hm.MotionError(self.name, f"coefficients [..., {self.points}, 1]", got)
        if not frame.side > 0:
            raise hm.MotionError(self.name, "a frame with a side above 0", str(frame))
        return values

    denormalize = normalize

    def flip(self, values: Tensor) -> Tensor:
        """Return the coefficients of the mirrored face: antisymmetric deformations change their sign."""
        rows = self.basis.to(values)
        signs = (rows * self._mirrored(rows)).sum(-1)
        # Signs are exactly 1 and -1; before the basis is fitted, nothing changes.
        return values * torch.where(signs < 0, -1.0, 1.0)[:, None].to(values)

    def _scaled(self, points: Tensor) -> Tensor:
        """Return landmarks on the template, flat and scaled, ``[..., 136]``."""
        return self.scale * self.alignment(points).apply(points).flatten(-2)

    def _mirrored(self, rows: Tensor) -> Tensor:
        """Return displacements ``[..., 136]`` of the mirrored face."""
        moved = rows.unflatten(-1, (-1, 2))[..., list(self.face.mirror), :]
        return (moved * rows.new_tensor([-1.0, 1.0])).flatten(-2)

    def _symmetric_basis(self, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the largest variances and their directions, each of which is symmetric or antisymmetric."""
        halves = []
        mirror = self._mirrored(torch.eye(len(covariance), dtype=covariance.dtype))
        for sign in (1.0, -1.0):
            half = (torch.eye(len(mirror), dtype=mirror.dtype) + sign * mirror) / 2  # a projection
            variances, vectors = torch.linalg.eigh(half @ covariance @ half)
            in_half = (half @ vectors).norm(dim=0) > 0.5  # the others, of variance 0, belong to the other half
            halves.append((variances[in_half], (half @ vectors)[:, in_half].T))
        variances = torch.cat([variances for variances, _ in halves])
        order = variances.argsort(descending=True, stable=True)[: self.points]
        rows = torch.cat([rows for _, rows in halves])[order]
        # The sign of an eigenvector is arbitrary: its largest number becomes positive.
        largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
        return variances[order], torch.nn.functional.normalize(rows * largest.sign(), dim=1)
