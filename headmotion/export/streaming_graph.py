"""From speech to motion in one step of fixed shapes: the graph that is written as ONNX."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import HeadmotionError
from ..core.interfaces.audio_encoder import AudioEncoder, SupportsAudioStreaming, SupportsFixedShapeSteps
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
        self.encoder, self.steps_per_frame = parts.audio_encoder, parts.spec.steps_per_frame
        self.frames, self.samples = frames, frames * self.steps_per_frame * self.encoder.hop
        self._steps = _fixed_shape_steps(self.encoder, self.samples)
        missing_steps = self._steps.late_steps
        lag_frames = -(-missing_steps // self.steps_per_frame)
        self._delayed_steps = lag_frames * self.steps_per_frame - missing_steps
        self.stream = parts.generator.fixed_shape_stream(frames, lag_frames)

    def init_state(self, reference: Tensor, seed: int) -> dict[str, Tensor]:
        """Return the state by name of a stream that continues the reference ``[R, P, D]`` of the unit frame."""
        state = {
            "chunk": torch.zeros(1, dtype=torch.int64),
            "features": torch.zeros(1, self._delayed_steps, self.encoder.channels),
        }
        encoder = {f"encoder_{name}": value for name, value in self._steps.init_fixed_state().items()}
        return state | encoder | self.stream.init_state(reference.unsqueeze(0), seed)

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
        before = {name.removeprefix("encoder_"): state[name] for name in state if name.startswith("encoder_")}
        encoded, after = self._steps.fixed_step(wave.unsqueeze(0), before)
        features = torch.cat([state["features"], encoded], dim=1)
        size = self.frames * self.steps_per_frame
        motion, next_state = self.stream(features[:, :size], chunk, total, state)
        # The first chunks give frames from before the speech, which are moved behind the valid ones.
        first = self.frames * chunk - self.stream.delay
        skipped = (-first).clamp(0, self.frames)
        count = torch.minimum(first + self.frames, total) - first - skipped
        order = (torch.arange(self.frames) + skipped).clamp(max=self.frames - 1)
        next_state |= {"chunk": state["chunk"] + 1, "features": features[:, size:]}
        next_state |= {f"encoder_{name}": value for name, value in after.items()}
        return motion[0].index_select(0, order), count.clamp(min=0).reshape(1), next_state


def _fixed_shape_steps(encoder: AudioEncoder, samples: int) -> SupportsFixedShapeSteps:
    if isinstance(encoder, SupportsFixedShapeSteps):
        return encoder
    if not isinstance(encoder, SupportsAudioStreaming):
        name = f"audio encoder {encoder.spec.type_name()}"
        raise HeadmotionError(name, "SupportsAudioStreaming for the export as a step", "an encoder without it")
    return _AfterSilence(encoder, samples)


class _AfterSilence:
    """The stream of an encoder whose state is one tensor, of constant shape after the first chunk.

    Args:
        encoder: the encoder.
        samples: per chunk.
    """

    def __init__(self, encoder: SupportsAudioStreaming, samples: int) -> None:
        self._encoder, silence = encoder, torch.zeros(1, samples)
        with torch.no_grad():
            first, once = encoder.step(silence, encoder.init_state(1))
            second, twice = encoder.step(silence, once)
        fixed = isinstance(once, Tensor) and isinstance(twice, Tensor) and once.shape == twice.shape
        assert isinstance(encoder, AudioEncoder)
        if not fixed or second.shape[1] * encoder.hop != samples or first.shape[1] > second.shape[1]:
            name = type(encoder.spec).type_name()
            raise HeadmotionError("export", "an audio encoder whose state keeps its shape", repr(name))
        self._state, self.late_steps = once, second.shape[1] - first.shape[1]

    def init_fixed_state(self) -> dict[str, Tensor]:
        return {"state": self._state}

    def fixed_step(self, wave: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        features, after = self._encoder.step(wave, state["state"])
        return features, {"state": after}
