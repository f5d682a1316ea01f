"""MS-Sync's stream as a fixed graph, for ONNX: every chunk has the same shapes.

In a stream the sequences that are carried from chunk to chunk grow at the start and shrink at the end. Here they have
their final length from the first chunk on, filled with zeros, and positions outside the speech are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from .audio_pyramid import AudioPyramid, conv_blocks
from .blocks import ConvBlock

if TYPE_CHECKING:
    from .generator import MSSyncGenerator


@dataclass(frozen=True)
class ChunkedSequence:
    """A sequence of which every chunk brings some items: chunk ``k`` those from ``count * k - lag`` on."""

    count: int
    """Items per chunk."""
    lag: int
    """Items by which a chunk starts before its share of the sequence."""
    stride: int
    """Feature steps per item."""
    steps_per_frame: int
    """Feature steps per motion frame."""

    def through(self, block: ConvBlock) -> ChunkedSequence:
        """Return the sequence that a block makes of this one."""
        lag = -(-(self.lag + 1 + block.lookahead) // block.stride) - 1
        return ChunkedSequence(self.count // block.stride, lag, self.stride * block.stride, self.steps_per_frame)

    def state_size(self, block: ConvBlock) -> int:
        """Return the number of items that the block keeps from one chunk to the next."""
        return block.stride * self.through(block).lag + block.lookback - self.lag

    def mask(self, items: Tensor, chunk: Tensor, end: Tensor) -> Tensor:
        """Return items ``[..., count]`` with zeros outside the speech of ``end`` frames."""
        index = self.count * chunk - self.lag + torch.arange(self.count, device=chunk.device)
        length = (self.steps_per_frame * end + self.stride - 1) // self.stride
        return torch.where((index >= 0) & (index < length), items, items.new_zeros(()))


class ChunkedPyramid:
    """`AudioPyramid.step` in fixed shapes, for one clip.

    Args:
        pyramid: the audio pyramid.
        frames: motion frames per chunk.
        lag: frames by which the features of a chunk lie before its number.
    """

    def __init__(self, pyramid: AudioPyramid, frames: int, lag: int) -> None:
        self.pyramid, self.frames = pyramid, frames
        self.blocks = conv_blocks([*pyramid.front, *pyramid.coarser])
        steps = pyramid.steps_per_frame
        self.sequences = [ChunkedSequence(steps * frames, steps * lag, 1, steps)]
        for block in self.blocks:
            self.sequences.append(self.sequences[-1].through(block))
        self.levels = self.sequences[len(pyramid.front) :]
        self.causal = int(pyramid.interpolation == "causal")
        # With n vectors, level l determines frames up to 2**l * n - 1 (causal), or up to its last vector (linear).
        self.delay: int = max(
            2**level * (sequence.lag + 1 - self.causal) - (1 - self.causal)
            for level, sequence in enumerate(self.levels)
        )

    def init_state(self) -> dict[str, Tensor]:
        """Return the zeros before the first step, ``[1, D, n]`` per block and level."""
        zeros = self.blocks[0].depthwise.weight.new_zeros
        state = {
            f"block_{k}": zeros(1, block.depthwise.in_channels, self.sequences[k].state_size(block))
            for k, block in enumerate(self.blocks)
        }
        size = self.blocks[-1].project.out_features
        return state | {f"level_{k}": zeros(1, size, self._carried_vectors(k)) for k in range(len(self.levels))}

    def step(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Process one chunk.

        Args:
            audio: features ``[1, steps_per_frame * n, C]``.
            chunk: its number, int64 ``[]``.
            end: frames of the whole speech, int64 ``[]``.
            state: what `init_state` or the chunk before returned.

        Returns:
            Vectors ``[n, L, 1, D]`` of frames from ``n * chunk - delay`` on, and the new state.
        """
        new_state: dict[str, Tensor] = {}
        vectors: list[Tensor] = []
        outputs = self.sequences[0].mask(self.pyramid.scale(audio.transpose(1, 2)), chunk, end)
        for k, block in enumerate(self.blocks):
            outputs, new_state[f"block_{k}"] = block.stream(outputs, state[f"block_{k}"])
            outputs = self.sequences[k + 1].mask(outputs, chunk, end)
            if (level := k + 1 - len(self.pyramid.front)) >= 0:
                available = torch.cat([state[f"level_{level}"], outputs], dim=-1)
                new_state[f"level_{level}"] = available[..., self.levels[level].count :]
                vectors.append(self._at_frames(available, level, chunk, end))
        return torch.stack(vectors).permute(3, 0, 1, 2), new_state

    def _carried_vectors(self, level: int) -> int:
        """Return the number of a level's vectors from earlier chunks that the frames of a chunk need."""
        count: int = -(-self.delay // 2**level) + self.causal - self.levels[level].lag
        return count

    def _at_frames(self, available: Tensor, level: int, chunk: Tensor, end: Tensor) -> Tensor:
        """Interpolate a level to a chunk's frames, ``[1, D, n]``, linearly in time, with the edges held."""
        stride, sequence = 2**level, self.levels[level]
        first = sequence.count * chunk - sequence.lag - self._carried_vectors(level)
        # Divided in Python, because a graph may round negative quotients toward zero.
        quotients = [divmod(frame - self.delay, stride) for frame in range(self.frames)]
        index = sequence.count * chunk + chunk.new_tensor([quotient - self.causal for quotient, _ in quotients])
        weight = available.new_tensor([(remainder + self.causal) / stride for _, remainder in quotients])
        last = (end + stride - 1) // stride - 1
        low, high = (
            available.index_select(-1, (torch.minimum(k.clamp(min=0), last) - first).clamp(0, available.shape[-1] - 1))
            for k in (index, index + 1)
        )
        return low + (high - low) * weight


class MSSyncOnnxStep(FixedShapeStream):
    """The generator's stream in chunks of one size; frames outside the speech leave the state as it is.

    Args:
        generator: its parameters are shared.
        frames: motion frames per chunk.
        lag: see `FixedShapeStream`.

    Raises:
        SpecError: a pyramid that needs the whole clip, or chunks that its levels do not divide.
    """

    def __init__(self, generator: MSSyncGenerator, frames: int, lag: int) -> None:
        super().__init__()
        coarsest = 2 ** len(generator.audio.coarser)
        if generator.audio.interpolation == "align-corners":
            raise SpecError("ms-sync in chunks", "an interpolation that can stream", "'align-corners'")
        if frames % coarsest:
            raise SpecError("ms-sync in chunks", f"a multiple of {coarsest} frames per chunk", str(frames))
        self.generator, self.frames = generator, frames
        self._pyramid = ChunkedPyramid(generator.audio, frames, lag)
        self.delay = self._pyramid.delay

    @override
    def init_state(self, reference: Tensor, seed: int = 0) -> dict[str, Tensor]:
        start = self.generator.init_state(reference, seed)
        poses = {"hidden": start.hidden, "cell": start.cell, "pose": start.pose, "anchor": start.anchor}
        return self._pyramid.init_state() | poses

    @override
    def forward(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        vectors, audio_state = self._pyramid.step(audio, chunk, end, state)
        index = self.frames * chunk - self.delay + torch.arange(self.frames, device=chunk.device)
        valid = (index >= 0) & (index < end)
        hidden, cell, pose, anchor = (state[name] for name in ("hidden", "cell", "pose", "anchor"))
        frames = []
        for vector, is_valid in zip(vectors.unbind(0), valid.unbind(0), strict=True):
            before = hidden, cell, pose
            after = self.generator.advance(vector, *before, anchor)
            hidden, cell, pose = (torch.where(is_valid, new, old) for new, old in zip(after, before, strict=True))
            frames.append(pose)
        motion = torch.stack(frames, 1).reshape(1, self.frames, *self.generator.shape)
        return motion, audio_state | {"hidden": hidden, "cell": cell, "pose": pose, "anchor": anchor}
