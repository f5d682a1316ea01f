"""Adversarial objectives by name: what discriminators and what is trained against them make of the scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


def hinge_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]``; 2 at zero scores. Source: MS-Sync, eq. 12."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def hinge_generator(generated: Tensor) -> Tensor:
    """Return ``-E[D(G)]``; 0 at zero scores. Source: MS-Sync, eqs. 9 to 11."""
    return -generated.mean()


def bce_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``-E[log s(D(x))] - E[log(1 - s(D(G)))]`` with the sigmoid ``s``; ``2 ln 2`` at zero scores.

    Source: Goodfellow and others 2014.
    """
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def bce_generator(generated: Tensor) -> Tensor:
    """Return ``-E[log s(D(G))]``, which does not saturate; ``ln 2`` at zero scores.

    Source: Goodfellow and others 2014.
    """
    return functional.softplus(-generated).mean()


def least_squares_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``E[(D(x) - 1)^2] / 2 + E[D(G)^2] / 2``; 1/4 where all scores are 1/2. Source: Mao and others 2017."""
    return ((real - 1).square().mean() + generated.square().mean()) / 2


def least_squares_generator(generated: Tensor) -> Tensor:
    """Return ``E[(D(G) - 1)^2] / 2``. Source: Mao and others 2017."""
    return (generated - 1).square().mean() / 2


@dataclass(frozen=True)
class AdversarialObjective:
    """The two losses of scores."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """Loss of the discriminators, by the scores ``[n]`` of real and of generated samples."""
    generator: Callable[[Tensor], Tensor]
    """Loss of what is trained against them, by the scores ``[n]`` of generated samples."""
    even: float
    """Loss of a discriminator at chance."""


OBJECTIVES: Mapping[str, AdversarialObjective] = {
    "hinge": AdversarialObjective(hinge_discriminator, hinge_generator, 2.0),
    "bce": AdversarialObjective(bce_discriminator, bce_generator, 2 * math.log(2)),
    "least-squares": AdversarialObjective(least_squares_discriminator, least_squares_generator, 0.25),
}
"""Objectives by the name in a recipe."""
