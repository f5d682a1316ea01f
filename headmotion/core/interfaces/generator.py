"""Generator: audio features become motion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from ..component import Component


class Generator(Component):
    """Motion in the unit frame from audio features, at ``steps_per_frame`` steps per motion frame.

    ``motion[0]`` belongs to the first ``steps_per_frame`` audio steps; the reference is not emitted. Noise comes from
    an explicit seed. What a generator can do beyond this, streaming above all, is declared by the protocols in
    `headmotion.core.interfaces.capabilities`.
    """

    context_frames: int
    """Frames of the reference that are used; fewer are repeated in front."""

    @abstractmethod
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Reference ``[B, R, P, D]`` (R >= 1) and audio ``[B, 4*T, C]`` to motion ``[B, T, P, D]``."""
