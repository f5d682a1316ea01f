"""A motion that holds the reference, for pipelines in which only the renderer uses speech."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

import headmotion as hm

from .specs import StillSpec


class Still(hm.Generator):
    """Every frame is the last frame of the reference."""

    context_frames = 1
    lookahead = 0

    def __init__(self, spec: StillSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.steps = context.steps_per_frame

    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Return the reference, ``[B, T, P, D]``, for ``T`` frames of audio ``[B, A, C]``."""
        return self.step(audio, self.init_state(reference), last=True)[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Return the last frame of a reference ``[B, R, P, D]``."""
        return reference[:, -1:]

    def step(self, audio: Tensor, state: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """Return a frame for each frame of the audio, and the state, which never changes."""
        return state.expand(-1, audio.shape[1] // self.steps, -1, -1), state
