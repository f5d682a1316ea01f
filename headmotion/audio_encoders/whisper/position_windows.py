"""Windows of positions: Whisper has positions for 30 seconds, and speech may last for hours."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .network import POSITIONS

PERIOD = POSITIONS // 2
"""Steps from the start of a window to that of the next. A window is twice as long, so the even windows follow one
another without a gap, and so do the odd ones."""


@dataclass(frozen=True)
class PositionWindows:
    """Window ``w`` gives the steps from ``750 w`` to ``750 w + 1499`` the positions 0 to 1499.

    Within a window, steps see one another. Every step lies in two windows and is owned by the one that its output comes
    from. Ownership changes at fixed steps, so that a stream and the complete recording agree.
    """

    warm_up: int
    """Steps of a window before the first one that it owns; at most 750. The first window owns these too."""

    def owned(self, window: int) -> range:
        """Return the steps that a window owns."""
        return range(PERIOD * window + (self.warm_up if window else 0), PERIOD * (window + 1) + self.warm_up)

    def between(self, first: int, stop: int) -> range:
        """Return the windows that own steps of a range, or need the last of them to warm up."""
        return range(max(0, first - self.warm_up) // PERIOD, max(0, stop - 1) // PERIOD + 1)

    def owner(self, step: Tensor) -> Tensor:
        """Return the windows that own steps."""
        return (step - self.warm_up).clamp(min=0) // PERIOD

    @staticmethod
    def position(step: Tensor, parity: int) -> Tensor:
        """Return the positions of steps, from -750 on, in the even windows (``parity`` 0) or the odd ones (1)."""
        return _after_a_start(step, parity) % POSITIONS

    @staticmethod
    def window(step: Tensor, parity: int) -> Tensor:
        """Return a number for each step that is the same within a window; steps and parity as in `position`."""
        return _after_a_start(step, parity) // POSITIONS


def _after_a_start(step: Tensor, parity: int) -> Tensor:
    # Never negative, because ONNX rounds negative quotients toward zero.
    return step + (2 * POSITIONS - PERIOD * parity)
