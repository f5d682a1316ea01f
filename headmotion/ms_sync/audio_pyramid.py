"""Bottom-up audio pyramid of the generator: one vector per motion frame and level, offline or streamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from ..core.errors import SpecError
from .blocks import ConvBlock, standardizer
from .specs import MSSyncGeneratorSpec

FRONT_STRIDES = {1: (1, 1, 1, 1), 2: (1, 1, 1, 2), 4: (1, 2, 1, 2)}
"""Strides of the front by audio steps per motion frame; their product is that number. The paper has 4."""


@dataclass(frozen=True)
class LevelTail:
    """Vectors of one level that are still needed."""

    vectors: Tensor
    """``[B, D, n]``."""
    first: int = 0
    """Index of the first of them in the level."""

    def extended(self, vectors: Tensor) -> LevelTail:
        """Return the tail with the next vectors ``[B, D, n]``."""
        return replace(self, vectors=torch.cat([self.vectors, vectors], dim=-1)) if vectors.shape[-1] else self


@dataclass(frozen=True)
class AudioState:
    """Position of a stream."""

    blocks: tuple[Tensor, ...]
    """Inputs that each block still needs, ``[B, C, n]``."""
    levels: tuple[LevelTail, ...]
    """Vectors of each level that are still needed."""
    frames_in: int = 0
    """Frames of audio so far."""
    frames_out: int = 0
    """Frames whose vectors were returned so far."""


class AudioPyramid(nn.Module):
    """Audio features ``[B, A, C]`` to vectors ``[T, L, B, D]``.

    The finest level has one vector per frame, and each coarser level has half as many. All are interpolated to the
    frame rate. A block looks a fixed number of steps ahead and coarse levels are interpolated between neighbors in
    time, so streamed vectors equal offline ones. Source: MS-Sync, feature pyramid without the top-down path.

    Args:
        spec: of the generator.
        channels: ``C``.
        steps_per_frame: feature steps per motion frame, ``A = steps_per_frame * T``.

    Raises:
        SpecError: steps per frame that the strides of the front cannot reduce to one.
    """

    def __init__(self, spec: MSSyncGeneratorSpec, channels: int, steps_per_frame: int = 4) -> None:
        super().__init__()
        if steps_per_frame not in FRONT_STRIDES:
            remedy = "set steps_per_frame, and the hop of the audio encoder with it"
            raise SpecError("ms-sync generator", "1, 2 or 4 audio steps per frame", str(steps_per_frame), remedy)
        size, expansion = spec.audio_size, spec.expansion
        self.interpolation = spec.interpolation
        self.channels, self.steps_per_frame = channels, steps_per_frame
        self.scale = standardizer(channels) if spec.standardize else nn.Identity()
        widths = itertools.pairwise((channels, *spec.audio_widths, size))
        self.front = nn.ModuleList(
            ConvBlock(width_in, width_out, 3, stride, expansion)
            for (width_in, width_out), stride in zip(widths, FRONT_STRIDES[steps_per_frame], strict=True)
        )
        lookaheads = spec.level_lookahead or (-1,) * (spec.levels - 1)
        self.coarser = nn.ModuleList(
            ConvBlock(size, size, spec.level_kernel, 2, expansion, lookahead) for lookahead in lookaheads
        )

    @property
    def lookahead(self) -> int | None:
        """Whole frames of audio needed beyond a frame; None if the whole clip is needed."""
        if self.interpolation == "align-corners":
            return None
        steps, stride = 0, 1
        for block in conv_blocks(self.front):
            steps += block.lookahead * stride
            stride *= block.stride
        frames = [0]
        for level, block in enumerate(conv_blocks(self.coarser)):
            frames.append(frames[-1] + block.lookahead * 2**level)
        if self.interpolation == "linear":
            # The next vector of the level is needed too, up to 2**l - 1 frames later.
            frames = [lookahead + 2**level - 1 for level, lookahead in enumerate(frames)]
        return max(frames) + steps // self.steps_per_frame

    def levels(self, audio: Tensor) -> list[Tensor]:
        """Return the vectors of each level at its own rate, ``[B, D, ceil(T / 2**l)]``."""
        vectors: Tensor = self.scale(audio.transpose(1, 2))
        for block in conv_blocks(self.front):
            vectors = block(vectors)
        result = [vectors]
        for block in conv_blocks(self.coarser):
            result.append(block(result[-1]))
        return result

    @override
    def forward(self, audio: Tensor) -> Tensor:
        levels, frames = self.levels(audio), range(audio.shape[1] // self.steps_per_frame)
        if self.interpolation == "align-corners":
            vectors = [functional.interpolate(v, len(frames), mode="linear", align_corners=True) for v in levels]
        else:
            vectors = [self._at_frames(LevelTail(v), level, frames) for level, v in enumerate(levels)]
        return rearrange(vectors, "level batch size frame -> frame level batch size")

    def init_state(self, batch: int) -> AudioState:
        """Return the state at the start of a stream."""
        finest = conv_blocks(self.front)[-1].project
        empty = finest.weight.new_zeros(batch, finest.out_features, 0)
        blocks = tuple(block.init_state(batch) for block in conv_blocks([*self.front, *self.coarser]))
        return AudioState(blocks, (LevelTail(empty),) * (len(self.coarser) + 1))

    def step(self, audio: Tensor, state: AudioState, last: bool = False) -> tuple[Tensor, AudioState]:
        """Process the next features of a stream.

        Args:
            audio: ``[B, steps_per_frame * t, C]``.
            state: from `init_state` or the previous call.
            last: whether the audio ends here.

        Returns:
            Vectors ``[t', L, B, D]`` of the frames that are now determined, and the new state.
        """
        block_states: list[Tensor] = []
        tails: list[LevelTail] = []
        outputs = self.scale(audio.transpose(1, 2))
        for number, block in enumerate(conv_blocks([*self.front, *self.coarser])):
            outputs, block_state = block.stream(outputs, state.blocks[number], last)
            block_states.append(block_state)
            if number >= len(self.front) - 1:
                tails.append(state.levels[len(tails)].extended(outputs))
        frames, new_state = self.advance(state, audio.shape[1] // self.steps_per_frame, block_states, tails, last)
        vectors = [self._at_frames(tail, level, frames) for level, tail in enumerate(tails)]
        return rearrange(vectors, "level batch size frame -> frame level batch size"), new_state

    def advance(
        self, state: AudioState, count: int, blocks: Sequence[Tensor], tails: Sequence[LevelTail], last: bool
    ) -> tuple[range, AudioState]:
        """Return the frames that are determined by now and were not before, and the new state.

        Args:
            state: before.
            count: frames of audio since then.
            blocks: inputs that each block still needs.
            tails: vectors of each level, the new ones included.
            last: whether the audio ends here.
        """
        frames_in = state.frames_in + count
        determined = min(self._determined_frames(tail, level) for level, tail in enumerate(tails))
        frames_out = frames_in if last else max(state.frames_out, determined)
        remaining = tuple(_drop_before(tail, frames_out // 2**level - 1) for level, tail in enumerate(tails))
        return range(state.frames_out, frames_out), AudioState(tuple(blocks), remaining, frames_in, frames_out)

    def _determined_frames(self, tail: LevelTail, level: int) -> int:
        """Return the number of frames for which a level has all vectors."""
        count = tail.first + tail.vectors.shape[-1]
        if self.interpolation == "causal":
            return int(count * 2**level)
        return int((count - 1) * 2**level + 1) if count else 0

    def _at_frames(self, tail: LevelTail, level: int, frames: range) -> Tensor:
        """Interpolate a level to frames, ``[B, D, t]``, linearly between neighbors in time, with the edges held."""
        if not len(frames):
            return tail.vectors[..., :0]
        frame = torch.arange(frames.start, frames.stop, device=tail.vectors.device)
        stride, delay = 2**level, int(self.interpolation == "causal")
        index = frame // stride - delay
        weight = ((frame % stride) + delay).to(tail.vectors.dtype) / stride
        edge = tail.vectors.shape[-1] - 1
        low = tail.vectors[..., (index - tail.first).clamp(0, edge)]
        high = tail.vectors[..., (index + 1 - tail.first).clamp(0, edge)]
        return torch.lerp(low, high, weight.expand_as(low))


def conv_blocks(modules: Iterable[nn.Module]) -> list[ConvBlock]:
    """Return the same modules, typed."""
    return cast("list[ConvBlock]", list(modules))


def _drop_before(tail: LevelTail, first: int) -> LevelTail:
    """Drop the vectors before index ``first``, but always keep the last, which holds the edge."""
    drop = max(0, min(first - tail.first, tail.vectors.shape[-1] - 1))
    return LevelTail(tail.vectors[..., drop:], tail.first + drop) if drop else tail
