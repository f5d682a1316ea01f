"""The generator of MS-Sync: autoregressive velocities from masked branches, one per audio level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.component import seeded_uniform
from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from ..core.interfaces.generator import Generator
from ..core.interfaces.specs import BuildContext
from .audio_pyramid import AudioPyramid, AudioState
from .blocks import grouped_stack, pose_encoder
from .specs import MSSyncGeneratorSpec

OFFSET_GAIN = 20.0
"""Factor of offsets from the reference as an input: they are hundredths of the unit frame, the pose itself is not."""
MAX_ENCODER_SIZE = 1024
"""Limit of a pose encoder's default width: twice the numbers of a large mesh would cost more than all the rest."""


class Branches(nn.Module):
    """One velocity branch per audio level, merged by masks over points. Source: MS-Sync, eq. 8.

    ``v = sum_l m_l * v_l``; a mask ``m_l`` in 0..1 holds for all numbers of a point, and by softmax they sum to one.
    """

    def __init__(self, spec: MSSyncGeneratorSpec, points: int, dims: int, shared_size: int) -> None:
        super().__init__()
        groups, flat = spec.levels, points * dims
        width = spec.branch_size or 2 * flat
        self.points, self.dims, self.merge = points, dims, spec.merge
        self.scale = spec.velocity_scale
        self.trunk = grouped_stack(groups, shared_size + spec.audio_size, width, 3, spec.expansion)
        self.leaf = grouped_stack(groups, width, flat, 1, spec.expansion)
        self.mask = grouped_stack(groups, width, points, 1, spec.expansion)

    @override
    def forward(self, shared: Tensor, audio: Tensor) -> Tensor:
        """Return flat velocities ``[B, F]`` from inputs ``[B, n]`` of all branches and audio vectors ``[L, B, D]``."""
        velocities, masks = self.components(torch.cat([shared.expand(len(audio), -1, -1), audio], dim=-1))
        return (velocities * masks.unsqueeze(-1)).sum(0).flatten(1)

    def components(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return velocities ``[L, B, P, D]`` and masks ``[L, B, P]`` of each branch from its inputs ``[L, B, n]``."""
        inner = self.trunk(inputs)
        velocities = self.scale * self.leaf(inner).reshape(*inner.shape[:2], self.points, self.dims)
        masks = self.mask(inner)
        return velocities, masks.softmax(0) if self.merge == "softmax" else masks.sigmoid()


@dataclass(frozen=True)
class GeneratorState:
    """Position of a stream."""

    audio: AudioState | Tensor
    """State of the audio pyramid, or all features so far where it needs the whole clip."""
    hidden: Tensor
    """Hidden state of the LSTM, ``[B, H]``."""
    cell: Tensor
    """Cell state of the LSTM, ``[B, H]``."""
    pose: Tensor
    """Last flat pose, ``[B, F]``."""
    anchor: Tensor
    """Flat reference pose that the stream started from, ``[B, F]``."""


class MSSyncGenerator(Generator):
    """``x[t+1] = x[t] + G(x[1..t], a)``, free running. Source: MS-Sync, eqs. 6 to 8.

    Frame ``t`` uses the audio vectors of frame ``t`` itself: the reference is the frame before the first.
    """

    def __init__(self, spec: MSSyncGeneratorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        points, dims = context.representation.points, context.representation.dims
        flat = points * dims
        inputs = 2 * flat if spec.anchor else flat
        encoder_size = spec.encoder_size or min(2 * flat, MAX_ENCODER_SIZE)
        self.context_frames = spec.context_frames
        self.anchor, self.random_state = spec.anchor, spec.initial_state == "random"
        self.shape = (points, dims)
        self.audio = AudioPyramid(spec, context.audio_channels, context.steps_per_frame)
        self.encoder = pose_encoder(inputs, encoder_size, spec.pose_size, spec.expansion)
        self.lstm_audio_size = spec.audio_size if spec.lstm_input == "pose-and-audio" else 0
        self.lstm = nn.LSTMCell(spec.pose_size + self.lstm_audio_size, spec.hidden_size)
        self.branches = Branches(spec, points, dims, spec.hidden_size + spec.pose_size)
        self.lookahead = self.audio.lookahead

    @override
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        return self._rollout(self.audio(audio), self._warm_up(reference, seed, audio[:, :0]))[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> GeneratorState:
        """Return the state of a stream that continues the reference ``[B, R, P, D]``."""
        batch = len(reference)
        no_audio = reference.new_zeros(batch, 0, self.audio.channels)
        audio = no_audio if self.lookahead is None else self.audio.init_state(batch)
        return self._warm_up(reference, seed, audio)

    def step(self, audio: Tensor, state: GeneratorState, last: bool = False) -> tuple[Tensor, GeneratorState]:
        """Process the next features of a stream.

        Args:
            audio: ``[B, steps_per_frame * t, C]``.
            state: from `init_state` or the previous call.
            last: whether the audio ends here.

        Returns:
            The frames that are now determined, ``[B, t', P, D]``, and the new state.
        """
        if isinstance(state.audio, Tensor):
            return self._step_offline(torch.cat([state.audio, audio], dim=1), state, last)
        vectors, audio_state = self.audio.step(audio, state.audio, last)
        return self._rollout(vectors, replace(state, audio=audio_state))

    def step_streams(
        self, audio: Sequence[Tensor], states: Sequence[GeneratorState], last: Sequence[bool]
    ) -> list[tuple[Tensor, GeneratorState]]:
        """Return what `step` returns for each of several streams of batch 1; see `SupportsPooling`."""
        if self.lookahead is None:  # the pyramid depends on the clip's length
            return [self.step(*arguments) for arguments in zip(audio, states, last, strict=True)]
        from .pooled_streams import step_streams

        return step_streams(self, audio, states, last)

    def fixed_shape_stream(self, frames: int, lag: int) -> FixedShapeStream:
        """Return the stream in chunks of ``frames`` frames; see `SupportsFixedShapes`.

        Raises:
            SpecError: a pyramid that needs the whole clip, or chunks that its levels do not divide.
        """
        from .onnx_step import MSSyncOnnxStep

        return MSSyncOnnxStep(self, frames, lag)

    def _step_offline(self, audio: Tensor, state: GeneratorState, last: bool) -> tuple[Tensor, GeneratorState]:
        """Collect the features until the audio ends, because the pyramid depends on the clip's length."""
        no_vectors = audio.new_zeros(0, 1, len(audio), 0)
        vectors = self.audio(audio) if last and audio.shape[1] else no_vectors
        return self._rollout(vectors, replace(state, audio=audio))

    def _warm_up(self, reference: Tensor, seed: int | Sequence[int], audio: AudioState | Tensor) -> GeneratorState:
        """Feed the reference frames to the LSTM, all but the last, which the first generated frame follows."""
        frames = _repeat_front(reference[:, -self.context_frames :], self.context_frames).flatten(2)
        batch, size = len(frames), self.lstm.hidden_size
        start = frames.new_zeros(batch, 2 * size)
        if self.random_state:
            start = seeded_uniform(seed, batch, 2 * size).to(frames)
        hidden, cell = start[:, :size], start[:, size:]
        anchor = frames[:, -1]
        no_audio = frames.new_zeros(batch, self.lstm_audio_size)  # that of the reference is not known
        for pose in frames[:, :-1].unbind(1):
            hidden, cell = self.lstm(torch.cat([self._embed(pose, anchor), no_audio], dim=-1), (hidden, cell))
        return GeneratorState(audio, hidden, cell, anchor, anchor)

    def _rollout(self, vectors: Tensor, state: GeneratorState) -> tuple[Tensor, GeneratorState]:
        """Generate one frame per audio vector ``[t, L, B, D]``."""
        hidden, cell, pose = state.hidden, state.cell, state.pose
        frames = []
        for vector in vectors.unbind(0):
            hidden, cell, pose = self.advance(vector, hidden, cell, pose, state.anchor)
            frames.append(pose)
        motion = torch.stack(frames, 1) if frames else pose.new_zeros(len(pose), 0, pose.shape[1])
        return motion.reshape(*motion.shape[:2], *self.shape), replace(state, hidden=hidden, cell=cell, pose=pose)

    def advance(
        self, vector: Tensor, hidden: Tensor, cell: Tensor, pose: Tensor, anchor: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Generate one frame.

        Args:
            vector: audio vectors of the frame, ``[L, B, D]``.
            hidden: of the LSTM, ``[B, H]``.
            cell: of the LSTM, ``[B, H]``.
            pose: the frame before, flat, ``[B, F]``.
            anchor: the reference, flat, ``[B, F]``.

        Returns:
            The new hidden state, cell state and pose.
        """
        embedded = self._embed(pose, anchor)
        inputs = torch.cat([embedded, vector[0]], dim=-1) if self.lstm_audio_size else embedded
        hidden, cell = self.lstm(inputs, (hidden, cell))
        moved = pose + self.branches(torch.cat([hidden, embedded], dim=-1), vector)
        return hidden, cell, torch.sub(moved, pose - anchor, alpha=self.anchor) if self.anchor else moved

    def _embed(self, pose: Tensor, anchor: Tensor) -> Tensor:
        inputs = torch.cat([OFFSET_GAIN * (pose - anchor), anchor], dim=-1) if self.anchor else pose
        embedded: Tensor = self.encoder(inputs)
        return embedded


def _repeat_front(frames: Tensor, count: int) -> Tensor:
    """Return ``[B, R, ...]`` with the first frame repeated in front until there are ``count``."""
    missing = count - frames.shape[1]
    return frames if missing <= 0 else torch.cat([frames[:, :1].expand(-1, missing, *frames.shape[2:]), frames], dim=1)
