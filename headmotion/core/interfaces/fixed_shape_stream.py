"""FixedShapeStream: a generator's stream in chunks of one size, in which every tensor keeps its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from typing_extensions import override


class FixedShapeStream(nn.Module, ABC):
    """A generator's stream as a fixed graph: the same shapes in every chunk, including the first and the last.

    Chunk ``k`` of ``n`` frames takes the audio features from frame ``n * k - lag`` on and returns motion from frame
    ``n * k - delay`` on. Features of frames before 0 or from ``end`` on are undefined and must have no effect. Motion
    there is undefined too and leaves the state as it is. All other frames are those of `Generator.forward`.
    """

    delay: int
    """Frames by which motion lies before the chunk it is returned with; at least the ``lag`` of the features."""

    @abstractmethod
    def init_state(self, reference: Tensor, seed: int = 0) -> dict[str, Tensor]:
        """Return the state of a stream that continues the reference ``[1, R, P, D]``.

        All its tensors are floating-point and keep their shapes.
        """

    @abstractmethod
    @override
    def forward(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Process one chunk.

        Args:
            audio: features ``[1, steps_per_frame * n, C]``.
            chunk: number ``k`` of the chunk, int64 ``[]``.
            end: number of frames of the whole speech, int64 ``[]``; any large number while it is unknown.
            state: what `init_state` or the previous chunk returned.

        Returns:
            Motion ``[1, n, P, D]`` and the new state.
        """
