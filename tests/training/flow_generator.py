"""A generator that sees the whole clip and is trained by an objective of its own; public names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from flow_specs import FlowSpec
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.noise import normal, sample_seeds


class FlowGenerator(hm.Generator):
    context_frames = 1

    def __init__(self, spec: FlowSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.steps, self.euler_steps = context.steps_per_frame, spec.euler_steps
        self.shape = (context.representation.points, context.representation.dims)
        flat = self.shape[0] * self.shape[1]
        self.velocity = nn.Sequential(
            nn.Conv1d(flat + self.steps * context.audio_channels + 1, spec.width, 5, padding=2),
            nn.SiLU(),
            nn.Conv1d(spec.width, spec.width, 5, padding=2),
            nn.SiLU(),
            nn.Conv1d(spec.width, flat, 1),
        )

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        motion = self.noise(audio, seed, stream=0)
        for step in range(self.euler_steps):
            time = torch.full_like(motion[:, :1, :1], step / self.euler_steps)
            motion = motion + self.flow(motion, time, audio) / self.euler_steps
        return reference[:, -1:] + motion.unflatten(2, self.shape) * SCALE

    def training_terms(self, real: hm.Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        audio = real.audio[:, -self.steps * real.motion.shape[1] :]
        target = ((real.motion - real.reference[:, -1:]) / SCALE).flatten(2)
        noise = self.noise(audio, seed, stream=0)
        # The same time for all frames of a clip, uniform over clips and steps.
        time = self.noise(audio, seed, stream=1)[:, :1, :1].div(2**0.5).erf().add(1).div(2)
        velocity = self.flow((1 - time) * noise + time * target, time, audio)
        return {"flow": (velocity - (target - noise)).square().mean()}

    def flow(self, motion: Tensor, time: Tensor, audio: Tensor) -> Tensor:
        features = audio.unflatten(1, (-1, self.steps)).flatten(2)
        inputs = torch.cat([motion, features, time.expand(-1, motion.shape[1], 1)], dim=2)
        return self.velocity(inputs.transpose(1, 2)).transpose(1, 2)

    def noise(self, audio: Tensor, seed: int | Sequence[int], stream: int) -> Tensor:
        frames = range(audio.shape[1] // self.steps)
        flat = (self.shape[0] * self.shape[1],)
        seeds = sample_seeds(seed, len(audio))
        return normal(seeds, frames, flat, stream=stream, device=audio.device).to(audio.dtype)


SCALE = 0.02
"""Standard deviation of motion in the unit frame, about."""
