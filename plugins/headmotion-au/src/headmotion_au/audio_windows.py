"""Windows of speech around each motion frame, as the published networks take them: 12 rows, 10 ms per column."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

ROWS = 12
"""Cepstral coefficients per step."""
STEPS = 4
"""Steps per motion frame, of 10 ms at 25 frames per second."""


class AudioWindows(nn.Module):
    """Features ``[B, A, C]`` become windows ``[B, T, 12, width]`` around each frame.

    Features of another number of channels than 12 are projected to 12; fewer than four steps per frame are repeated.

    Args:
        context: gives channels and steps per frame.
        component: the part that takes the windows, for errors.
        first_channel: channels before it are left out.
        before: steps before the frame's own four.
        after: steps after them.

    Raises:
        SpecError: no channel is left, or 4 is no multiple of the steps per frame.
    """

    def __init__(self, context: hm.BuildContext, component: str, first_channel: int, before: int, after: int) -> None:
        super().__init__()
        channels, self.steps = context.audio_channels - first_channel, context.steps_per_frame
        if channels < 1:
            got = f"{context.audio_channels} of which the first {first_channel} are left out"
            raise hm.SpecError(component, "at least one audio channel", got, "set first_channel to 0")
        if STEPS % self.steps:
            raise hm.SpecError(component, "1, 2 or 4 audio steps per motion frame", str(self.steps))
        self.first, self.before, self.after = first_channel, before, after
        self.frames_before, self.frames_after = -(-before // STEPS), -(-after // STEPS)
        self.project = nn.Identity() if channels == ROWS else nn.Linear(channels, ROWS)

    @property
    def width(self) -> int:
        """Columns of a window."""
        return self.before + STEPS + self.after

    def forward(self, audio: Tensor, padded: bool = False) -> Tensor:
        """Return the windows of ``T`` frames.

        Args:
            audio: features ``[B, steps_per_frame * T, C]``. Zeros stand for the speech before and after: silence, whose
                cepstral coefficients are zero but for the first.
            padded: whether ``frames_before`` frames before the first and ``frames_after`` after the last are included.
        """
        if not padded:
            audio = functional.pad(audio, (0, 0, self.frames_before * self.steps, self.frames_after * self.steps))
        rows = self.project(audio[..., self.first :]).repeat_interleave(STEPS // self.steps, dim=1)
        start = self.frames_before * STEPS - self.before
        end = rows.shape[1] - (self.frames_after * STEPS - self.after)
        return rows[:, start:end].unfold(1, self.width, STEPS)
