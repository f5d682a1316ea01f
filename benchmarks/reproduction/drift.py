"""Whether errors add up: how far poses wander from those of recordings, the longer a model speaks on its own.

Poses are taken relative to the first frame, in the directions in which the recordings vary most. Each window of 3 s, of
all clips together, is compared with the recordings as a whole by the Frechet distance of normal distributions
(Dowson and Landau 1982), in percent of the unit frame's side. A window of the recordings themselves is the floor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from headmotion.metrics.frechet import Gaussian, frechet_distance

WINDOW = 75
"""Frames."""
DIRECTIONS = 12


def drift(generated: Tensor, real: Tensor) -> list[float]:
    """Distance of each window of generated motion ``[B, T, P, D]`` from the whole of the real one."""
    offsets, true = _from_the_start(generated), _from_the_start(real).flatten(0, 1)
    basis = torch.linalg.eigh(true.T.cov()).eigenvectors[:, -DIRECTIONS:]
    whole = Gaussian.fit(true @ basis)
    windows = [offsets[:, k : k + WINDOW] for k in range(0, offsets.shape[1] - WINDOW + 1, WINDOW)]
    # The square root of the usual figure, so that a shift of all points by a percent counts as much wherever it ends.
    return [100 * frechet_distance(Gaussian.fit(each.flatten(0, 1) @ basis), whole) ** 0.5 for each in windows]


def _from_the_start(motion: Tensor) -> Tensor:
    """Flat poses ``[B, T, F]`` relative to the first frame."""
    return (motion - motion[:, :1]).flatten(2).double()
