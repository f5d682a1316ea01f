"""Discriminator: a part that distinguishes real samples from generated ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from .sample import Sample, Track


class Discriminator(Component):
    """Scores of samples by named heads; a higher score means more like real ones."""

    needs: frozenset[Track] = frozenset({"motion"})
    """Tracks that it looks at; a phase whose corpus lacks one is refused before the first step."""
    audio_context: tuple[int, int] = (0, 0)
    """Frames before and after a frame whose features it looks at. Training reads so much more of the speech, where a
    clip has it; `Sample.audio_around` returns it."""

    @abstractmethod
    def forward(self, sample: Sample) -> Mapping[str, Tensor]:
        """Score the motion, or whatever else of a sample it needs.

        Args:
            sample: recorded or generated.

        Returns:
            Scores ``[n]`` by head name; none for a part that only predicts, such as a classifier, which a
            ``supervised`` phase trains.
        """


@runtime_checkable
class SupportsPrediction(Protocol):
    """A discriminator that also predicts something of a sample, such as the landmarks in its pictures (ATVGnet).

    Its terms are added to both updates: on recorded samples they train the discriminator, on generated ones what is
    trained against it.
    """

    def predictions(self, sample: Sample) -> Mapping[str, Tensor]:
        """Return the errors of its predictions, scalar terms by name, each already weighted.

        Args:
            sample: recorded or generated.
        """
        ...
