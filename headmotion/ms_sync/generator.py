"""The generator of MS-Sync: autoregressive velocities from masked branches, one per audio level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.component import seeded_uniform
from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from ..core.interfaces.generator import Generator
from ..core.interfaces.specs import BuildContext
from .audio_precompute import ROWS, Heard, hear, opened, worth_hearing
from .audio_pyramid import AudioPyramid, AudioState
from .batched_weight_grads import deferring
from .blocks import GroupedBlock, along_longer, grouped_stack, pose_encoder
from .specs import MSSyncGeneratorSpec

Velocity = Callable[[Tensor], Tensor]
OFFSET_GAIN = 20.0
"""Offsets from the reference are hundredths of the unit frame; as an input they count as much as the pose itself."""
WIDEST = 1024
"""Of pose encoders whose width is not given: for a large mesh twice its numbers would cost more than all the rest."""


class Branches(nn.Module):
    """One velocity branch per audio level, merged by masks over points. Source: MS-Sync, eq. 8.

    ``v = sum_l m_l * v_l``; the masks ``m_l`` in 0..1 hold for all numbers of a point and, by softmax, sum to one.
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

    @property
    def opening(self) -> GroupedBlock:
        """The first block, which reads the audio."""
        return cast(GroupedBlock, self.trunk[0])

    def ahead(self, vectors: Tensor) -> Iterator[Velocity]:
        """What is known of each frame before its pose is, from audio vectors ``[T, L, B, D]``: how it will move.

        Each gives the flat velocities ``[B, F]`` for a shared input ``[B, n]``.
        """
        moving = deferring(self)
        if not worth_hearing(self.opening, vectors.shape[-1]):
            yield from (partial(moving._together, audio=audio) for audio in vectors.unbind(0))
            return
        most = max(1, ROWS // vectors.shape[2])
        for first in range(0, len(vectors), most):
            some = vectors[first : first + most]
            yield from (partial(moving._heard, heard=each) for each in hear(self.opening, some))

    def _together(self, shared: Tensor, audio: Tensor) -> Tensor:
        velocity: Tensor = self(self.opening(torch.cat([shared.expand(len(audio), -1, -1), audio], dim=-1)))
        return velocity

    def _heard(self, shared: Tensor, heard: Heard) -> Tensor:
        velocity: Tensor = self(opened(self.opening, shared, heard))
        return velocity

    @override
    def forward(self, inner: Tensor) -> Tensor:
        """What the opening block gives ``[L, B, n]`` to flat velocities ``[B, F]``."""
        velocities, masks = self.parts(inner)
        return (velocities * masks.unsqueeze(-1)).sum(0).flatten(1)

    def parts(self, inner: Tensor) -> tuple[Tensor, Tensor]:
        """Velocities ``[L, B, P, D]`` and masks ``[L, B, P]`` of each branch."""
        for layer in islice(self.trunk, 1, None):  # a slice would make a module anew at each frame
            inner = layer(inner)
        velocities = self.scale * self.leaf(inner).reshape(*inner.shape[:2], self.points, self.dims)
        masks = self.mask(inner)
        return velocities, masks.softmax(0) if self.merge == "softmax" else masks.sigmoid()


@dataclass(frozen=True)
class GeneratorState:
    """Where a stream stands: the audio's state, the LSTM's, the flat pose and the reference it started from."""

    audio: AudioState | Tensor
    hidden: Tensor
    cell: Tensor
    pose: Tensor
    anchor: Tensor


class MSSyncGenerator(Generator):
    """``x[t+1] = x[t] + G(x[1..t], a)``, free running. Source: MS-Sync, eqs. 6 to 8.

    Frame ``t`` uses the audio vectors of frame ``t`` itself: the reference stands for the frame before the first.
    """

    def __init__(self, spec: MSSyncGeneratorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        points, dims = context.representation.points, context.representation.dims
        flat = points * dims
        inputs = 2 * flat if spec.anchor else flat
        self.context_frames = spec.context_frames
        self.anchor, self.random_state = spec.anchor, spec.initial_state == "random"
        self.shape = (points, dims)
        self.audio = AudioPyramid(spec, context.audio_channels, context.steps_per_frame)
        self.encoder = pose_encoder(inputs, spec.encoder_size or min(2 * flat, WIDEST), spec.pose_size, spec.expansion)
        self.heard_size = spec.audio_size if spec.lstm_input == "pose-and-audio" else 0
        self.lstm = nn.LSTMCell(spec.pose_size + self.heard_size, spec.hidden_size)
        for weight in (*self.encoder.parameters(), *self.lstm.parameters()):
            if weight.dim() == 2:
                weight.data = along_longer(weight.data)
        self.branches = Branches(spec, points, dims, spec.hidden_size + spec.pose_size)
        self.lookahead = self.audio.lookahead

    @override
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        return self._roll(self.audio(audio), self._warmed(reference, seed, audio[:, :0]))[0]

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> GeneratorState:
        """State of a stream that continues the reference ``[B, R, P, D]``."""
        batch = len(reference)
        whole = reference.new_zeros(batch, 0, self.audio.channels)
        audio = whole if self.lookahead is None else self.audio.init_state(batch)
        return self._warmed(reference, seed, audio)

    def step(self, audio: Tensor, state: GeneratorState, last: bool = False) -> tuple[Tensor, GeneratorState]:
        """Next audio steps ``[B, 4*t, C]`` in, the frames that are now determined ``[B, t', P, D]`` and the state."""
        if isinstance(state.audio, Tensor):
            return self._step_whole(torch.cat([state.audio, audio], dim=1), state, last)
        vectors, heard = self.audio.step(audio, state.audio, last)
        return self._roll(vectors, GeneratorState(heard, state.hidden, state.cell, state.pose, state.anchor))

    def fixed_shape_stream(self, frames: int, lag: int) -> FixedShapeStream:
        """The stream in chunks of one size, as `SupportsFixedShapes` wants it.

        Raises:
            SpecError: a pyramid that needs the whole clip, or chunks that its levels do not divide.
        """
        from .onnx_step import MSSyncOnnxStep

        return MSSyncOnnxStep(self, frames, lag)

    def _step_whole(self, heard: Tensor, state: GeneratorState, last: bool) -> tuple[Tensor, GeneratorState]:
        """A pyramid that depends on the clip's length cannot start before the audio has ended."""
        kept = GeneratorState(heard, state.hidden, state.cell, state.pose, state.anchor)
        none = heard.new_zeros(0, 1, len(heard), 0)
        vectors = self.audio(heard) if last and heard.shape[1] else none
        return self._roll(vectors, kept)

    def _warmed(self, reference: Tensor, seed: int | Sequence[int], audio: AudioState | Tensor) -> GeneratorState:
        frames = repeat_front(reference[:, -self.context_frames :], self.context_frames).flatten(2)
        batch, size = len(frames), self.lstm.hidden_size
        start = frames.new_zeros(batch, 2 * size)
        if self.random_state:
            start = seeded_uniform(seed, batch, 2 * size).to(frames)
        hidden, cell = start[:, :size], start[:, size:]
        anchor = frames[:, -1]
        silence = frames.new_zeros(batch, self.heard_size)  # the sound of the reference is not known
        for pose in frames[:, :-1].unbind(1):
            hidden, cell = self.lstm(torch.cat([self._embedded(pose, anchor), silence], dim=-1), (hidden, cell))
        return GeneratorState(audio, hidden, cell, anchor, anchor)

    def _roll(self, vectors: Tensor, state: GeneratorState) -> tuple[Tensor, GeneratorState]:
        """One frame per audio vector ``[t, L, B, D]``."""
        hidden, cell, pose = state.hidden, state.cell, state.pose
        frames = []
        for vector, velocity in zip(vectors.unbind(0), self.branches.ahead(vectors), strict=True):
            hidden, cell, pose = self.advance(vector, velocity, hidden, cell, pose, state.anchor)
            frames.append(pose)
        motion = torch.stack(frames, 1) if frames else pose.new_zeros(len(pose), 0, pose.shape[1])
        return motion.reshape(*motion.shape[:2], *self.shape), GeneratorState(
            state.audio, hidden, cell, pose, state.anchor
        )

    def advance(
        self, vector: Tensor, velocity: Velocity, hidden: Tensor, cell: Tensor, pose: Tensor, anchor: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Generate one frame.

        Args:
            vector: audio vectors ``[L, B, D]`` of the frame.
            velocity: what the branches computed ahead from them; see `Branches.ahead`.
            hidden: hidden state of the LSTM.
            cell: cell state of the LSTM.
            pose: flat pose of the frame before.
            anchor: flat reference pose.

        Returns:
            The LSTM's new state and the pose.
        """
        embedded = self._embedded(pose, anchor)
        inputs = torch.cat([embedded, vector[0]], dim=-1) if self.heard_size else embedded
        hidden, cell = self.lstm(inputs, (hidden, cell))
        moved = pose + velocity(torch.cat([hidden, embedded], dim=-1))
        return hidden, cell, torch.sub(moved, pose - anchor, alpha=self.anchor) if self.anchor else moved

    def _embedded(self, pose: Tensor, anchor: Tensor) -> Tensor:
        inputs = torch.cat([OFFSET_GAIN * (pose - anchor), anchor], dim=-1) if self.anchor else pose
        embedded: Tensor = self.encoder(inputs)
        return embedded


def repeat_front(frames: Tensor, count: int) -> Tensor:
    """``[B, R, ...]`` with the first frame repeated in front until there are ``count``."""
    missing = count - frames.shape[1]
    return frames if missing <= 0 else torch.cat([frames[:, :1].expand(-1, missing, *frames.shape[2:]), frames], dim=1)
