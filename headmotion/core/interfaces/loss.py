"""Loss: what training minimizes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from .sample import Sample, Track


class Loss(Component):
    """Named terms, each already weighted; the trainer adds and logs them.

    A loss may have parameters of its own. Those that require gradients need an objective, `SupportsObjective`; training
    refuses a loss whose parameters nothing trains.
    """

    needs: frozenset[Track] = frozenset({"motion"})
    """Tracks that it looks at; a phase whose corpus lacks one is refused before the first step."""
    audio_context: tuple[int, int] = (0, 0)
    """Frames before and after a frame whose features it looks at. Training reads so much more of the speech, where a
    clip has it; `Sample.audio_around` returns it."""

    @abstractmethod
    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        """Return scalar terms by name.

        Args:
            real: recorded clips.
            generated: the same clips, with what is trained in the place of what was recorded.
            step: number of the step in its phase, from 0.
        """


@runtime_checkable
class SupportsObjective(Protocol):
    """A loss that learns, such as an estimator of mutual information: its parameters have an objective of their own.

    In each step the discriminators are updated first, then the losses by their objectives, then what is trained. While
    a loss guides, its parameters are frozen.
    """

    def objective(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        """Return the scalar terms that the loss's own parameters minimize, by name.

        Args:
            real: recorded clips. An asymmetric estimator uses these only.
            generated: the same clips as they are generated now, without a gradient.
            step: number of the step in its phase, from 0.
        """
        ...
