"""Mel-frequency cepstral coefficients (Davis and Mermelstein, 1980)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from typing_extensions import override

from .mel_encoder import MelEncoder
from .specs import MfccSpec


class Mfcc(MelEncoder):
    """The first ``n_mfcc`` coefficients of the orthonormal DCT-II of log mel energies, optionally liftered.

    Windows, steps and streaming are those of `MelEncoder`.
    """

    transform: Tensor
    """Cosine transform times lifter weights, ``[n_mels, n_mfcc]``."""

    def __init__(self, spec: MfccSpec) -> None:
        super().__init__(spec)
        self.channels = spec.n_mfcc
        transform = cosine_transform(spec.n_mels, spec.n_mfcc) * lifter_weights(spec.n_mfcc, spec.lifter)
        self.register_buffer("transform", transform.float(), persistent=False)

    @override
    def features_of(self, log_energies: Tensor) -> Tensor:
        return log_energies @ self.transform


def cosine_transform(size: int, coefficients: int) -> Tensor:
    """Return the orthonormal DCT-II as a matrix ``[size, coefficients]``, float64."""
    n = torch.arange(size, dtype=torch.float64)[:, None]
    k = torch.arange(coefficients, dtype=torch.float64)
    scale = torch.full_like(k, math.sqrt(2 / size))
    scale[0] = math.sqrt(1 / size)
    return torch.cos(math.pi * k * (2 * n + 1) / (2 * size)) * scale


def lifter_weights(coefficients: int, strength: int) -> Tensor:
    """Return weights ``1 + L/2 sin(pi n / L)`` of coefficients ``n``, float64; ones if the strength ``L`` is 0."""
    n = torch.arange(coefficients, dtype=torch.float64)
    return 1 + strength / 2 * torch.sin(math.pi * n / strength) if strength else torch.ones_like(n)
