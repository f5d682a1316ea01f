"""From speech to motion in one step of fixed shapes: the graph that is written as ONNX."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import HeadmotionError
from ..core.interfaces.audio_encoder import SupportsAudioStreaming
from ..core.interfaces.capabilities import SupportsFixedShapes, lacking
from ..pipeline.pipeline import Pipeline

UNKNOWN_END = 1 << 40
"""Number of frames that stands for an end which is not known yet; no speech has as many."""


class StreamingGraph(nn.Module):
    """A pipeline's audio encoder and generator, in chunks of a fixed number of frames.

    The encoder's feature steps come later than the samples. That lag, rounded up to whole frames, is made constant by
    delaying features, and the generator's stream is built for it.

    Args:
        pipeline: its encoder and generator are copied to the CPU.
        frames: frames per chunk.

    Raises:
        HeadmotionError: the generator or the encoder has no stream of fixed shapes.
    """

    def __init__(self, pipeline: Pipeline, frames: int) -> None:
        super().__init__()
        # A copy, because modules are moved and rebuilt.
        parts = copy.deepcopy(pipeline).cpu()
        if not isinstance(parts.generator, SupportsFixedShapes):
            raise lacking(parts.generator, SupportsFixedShapes, "the export as a step")
        encoder = parts.audio_encoder
        if not isinstance(encoder, SupportsAudioStreaming):
            name = f"audio encoder {encoder.spec.type_name()}"
            raise HeadmotionError(name, "SupportsAudioStreaming for the export as a step", "an encoder without it")
        self.encoder, self.steps_per_frame = encoder, parts.spec.steps_per_frame
        self.frames, self.samples = frames, frames * self.steps_per_frame * encoder.hop
        self._silence_state, missing_steps = self._steady_state()
        lag_frames = -(-missing_steps // self.steps_per_frame)
        self._delayed_steps = lag_frames * self.steps_per_frame - missing_steps
        self.stream = parts.generator.fixed_shape_stream(frames, lag_frames)

    def init_state(self, reference: Tensor, seed: int) -> dict[str, Tensor]:
        """Return the state by name of a stream that continues the reference ``[R, P, D]`` of the unit frame."""
        state = {
            "chunk": torch.zeros(1, dtype=torch.int64),
            "encoder": self._silence_state,
            "features": torch.zeros(1, self._delayed_steps, self.encoder.channels),
        }
        return state | self.stream.init_state(reference.unsqueeze(0), seed)

    @override
    def forward(self, wave: Tensor, end: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Process one chunk.

        Args:
            wave: samples ``[S]`` of the chunk.
            end: number of frames of the whole speech, ``[1]``; negative while that is not known.
            state: tensors by name.

        Returns:
            Frames ``[n, P, D]`` of the unit frame; how many of them are valid, from the first on, ``[1]``; and the next
            state.
        """
        chunk, total = state["chunk"][0], torch.where(end[0] < 0, UNKNOWN_END, end[0])
        encoded, encoder = self.encoder.step(wave.unsqueeze(0), state["encoder"])
        features = torch.cat([state["features"], encoded], dim=1)
        size = self.frames * self.steps_per_frame
        motion, next_state = self.stream(features[:, :size], chunk, total, state)
        # The first chunks give frames from before the speech, which are moved behind the valid ones.
        first = self.frames * chunk - self.stream.delay
        skipped = (-first).clamp(0, self.frames)
        count = torch.minimum(first + self.frames, total) - first - skipped
        order = (torch.arange(self.frames) + skipped).clamp(max=self.frames - 1)
        next_state = {"chunk": state["chunk"] + 1, "encoder": encoder, "features": features[:, size:]} | next_state
        return motion[0].index_select(0, order), count.clamp(min=0).reshape(1), next_state

    def _steady_state(self) -> tuple[Tensor, int]:
        """Return the encoder's state after silence, and the number of steps by which its output is late.

        The state's shape is constant only after the first chunk.
        """
        silence, steps = torch.zeros(1, self.samples), self.frames * self.steps_per_frame
        with torch.no_grad():
            first, once = self.encoder.step(silence, self.encoder.init_state(1))
            second, twice = self.encoder.step(silence, once)
        fixed = isinstance(once, Tensor) and isinstance(twice, Tensor) and once.shape == twice.shape
        if not fixed or second.shape[1] != steps or first.shape[1] > steps:
            name = type(self.encoder.spec).type_name()
            raise HeadmotionError("export", "an audio encoder whose state keeps its shape", repr(name))
        return once, steps - first.shape[1]
