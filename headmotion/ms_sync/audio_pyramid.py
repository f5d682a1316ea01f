"""Bottom-up audio pyramid of the generator: one vector per motion frame and level, whole or streamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import torch
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
    """Vectors of one level that are still needed: ``[B, D, n]``, the first of them number ``first``."""

    vectors: Tensor
    first: int = 0


@dataclass(frozen=True)
class AudioState:
    """Where a stream stands: inputs that each block still needs, vectors of each level, frames given out."""

    blocks: tuple[Tensor, ...]
    levels: tuple[LevelTail, ...]
    frames_in: int = 0
    frames_out: int = 0


class AudioPyramid(nn.Module):
    """Audio ``[B, A, C]`` to vectors ``[T, L, B, D]``: one per frame at the finest level, then halved.

    The streamed vectors equal the whole ones: every block looks a fixed number of steps ahead, and coarse levels are
    interpolated between neighbors in time. Source: MS-Sync, feature pyramid without the top-down path.
    """

    def __init__(self, spec: MSSyncGeneratorSpec, channels: int, steps_per_frame: int = 4) -> None:
        super().__init__()
        if steps_per_frame not in FRONT_STRIDES:
            remedy = "set steps_per_frame, and the hop of the audio encoder with it"
            raise SpecError("ms-sync generator", "1, 2 or 4 audio steps per frame", str(steps_per_frame), remedy)
        a, b, c = spec.audio_widths
        size, wide = spec.audio_size, spec.expansion
        self.interpolation = spec.interpolation
        self.channels, self.steps_per_frame = channels, steps_per_frame
        self.scale = standardizer(channels) if spec.standardize else nn.Identity()
        self.front = nn.ModuleList(
            ConvBlock(n_in, n_out, 3, stride, wide)
            for (n_in, n_out), stride in zip(
                itertools.pairwise((channels, a, b, c, size)), FRONT_STRIDES[steps_per_frame], strict=True
            )
        )
        ahead = spec.level_lookahead or (-1,) * (spec.levels - 1)
        self.coarser = nn.ModuleList(
            ConvBlock(size, size, spec.level_kernel, 2, wide, ahead[level]) for level in range(spec.levels - 1)
        )

    @property
    def lookahead(self) -> int | None:
        """Whole frames of audio needed beyond a frame; None where the whole clip is needed."""
        if self.interpolation == "align-corners":
            return None
        steps, stride = 0, 1
        for block in blocks_of(self.front):
            steps += block.lookahead * stride
            stride *= block.stride
        frames = [0]
        for level, block in enumerate(blocks_of(self.coarser)):
            frames.append(frames[-1] + block.lookahead * 2**level)
        if self.interpolation == "linear":
            frames = [ahead + 2**level - 1 for level, ahead in enumerate(frames)]
        return max(frames) + steps // self.steps_per_frame

    def levels(self, audio: Tensor) -> list[Tensor]:
        """Vectors of each level at its own rate, ``[B, D, ceil(T / 2**l)]``."""
        vectors: Tensor = self.scale(audio.transpose(1, 2))
        for block in blocks_of(self.front):
            vectors = block(vectors)
        result = [vectors]
        for block in blocks_of(self.coarser):
            result.append(block(result[-1]))
        return result

    @override
    def forward(self, audio: Tensor) -> Tensor:
        levels, frames = self.levels(audio), range(audio.shape[1] // self.steps_per_frame)
        if self.interpolation == "align-corners":
            stretched = [functional.interpolate(v, len(frames), mode="linear", align_corners=True) for v in levels]
        else:
            stretched = [self._at(LevelTail(v), level, frames) for level, v in enumerate(levels)]
        return torch.stack(stretched).permute(3, 0, 1, 2)

    def init_state(self, batch: int) -> AudioState:
        """The state of a stream that has heard nothing yet."""
        finest = blocks_of(self.front)[-1].project
        empty = finest.weight.new_zeros(batch, finest.out_features, 0)
        blocks = tuple(block.init_state(batch) for block in blocks_of([*self.front, *self.coarser]))
        return AudioState(blocks, (LevelTail(empty),) * (len(self.coarser) + 1))

    def step(self, audio: Tensor, state: AudioState, last: bool = False) -> tuple[Tensor, AudioState]:
        """Next steps ``[B, a, C]`` in, vectors of the frames they complete ``[t', L, B, D]`` and the state out."""
        blocks: list[Tensor] = []
        fresh = self.scale(audio.transpose(1, 2))
        tails: list[LevelTail] = []
        for number, block in enumerate(blocks_of([*self.front, *self.coarser])):
            fresh, tail = block.stream(fresh, state.blocks[number], last)
            blocks.append(tail)
            if number >= len(self.front) - 1:
                old = state.levels[len(tails)]
                tails.append(replace(old, vectors=torch.cat([old.vectors, fresh], dim=-1)))
        frames_in = state.frames_in + audio.shape[1] // self.steps_per_frame
        ready = frames_in if last else max(state.frames_out, min(self._ready(t, i) for i, t in enumerate(tails)))
        frames = range(state.frames_out, ready)
        vectors = torch.stack([self._at(tail, level, frames) for level, tail in enumerate(tails)]).permute(3, 0, 1, 2)
        trimmed = tuple(_trimmed(tail, ready // 2**level - 1) for level, tail in enumerate(tails))
        return vectors, AudioState(tuple(blocks), trimmed, frames_in, ready)

    def _ready(self, tail: LevelTail, level: int) -> int:
        """Frames that a level's known vectors determine."""
        known = tail.first + tail.vectors.shape[-1]
        if self.interpolation == "causal":
            return int(known * 2**level)
        return int((known - 1) * 2**level + 1) if known else 0

    def _at(self, tail: LevelTail, level: int, frames: range) -> Tensor:
        """Vectors ``[B, D, t]`` at frames, linear between the two neighbors in time, the edges held."""
        if not len(frames):
            return tail.vectors[..., :0]
        frame = torch.arange(frames.start, frames.stop, device=tail.vectors.device)
        stride, late = 2**level, int(self.interpolation == "causal")
        index = frame // stride - late
        weight = ((frame % stride) + late).to(tail.vectors.dtype) / stride
        edge = tail.vectors.shape[-1] - 1
        low = tail.vectors[..., (index - tail.first).clamp(0, edge)]
        high = tail.vectors[..., (index + 1 - tail.first).clamp(0, edge)]
        return torch.lerp(low, high, weight.expand_as(low))


def blocks_of(modules: Iterable[nn.Module]) -> list[ConvBlock]:
    """The same modules by their own type."""
    return cast("list[ConvBlock]", list(modules))


def _trimmed(tail: LevelTail, first: int) -> LevelTail:
    drop = max(0, min(first - tail.first, tail.vectors.shape[-1] - 1))
    return LevelTail(tail.vectors[..., drop:], tail.first + drop)
