"""Energy: an audio encoder with the energy of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from headmotion import AudioEncoder

if TYPE_CHECKING:
    from .specs import EnergySpec

FLOOR = 1e-8
"""Least energy, so that the logarithm of silence is finite."""


class Energy(AudioEncoder):
    """``log(max(mean(x^2), 1e-8))`` over samples ``[i * hop, (i + 1) * hop)``."""

    def __init__(self, spec: EnergySpec) -> None:
        super().__init__(spec)
        self.sample_rate, self.hop, self.channels = spec.sample_rate, spec.hop, 1
        self.look_back, self.look_ahead = 0, spec.hop

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Encode waves ``[B, S]`` as features ``[B, A, 1]`` with ``A = steps``, or ``S // hop`` if None."""
        count = wave.shape[1] // self.hop if steps is None else steps
        padded = functional.pad(wave, (0, max(0, count * self.hop - wave.shape[1])))[:, : count * self.hop]
        energy = padded.reshape(len(wave), count, self.hop).square().mean(-1, keepdim=True)
        return energy.clamp(min=FLOOR).log()

    def init_state(self, batch: int = 1) -> Tensor:
        """Return the state of a stream without samples: ``[batch, 0]``."""
        return torch.zeros(batch, 0)

    def step(self, wave: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Take samples ``[B, s]``; return complete steps ``[B, a, 1]`` and the remaining samples as state."""
        samples = torch.cat([state.to(wave), wave], dim=1)
        used = samples.shape[1] // self.hop * self.hop
        return self(samples[:, :used]), samples[:, used:]
