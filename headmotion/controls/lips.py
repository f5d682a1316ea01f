"""How much the lips move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from .control import FrameControl, Setting, in_range
from .mouth import Mouth


@dataclass(frozen=True)
class ScaleLips(FrameControl):
    """More or less lip and jaw motion, relative to the reference and around wherever the head is."""

    gain: float
    """0 keeps the lips as in the reference, 1 changes nothing, 1.2 articulates a fifth more."""

    def __post_init__(self) -> None:
        in_range("scale_lips", "gain", self.gain, 0, 10)

    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """Scale the lips and jaw of each frame."""
        mouth = Mouth(setting, "scale_lips")
        return lambda frames: frames if self.gain == 1 else mouth.scale(frames, self.gain)
