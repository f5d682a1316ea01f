"""A generator without anything to train: the mouth opens with the audio's energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from headmotion import BuildContext, Generator, SpecError

if TYPE_CHECKING:
    from .specs import EnergyJawSpec


class EnergyJaw(Generator):
    """``y = y_reference + opening * scale * clamp((energy - quiet) / (loud - quiet), 0, 1)`` for the lower lip.

    Each frame depends on its own audio steps alone: there is no look-ahead, and the state is the pose to start from.

    Raises:
        SpecError: a representation whose ``openings`` name no mouth, or ``quiet`` not below ``loud``.
    """

    scale_pair: Tensor
    lower: Tensor

    def __init__(self, spec: EnergyJawSpec, context: BuildContext) -> None:
        super().__init__(spec)
        it = context.representation
        if not it.openings.get("mouth"):
            raise SpecError("template/energy-jaw", "a representation with a mouth among its openings", it.name)
        if not spec.quiet < spec.loud:
            raise SpecError("template/energy-jaw", "quiet < loud", f"{spec.quiet} and {spec.loud}")
        self.context_frames, self.lookahead = 1, 0
        self.opening, self.quiet, self.loud = spec.opening, spec.quiet, spec.loud
        self.steps_per_frame = context.steps_per_frame
        height = it.neutral()[:, 1]  # y points down
        lower = [max(pair, key=lambda point: float(height[point])) for pair in it.openings["mouth"]]
        self.register_buffer("lower", torch.tensor(lower), persistent=False)
        self.register_buffer("scale_pair", torch.tensor(it.scale_pair), persistent=False)

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Reference ``[B, R, P, D]`` and audio ``[B, 4*T, C]`` to motion ``[B, T, P, D]``; nothing is random."""
        return self.step(audio, self.init_state(reference, seed))[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """The pose ``[B, P, D]`` that all frames start from."""
        return reference[:, -1]

    def step(self, audio: Tensor, state: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """Audio ``[B, 4*t, C]`` to its frames ``[B, t, P, D]``; the state stays as it is."""
        frames = audio.shape[1] // self.steps_per_frame
        energy = audio.mean(2).reshape(len(audio), frames, self.steps_per_frame).mean(2)
        openness = ((energy - self.quiet) / (self.loud - self.quiet)).clamp(0, 1)
        first, second = state[:, self.scale_pair].unbind(1)
        drop = self.opening * (first - second).norm(dim=-1, keepdim=True) * openness
        motion = state.unsqueeze(1).repeat(1, frames, 1, 1)
        motion[:, :, self.lower, 1] += drop.unsqueeze(-1)
        return motion, state
