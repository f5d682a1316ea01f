"""From speech to motion in one step of fixed shapes: what is written as ONNX."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import HeadmotionError
from ..core.interfaces.capabilities import SupportsFixedShapes, lacking
from ..pipeline.pipeline import Pipeline

UNKNOWN = 1 << 40
"""Frames, more than any speech has: its end where that is not known yet."""


class SpeechStep(nn.Module):
    """A pipeline's audio encoder and generator, in chunks of ``frames`` frames.

    The encoder's steps come later than the samples; the generator is told by how many frames, rounded up.

    Raises:
        HeadmotionError: the generator or the encoder has no stream of fixed shapes.
    """

    def __init__(self, pipeline: Pipeline, frames: int) -> None:
        super().__init__()
        parts = copy.deepcopy(pipeline).cpu()
        if not isinstance(parts.generator, SupportsFixedShapes):
            raise lacking(parts.generator, SupportsFixedShapes, "the export as a step")
        self.encoder, self.steps = parts.audio_encoder, parts.spec.steps_per_frame
        self.frames, self.samples = frames, frames * self.steps * self.encoder.hop
        self._heard_silence, missing = self._settled()
        lag = -(-missing // self.steps)
        self._waiting = lag * self.steps - missing
        self.chunks = parts.generator.fixed_shape_stream(frames, lag)

    def init_state(self, reference: Tensor, seed: int) -> dict[str, Tensor]:
        """State by name of a stream that continues the reference ``[R, P, D]`` of the unit frame."""
        state = {
            "chunk": torch.zeros(1, dtype=torch.int64),
            "encoder": self._heard_silence,
            "features": torch.zeros(1, self._waiting, self.encoder.channels),
        }
        return state | self.chunks.init_state(reference.unsqueeze(0), seed)

    @override
    def forward(self, wave: Tensor, end: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Samples ``[S]`` in; frames ``[n, P, D]``, how many of the first of them count ``[1]`` and the state out.

        ``end`` ``[1]`` is the number of frames of the whole speech, or negative while that is not known.
        """
        chunk, known = state["chunk"][0], torch.where(end[0] < 0, UNKNOWN, end[0])
        fresh, encoder = self.encoder.step(wave.unsqueeze(0), state["encoder"])
        heard = torch.cat([state["features"], fresh], dim=1)
        size = self.frames * self.steps
        motion, ahead = self.chunks(heard[:, :size], chunk, known, state)
        first = self.frames * chunk - self.chunks.delay
        skipped = (-first).clamp(0, self.frames)
        count = torch.minimum(first + self.frames, known) - first - skipped
        order = (torch.arange(self.frames) + skipped).clamp(max=self.frames - 1)
        ahead = {"chunk": state["chunk"] + 1, "encoder": encoder, "features": heard[:, size:]} | ahead
        return motion[0].index_select(0, order), count.clamp(min=0).reshape(1), ahead

    def _settled(self) -> tuple[Tensor, int]:
        """The encoder's state after silence, whose shape then stays, and the steps by which its output is late."""
        silence, wanted = torch.zeros(1, self.samples), self.frames * self.steps
        with torch.no_grad():
            first, once = self.encoder.step(silence, self.encoder.init_state(1))
            again, twice = self.encoder.step(silence, once)
        fixed = isinstance(once, Tensor) and isinstance(twice, Tensor) and once.shape == twice.shape
        if not fixed or again.shape[1] != wanted or first.shape[1] > wanted:
            name = type(self.encoder.spec).type_name()
            raise HeadmotionError("export", "an audio encoder whose state keeps its shape", repr(name))
        return once, wanted - first.shape[1]
