"""Whether errors add up: how far poses wander from those of recordings, the longer a model speaks on its own.

Poses are taken relative to the first frame, in the directions in which the recordings vary most. Each window of 3 s, of
all clips together, is compared with the recordings as a whole by the Frechet distance of normal distributions
(Dowson and Landau 1982), in percent of the unit frame's side. A window of the recordings themselves is the floor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Poses = npt.NDArray[np.float64]
WINDOW = 75
"""Frames."""
DIRECTIONS = 12


def drift(generated: Tensor, real: Tensor) -> list[float]:
    """Distance of each window of generated motion ``[B, T, P, D]`` from the whole of the real one."""
    offsets = [_from_the_start(motion) for motion in (generated, real)]
    every = offsets[1].reshape(-1, offsets[1].shape[-1])
    basis = np.linalg.eigh(np.cov(every.T))[1][:, -DIRECTIONS:]
    whole = every @ basis
    windows = (offsets[0][:, k : k + WINDOW] for k in range(0, offsets[0].shape[1] - WINDOW + 1, WINDOW))
    return [100 * frechet(window.reshape(len(window) * WINDOW, -1) @ basis, whole) for window in windows]


def frechet(one: Poses, other: Poses) -> float:
    """Distance of the normal distributions fitted to ``[N, F]`` and ``[M, F]``; its square is the usual figure."""
    (mean, covariance), (mean2, covariance2) = ((x.mean(0), np.cov(x.T)) for x in (one, other))
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # The eigenvalues of root @ covariance2 @ root are those of the product of the two, and never negative.
    shared = np.sqrt(np.linalg.eigvalsh(root @ covariance2 @ root).clip(min=0)).sum()
    square = np.square(mean - mean2).sum() + np.trace(covariance) + np.trace(covariance2) - 2 * shared
    return float(np.sqrt(max(0.0, square)))


def _from_the_start(motion: Tensor) -> Poses:
    return np.asarray((motion - motion[:, :1]).flatten(2).to(torch.float64).numpy())
