"""Generator: audio features become motion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from ..component import Component


class Generator(Component):
    """Motion in the unit frame from audio features, at ``steps_per_frame`` steps per motion frame.

    ``motion[0]`` belongs to the first ``steps_per_frame`` audio steps; the reference is not part of the motion. A
    generator uses ``steps_per_frame`` of its `BuildContext` or refuses at build time. Noise comes from an explicit
    seed. Whatever a generator can do beyond this, such as streaming, is declared by the protocols in
    `headmotion.core.interfaces.capabilities`.
    """

    context_frames: int
    """Frames of the reference that are used. A shorter reference is repeated in front."""
    closes_parted_lips: bool = False
    """Whether lips that are apart in the reference, as in a smile, meet in speech; otherwise a warning says so."""

    @abstractmethod
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        """Generate motion ``[B, T, P, D]``.

        Args:
            reference: poses ``[B, R, P, D]`` before the first frame, R >= 1, in the unit frame.
            audio: features ``[B, A, C]`` with ``A = steps_per_frame * T``.
            seed: an int seeds sample ``b`` with ``seed + b``; a sequence holds a seed per sample.
        """
