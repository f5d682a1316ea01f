"""Lower bounds of mutual information, from scores of pairs that belong together and of pairs that do not."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import torch
from torch import Tensor
from torch.nn import functional


def jensen_shannon(joint: Tensor, marginal: Tensor) -> Tensor:
    """Return ``E[-sp(-T)] - E[sp(T)]`` with ``sp(z) = log(1 + e^z)``, from -2 log 2 for ``T = 0`` up to 0.

    It rises with the mutual information but is no estimate of it in nats. Source: the paper, eq. 5; Nowozin, Cseke and
    Tomioka 2016.

    Args:
        joint: scores of pairs that belong together, any shape.
        marginal: scores of pairs that do not, any shape.
    """
    return -functional.softplus(-joint).mean() - functional.softplus(marginal).mean()


def donsker_varadhan(joint: Tensor, marginal: Tensor) -> Tensor:
    """Return ``E[T] - log E[e^T]`` in nats. Source: the paper, eq. 3; MINE (Belghazi and others 2018).

    Args:
        joint: scores of pairs that belong together, any shape.
        marginal: scores of pairs that do not, any shape.
    """
    return joint.mean() - (torch.logsumexp(marginal.flatten(), 0) - log(marginal.numel()))


BOUNDS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"js": jensen_shannon, "dv": donsker_varadhan}
"""The bounds by the names that specs use."""
EMPTY: dict[str, float] = {"js": -2 * log(2), "dv": 0.0}
"""Value of a bound if all scores are equal, ``T = 0``, and so carry no information."""


def positive_part(bound: str, joint: Tensor) -> Tensor:
    """Return the term of a bound over the pairs that belong together."""
    return joint.mean() if bound == "dv" else -functional.softplus(-joint).mean()


def pair_scores(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores of pairs that belong together ``[B, T]``, and of all others ``[B, T, T - 1]``.

    Args:
        scores: ``[B, T, T]`` with at least two frames; row ``j``, column ``k`` is frame ``j`` with the speech of frame
            ``k`` of the same clip. The paper draws such pairs at random; all of them have the same mean and less noise.
    """
    batch, frames = scores.shape[:2]
    joint = scores.diagonal(dim1=1, dim2=2)
    # Without its last element, a flattened matrix in rows of T + 1 has its diagonal in the first column.
    off_diagonal = scores.flatten(1)[:, :-1].reshape(batch, frames - 1, frames + 1)[..., 1:]
    return joint, off_diagonal.reshape(batch, frames, frames - 1)
