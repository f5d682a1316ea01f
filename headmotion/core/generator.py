"""Generator: audio features become motion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .component import Component


class Generator(Component):
    """Motion in the unit frame from audio features, at ``steps_per_frame`` steps per motion frame.

    Offline and streaming give the same frames: everything is local in time, and noise comes from an explicit seed.
    ``motion[0]`` belongs to the first ``steps_per_frame`` audio steps; the reference is not emitted.
    """

    context_frames: int
    """Frames of the reference that are used; fewer are repeated in front."""
    lookahead: int | None
    """Motion frames of audio beyond frame ``t`` that must be heard before frame ``t`` can be emitted.

    None: the whole clip.
    """

    @abstractmethod
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Reference ``[B, R, P, D]`` (R >= 1) and audio ``[B, 4*T, C]`` to motion ``[B, T, P, D]``."""

    @abstractmethod
    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> Any:
        """State of a stream that continues the reference ``[B, R, P, D]``."""

    @abstractmethod
    def step(self, audio: Tensor, state: Any, last: bool = False) -> tuple[Tensor, Any]:
        """Next audio steps ``[B, 4*t, C]`` in, the frames that are now determined ``[B, t', P, D]`` and the state out.

        With ``last`` the audio ends here and all remaining frames come out.
        """
