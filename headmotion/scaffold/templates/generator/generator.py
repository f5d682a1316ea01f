"""A generator that hears a short window of audio and moves the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headmotion import BuildContext, Generator

if TYPE_CHECKING:
    from .specs import WindowGeneratorSpec

State = tuple[Tensor, Tensor]
"""The pose ``[B, P, D]`` that frames start from, and the frames ``[B, frames - 1, 4*C]`` heard before the next."""


class WindowGenerator(Generator):
    """``x[t] = reference + reach * W(tanh(V(a[t - frames + 1 .. t])))``.

    It declares `SupportsStreaming` by having `lookahead`, `init_state` and `step`.
    """

    def __init__(self, spec: WindowGeneratorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        it = context.representation
        self.context_frames, self.lookahead = 1, 0
        self.frames, self.reach, self.shape = spec.frames, spec.reach, (it.points, it.dims)
        self.width = context.steps_per_frame * context.audio_channels
        self.steps_per_frame = context.steps_per_frame
        self.normalize = nn.LayerNorm(self.width)
        self.hidden = nn.Linear(spec.frames * self.width, spec.hidden_size)
        self.offset = nn.Linear(spec.hidden_size, it.points * it.dims)

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Reference ``[B, R, P, D]`` and audio ``[B, 4*T, C]`` to motion ``[B, T, P, D]``; nothing is random."""
        return self.step(audio, self.init_state(reference, seed))[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> State:
        """A stream that has heard nothing yet: silence lies before the first frame."""
        return reference[:, -1], reference.new_zeros(len(reference), self.frames - 1, self.width)

    def step(self, audio: Tensor, state: State, last: bool = False) -> tuple[Tensor, State]:
        """Audio ``[B, 4*t, C]`` to its frames ``[B, t, P, D]`` and the new state."""
        pose, before = state
        frames = audio.shape[1] // self.steps_per_frame
        heard = torch.cat([before, self.normalize(audio.reshape(len(audio), frames, self.width))], dim=1)
        windows = [heard[:, t : t + self.frames].flatten(1) for t in range(frames)]
        if not windows:
            return pose.new_zeros(len(pose), 0, *self.shape), state
        offsets = self.offset(torch.tanh(self.hidden(torch.stack(windows, dim=1))))
        motion = pose.unsqueeze(1) + self.reach * offsets.unflatten(-1, self.shape)
        return motion, (pose, heard[:, heard.shape[1] - self.frames + 1 :])
