"""WindowGenerator: each frame is the reference, moved by a short window of audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headmotion import BuildContext, Generator

if TYPE_CHECKING:
    from .specs import WindowGeneratorSpec

State = tuple[Tensor, Tensor]
"""The reference pose ``[B, P, D]``, and the audio of the last frames, ``[B, frames - 1, steps_per_frame * C]``."""


class WindowGenerator(Generator):
    """``x[t] = reference + reach * W(tanh(V(a[t - frames + 1 .. t])))``.

    It declares `SupportsStreaming` by having ``lookahead``, ``init_state`` and ``step``.
    """

    def __init__(self, spec: WindowGeneratorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        representation = context.representation
        self.context_frames, self.lookahead = 1, 0
        self.frames, self.reach = spec.frames, spec.reach
        self.shape = (representation.points, representation.dims)
        self.steps_per_frame = context.steps_per_frame
        self.width = context.steps_per_frame * context.audio_channels  # numbers of audio per motion frame
        self.normalize = nn.LayerNorm(self.width)
        self.hidden = nn.Linear(spec.frames * self.width, spec.hidden_size)
        self.offset = nn.Linear(spec.hidden_size, representation.points * representation.dims)

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Generate motion ``[B, T, P, D]`` from a reference ``[B, R, P, D]`` and audio ``[B, A, C]``; no randomness."""
        return self.step(audio, self.init_state(reference, seed))[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> State:
        """Return the state of a stream without audio; zeros stand for the audio before the first frame."""
        return reference[:, -1], reference.new_zeros(len(reference), self.frames - 1, self.width)

    def step(self, audio: Tensor, state: State, last: bool = False) -> tuple[Tensor, State]:
        """Take the audio of ``t`` frames; return these frames ``[B, t, P, D]`` and the new state."""
        pose, earlier = state
        frames = audio.shape[1] // self.steps_per_frame
        features = torch.cat([earlier, self.normalize(audio.reshape(len(audio), frames, self.width))], dim=1)
        windows = [features[:, t : t + self.frames].flatten(1) for t in range(frames)]
        if not windows:
            return pose.new_zeros(len(pose), 0, *self.shape), state
        offsets = self.offset(torch.tanh(self.hidden(torch.stack(windows, dim=1))))
        motion = pose.unsqueeze(1) + self.reach * offsets.unflatten(-1, self.shape)
        return motion, (pose, features[:, features.shape[1] - self.frames + 1 :])
