"""Gaussians over features, and the Fréchet distance between two."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Gaussian(NamedTuple):
    """Mean and covariance, the latter as a root ``R`` of ``R^T R``: so it cannot fail to be positive."""

    mean: Tensor
    """``[d]``, float64."""
    root: Tensor
    """``[r, d]``, float64, with ``r = min(n, d)``."""

    @classmethod
    def of(cls, features: Tensor) -> Gaussian:
        """Of samples ``[n, d]``, two or more; the covariance is divided by ``n - 1``."""
        samples = features.double()
        count, size = samples.shape
        if count < 2:
            raise ValueError(f"two samples or more are needed for a covariance, got {count}")
        mean = samples.mean(0)
        root = (samples - mean) / (count - 1) ** 0.5
        if count > size:
            root = torch.linalg.qr(root, mode="r").R
        return cls(mean, root)


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, finite and never negative, at any number of samples.

    With ``S = R^T R`` the trace of the last term is the sum of the singular values of ``R1 R2^T``, so that no root of
    a matrix is taken and nothing is added to a singular one. Source: Dowson and Landau 1982; Heusel et al. 2017 (FID).
    """
    shift = (one.mean - other.mean).square().sum()
    spread = one.root.square().sum() + other.root.square().sum()
    shared = torch.linalg.svdvals(one.root @ other.root.T).sum()
    return max(0.0, float(shift + spread - 2 * shared))
