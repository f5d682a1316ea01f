"""FixedShapeStream: a generator's stream in chunks of one size, in which every tensor keeps its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from typing_extensions import override


class FixedShapeStream(nn.Module, ABC):
    """A generator's stream as a fixed graph: the same shapes in every chunk, the first and the last included.

    Chunk ``k`` of ``n`` frames takes the audio features of frames ``n * k - lag`` and on, and gives motion frames
    ``n * k - delay`` and on. Features of frames before 0 or from ``end`` on mean nothing and must not count; frames
    there mean nothing either, and leave the state as it is. Those between are those of `Generator.forward`.
    """

    delay: int
    """Frames by which motion comes later than the chunk it comes with; at least the ``lag`` of the features."""

    @abstractmethod
    def init_state(self, reference: Tensor, seed: int = 0) -> dict[str, Tensor]:
        """State by name of a stream that continues the reference ``[1, R, P, D]``; floating point, of fixed shapes."""

    @abstractmethod
    @override
    def forward(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One chunk.

        Args:
            audio: features ``[1, steps_per_frame * n, C]``.
            chunk: number ``k`` of the chunk, int64 ``[]``.
            end: frames of the whole speech, int64 ``[]``; any large number while that is not known.
            state: what `init_state` or the chunk before returned.

        Returns:
            Motion ``[1, n, P, D]`` and the new state.
        """
