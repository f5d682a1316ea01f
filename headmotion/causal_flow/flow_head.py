"""The flow: a small network that moves noise to motion along straight lines. Source: flow matching (arXiv 2210.02747).

Its layers are modulated by time and context as in DiT (Peebles and Xie, arXiv 2212.09748).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

TIME_FEATURES = 16
"""Number of frequencies in which the flow's time is given to the network."""


class ModulatedBlock(nn.Module):
    """A hidden layer with a skip, ``[..., W] -> [..., W]``; scale, shift and gate come from a context."""

    def __init__(self, width: int, context: int, expansion: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(context, 3 * width)
        self.expand = nn.Linear(width, expansion * width)
        self.project = nn.Linear(expansion * width, width)

    @override
    def forward(self, inputs: Tensor, modulation: Tensor) -> Tensor:
        """Return the outputs; the modulation ``[..., 3 W]`` is what `modulation` makes of a context."""
        scale, shift, gate = modulation.chunk(3, dim=-1)
        inner = torch.addcmul(shift, functional.layer_norm(inputs, inputs.shape[-1:]), 1 + scale)
        return torch.addcmul(inputs, gate, self.project(functional.gelu(self.expand(inner))))


class FlowHead(nn.Module):
    """Velocities ``[..., S]`` of points between noise (time 0) and motion (time 1), in a context ``[..., C]``.

    Args:
        size: numbers that are sampled, ``S``.
        context: numbers of the context, ``C``.
        width: of the network.
        blocks: of the network.
        expansion: factor of the hidden layers' widths.
    """

    def __init__(self, size: int, context: int, width: int, blocks: int, expansion: int) -> None:
        super().__init__()
        self.time = nn.Linear(2 * TIME_FEATURES, context)
        self.inputs = nn.Linear(size, width)
        self.blocks = nn.ModuleList(ModulatedBlock(width, context, expansion) for _ in range(blocks))
        self.outputs = nn.Linear(width, size)

    @override
    def forward(self, points: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """Return velocities.

        Args:
            points: ``[..., S]``.
            time: ``[..., 1]`` in 0..1.
            context: ``[..., C]``.
        """
        return self._velocities(points, self._modulations(time, context))

    def sample(
        self, noise: Tensor, context: Tensor, steps: int, without: Tensor | None = None, guidance: float = 1.0
    ) -> Tensor:
        """Return the points ``[..., S]`` that noise moves to in Euler steps.

        Args:
            noise: ``[..., S]``.
            context: ``[..., C]``.
            steps: number of steps.
            without: a context ``[..., C]`` without the condition; None: no guidance.
            guidance: factor of what the condition adds to the velocity without it (arXiv 2207.12598).
        """
        if without is not None:
            context = torch.stack([without, context])
        times = (torch.arange(steps, device=context.device, dtype=context.dtype) / steps).view(-1, *[1] * context.dim())
        # What depends on time and context only is computed for all steps at once.
        modulations = [modulation.unbind() for modulation in self._modulations(times, context)]
        points = noise
        for modulation in zip(*modulations, strict=True):
            velocities = self._velocities(points, modulation)
            if without is not None:
                velocities = torch.lerp(velocities[0], velocities[1], guidance)
            points = points + velocities / steps
        return points

    def _modulations(self, time: Tensor, context: Tensor) -> list[Tensor]:
        """Return the modulation ``[..., 3 W]`` of each block."""
        frequencies = math.pi * torch.arange(1, TIME_FEATURES + 1, device=time.device, dtype=time.dtype)
        angles = time * frequencies
        context = functional.silu(context + self.time(torch.cat([angles.sin(), angles.cos()], dim=-1)))
        return [block.modulation(context) for block in self.blocks]  # type: ignore[operator]

    def _velocities(self, points: Tensor, modulations: Sequence[Tensor]) -> Tensor:
        hidden = self.inputs(points)
        for block, modulation in zip(self.blocks, modulations, strict=True):
            hidden = block(hidden, modulation)
        velocities: Tensor = self.outputs(functional.layer_norm(hidden, hidden.shape[-1:]))
        return velocities

    def error(self, target: Tensor, noise: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """Return the mean squared error of the velocities between noise and target, both ``[..., S]``, at a time."""
        velocity: Tensor = self(torch.lerp(noise, target, time), time, context)
        return (velocity - (target - noise)).square().mean()
