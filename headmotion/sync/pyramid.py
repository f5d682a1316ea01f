"""The generic multi-scale pyramid along time, and its windows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch.nn import functional

from ..core.spec import Spec


class PyramidSpec(Spec):
    """Levels of a temporal pyramid. Source: MS-Sync, arXiv 2307.03270, eq. 5."""

    levels: int = Field(4, ge=1, le=16)
    """Number of levels, the first being the input itself."""
    kernel: int = Field(7, ge=1, le=255)
    """Taps of the moving average, in frames of the level that is averaged; odd."""
    stride: int = Field(2, ge=1, le=16)
    """Every how many frames are kept from one level to the next."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number of taps is needed")
        return value


@dataclass(frozen=True)
class Pyramid:
    """Blur and downsample along time: a centered moving average with reflect padding, then every ``stride``-th frame.

    ``x[l+1] = AvgPool(kernel, stride)(x[l])``; a level of ``n`` frames gives ``ceil(n / stride)``.
    Source: MS-Sync, eq. 5. Sequences shorter than the padding are reflected as often as it takes.
    """

    levels: int = 4
    kernel: int = 7
    stride: int = 2

    def __post_init__(self) -> None:
        if self.levels < 1 or self.kernel < 1 or self.kernel % 2 == 0 or self.stride < 1:
            raise ValueError(f"levels >= 1, an odd kernel >= 1 and stride >= 1 are needed, got {self}")

    def __call__(self, sequence: Tensor) -> list[Tensor]:
        """Levels of a sequence ``[B, T, ...]``, finest first, each ``[B, T_l, ...]``."""
        result = [sequence]
        while len(result) < self.levels:
            result.append(self.downsample(result[-1]))
        return result

    def downsample(self, sequence: Tensor) -> Tensor:
        """One level: ``[B, T, ...] -> [B, ceil(T / stride), ...]``. Differentiable."""
        flat = sequence.flatten(2) if sequence.dim() > 2 else sequence.unsqueeze(2)
        padded = flat.index_select(1, _reflected(flat.shape[1], self.kernel // 2, flat.device))
        pooled = functional.avg_pool1d(padded.transpose(1, 2), self.kernel, self.stride).transpose(1, 2)
        return pooled.reshape(sequence.shape[0], pooled.shape[1], *sequence.shape[2:])

    def pair(self, motion: Tensor, audio: Tensor, steps_per_frame: int = 4) -> list[tuple[Tensor, Tensor]]:
        """Levels of motion ``[B, T, ...]`` with audio ``[B, 4*T, C]``, exactly ``steps_per_frame`` steps per frame.

        Where pooling gives fewer audio steps than the motion's level wants, the last step is repeated.
        """
        if audio.shape[1] != motion.shape[1] * steps_per_frame:
            raise ValueError(
                f"{steps_per_frame} audio steps per frame are needed, got {audio.shape[1]} for {motion.shape[1]} frames"
            )
        return [
            (m, _edge_padded(a, m.shape[1] * steps_per_frame)) for m, a in zip(self(motion), self(audio), strict=True)
        ]

    def length(self, frames: int, level: int) -> int:
        """Frames at ``level`` of a sequence of ``frames``."""
        for _ in range(level):
            frames = -(-frames // self.stride)
        return frames

    def frame_seconds(self, level: int, fps: Fraction) -> Fraction:
        """Seconds between two frames of ``level``."""
        return Fraction(self.stride) ** level / fps


def windows(sequence: Tensor, width: int, hop: int = 1) -> Tensor:
    """All windows of a sequence: ``[B, T, ...] -> [B, W, width, ...]`` with ``W = (T - width) // hop + 1``; a view."""
    return sequence.unfold(1, width, hop).movedim(-1, 2)


def _reflected(length: int, pad: int, device: torch.device) -> Tensor:
    """Indices of a sequence with ``pad`` reflected frames on either side, the edge frame not repeated."""
    index = torch.arange(-pad, length + pad, device=device)
    if length == 1:
        return torch.zeros_like(index)
    period = 2 * (length - 1)
    index = index.remainder(period)
    return torch.where(index < length, index, period - index)


def _edge_padded(sequence: Tensor, length: int) -> Tensor:
    index = torch.arange(length, device=sequence.device).clamp(max=sequence.shape[1] - 1)
    return sequence.index_select(1, index)
