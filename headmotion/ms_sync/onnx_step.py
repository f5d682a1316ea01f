"""MS-Sync's stream in chunks of one size: every tensor keeps its shape, so that the step is a fixed graph.

A stream's tails grow at its start and shrink at its end. Here they have their final length from the first chunk on,
filled with zeros, and whatever lies before the first or after the last frame is masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from .audio_pyramid import AudioPyramid, blocks_of
from .blocks import ConvBlock

if TYPE_CHECKING:
    from .generator import MSSyncGenerator


@dataclass(frozen=True)
class Track:
    """A sequence that comes ``count`` items per chunk: chunk ``k`` brings items ``count * k - lag`` and on."""

    count: int
    lag: int
    stride: int
    """Feature steps per item."""
    steps_per_frame: int

    def after(self, block: ConvBlock) -> Track:
        """The sequence that a block makes of this one."""
        lag = -(-(self.lag + 1 + block.lookahead) // block.stride) - 1
        return Track(self.count // block.stride, lag, self.stride * block.stride, self.steps_per_frame)

    def tail(self, block: ConvBlock) -> int:
        """Items that the block keeps from one chunk to the next."""
        return block.stride * self.after(block).lag + block.lookback - self.lag

    def inside(self, items: Tensor, chunk: Tensor, end: Tensor) -> Tensor:
        """Items ``[..., count]`` with zeros before the first and after the last of the whole sequence."""
        number = self.count * chunk - self.lag + torch.arange(self.count, device=chunk.device)
        last = (self.steps_per_frame * end + self.stride - 1) // self.stride
        return torch.where((number >= 0) & (number < last), items, items.new_zeros(()))


class ChunkedPyramid:
    """`AudioPyramid.step` in fixed shapes."""

    def __init__(self, pyramid: AudioPyramid, frames: int, lag: int) -> None:
        self.pyramid, self.frames = pyramid, frames
        self.blocks = blocks_of([*pyramid.front, *pyramid.coarser])
        steps = pyramid.steps_per_frame
        self.tracks = [Track(steps * frames, steps * lag, 1, steps)]
        for block in self.blocks:
            self.tracks.append(self.tracks[-1].after(block))
        self.levels = self.tracks[len(pyramid.front) :]
        self.late = int(pyramid.interpolation == "causal")
        # Level l determines frames up to 2**l * known - 1 (causal), or up to its last known vector (linear).
        self.delay: int = max(
            2**level * (track.lag + 1 - self.late) - (1 - self.late) for level, track in enumerate(self.levels)
        )

    def init_state(self) -> dict[str, Tensor]:
        """Zeros before the first step, as `ConvBlock` wants them, ``[1, D, n]`` each."""
        zeros = self.blocks[0].depthwise.weight.new_zeros
        state = {
            f"block_{k}": zeros(1, block.depthwise.in_channels, self.tracks[k].tail(block))
            for k, block in enumerate(self.blocks)
        }
        size = self.blocks[-1].project.out_features
        return state | {f"level_{k}": zeros(1, size, self._held(k)) for k in range(len(self.levels))}

    def step(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Features ``[1, 4*n, C]`` in, vectors ``[n, L, 1, D]`` of frames ``n * chunk - delay`` and on, state out."""
        kept: dict[str, Tensor] = {}
        vectors: list[Tensor] = []
        fresh = self.tracks[0].inside(self.pyramid.scale(audio.transpose(1, 2)), chunk, end)
        for k, block in enumerate(self.blocks):
            fresh, kept[f"block_{k}"] = block.stream(fresh, state[f"block_{k}"])
            fresh = self.tracks[k + 1].inside(fresh, chunk, end)
            if (level := k + 1 - len(self.pyramid.front)) >= 0:
                known = torch.cat([state[f"level_{level}"], fresh], dim=-1)
                kept[f"level_{level}"] = known[..., self.levels[level].count :]
                vectors.append(self._at(known, level, chunk, end))
        return torch.stack(vectors).permute(3, 0, 1, 2), kept

    def _held(self, level: int) -> int:
        """Vectors of a level that are kept: those that the next chunk's frames need and that are known before it."""
        held: int = -(-self.delay // 2**level) + self.late - self.levels[level].lag
        return held

    def _at(self, known: Tensor, level: int, chunk: Tensor, end: Tensor) -> Tensor:
        """Vectors ``[1, D, n]`` at a chunk's frames, linear between neighbors in time, the edges held."""
        stride, track = 2**level, self.levels[level]
        first = track.count * chunk - track.lag - self._held(level)
        # Divided here, for a graph may round negative quotients toward zero.
        frames = [divmod(frame - self.delay, stride) for frame in range(self.frames)]
        number = track.count * chunk + chunk.new_tensor([quotient - self.late for quotient, _ in frames])
        weight = known.new_tensor([(rest + self.late) / stride for _, rest in frames])
        last = (end + stride - 1) // stride - 1
        low, high = (
            known.index_select(-1, (torch.minimum(n.clamp(min=0), last) - first).clamp(0, known.shape[-1] - 1))
            for n in (number, number + 1)
        )
        return low + (high - low) * weight


class MSSyncOnnxStep(FixedShapeStream):
    """See `FixedShapeStream`. Velocities of frames that do not count are not applied."""

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
        vectors, kept = self._pyramid.step(audio, chunk, end, state)
        number = self.frames * chunk - self.delay + torch.arange(self.frames, device=chunk.device)
        counts = (number >= 0) & (number < end)
        hidden, cell, pose, anchor = (state[name] for name in ("hidden", "cell", "pose", "anchor"))
        frames = []
        every = self.generator.branches.ahead(vectors)
        for vector, velocity, counted in zip(vectors.unbind(0), every, counts.unbind(0), strict=True):
            old = hidden, cell, pose
            new = self.generator.advance(vector, velocity, *old, anchor)
            hidden, cell, pose = (torch.where(counted, a, b) for a, b in zip(new, old, strict=True))
            frames.append(pose)
        motion = torch.stack(frames, 1).reshape(1, self.frames, *self.generator.shape)
        return motion, kept | {"hidden": hidden, "cell": cell, "pose": pose, "anchor": anchor}
