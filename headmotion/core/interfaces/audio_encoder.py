"""AudioEncoder: a wave becomes feature steps at an exact rate."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from ..component import Component


class AudioEncoder(Component):
    """Feature steps of a mono wave. Step ``i`` describes the wave around sample ``i * hop``; zeros follow the end.

    An encoder must not use a statistic of the whole utterance, which would break streaming.
    """

    sample_rate: int
    """Samples per second that the encoder expects (Hz)."""
    hop: int
    """Samples per step."""
    channels: int
    """Numbers per step, ``C``."""
    look_back: int
    """Samples before ``i * hop`` that step ``i`` depends on."""
    look_ahead: int
    """Samples from ``i * hop`` on that step ``i`` depends on."""

    @abstractmethod
    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        """Encode waves ``[B, S]`` in -1..1 as features ``[B, A, C]``.

        Args:
            wave: samples at ``sample_rate``.
            steps: number of steps ``A``; None means ``S // hop``.
        """

    @abstractmethod
    def init_state(self, batch: int = 1) -> Tensor:
        """Return the state of a stream without samples."""

    @abstractmethod
    def step(self, wave: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Take the next samples ``[B, s]``; return all steps that are now complete ``[B, a, C]`` and the new state."""
