"""The multi-scale pyramid along time, and windows of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from .specs import PyramidSpec


@dataclass(frozen=True)
class Pyramid:
    """Blur and downsample along time: a centered moving average with reflect padding, then every ``stride``-th frame.

    ``x[l+1] = AvgPool(kernel, stride)(x[l])``; a level of ``n`` frames gives ``ceil(n / stride)``. Source: MS-Sync,
    eq. 5. Sequences shorter than the padding are reflected several times.
    """

    levels: int = 4
    """Number of levels, the finest included."""
    kernel: int = 7
    """Width of the moving average, in frames of the finer level; odd."""
    stride: int = 2
    """Frames of a level per frame of the next coarser one."""

    def __post_init__(self) -> None:
        if self.levels < 1 or self.kernel < 1 or self.kernel % 2 == 0 or self.stride < 1:
            raise ValueError(f"levels >= 1, an odd kernel >= 1 and stride >= 1 are needed, got {self}")

    def __call__(self, sequence: Tensor) -> list[Tensor]:
        """Return the levels of a sequence ``[B, T, ...]``, finest first, each ``[B, T_l, ...]``."""
        levels = [sequence]
        while len(levels) < self.levels:
            levels.append(self.downsample(levels[-1]))
        return levels

    def downsample(self, sequence: Tensor) -> Tensor:
        """Compute the next coarser level ``[B, ceil(T / stride), ...]`` of ``[B, T, ...]``. Differentiable."""
        padded = sequence.index_select(1, _reflected(sequence.shape[1], self.kernel // 2, sequence.device))
        pooled = functional.avg_pool1d(rearrange(padded, "b t ... -> b (...) t"), self.kernel, self.stride)
        return rearrange(pooled, "b n t -> b t n").reshape(len(sequence), pooled.shape[2], *sequence.shape[2:])

    def pair(self, motion: Tensor, audio: Tensor, steps_per_frame: int = 4) -> list[tuple[Tensor, Tensor]]:
        """Return the levels of motion and audio with exactly ``steps_per_frame`` audio steps per frame at every level.

        Where pooling gives fewer audio steps, the last step is repeated.

        Args:
            motion: frames ``[B, T, ...]``.
            audio: features ``[B, steps_per_frame * T, C]``.
            steps_per_frame: audio steps per motion frame.

        Raises:
            ValueError: another number of audio steps.
        """
        if audio.shape[1] != motion.shape[1] * steps_per_frame:
            raise ValueError(
                f"{steps_per_frame} audio steps per frame are needed, got {audio.shape[1]} for {motion.shape[1]} frames"
            )
        return [
            (m, _edge_padded(a, m.shape[1] * steps_per_frame)) for m, a in zip(self(motion), self(audio), strict=True)
        ]

    @classmethod
    def of(cls, spec: PyramidSpec) -> Pyramid:
        """Return the pyramid of a spec."""
        return cls(spec.levels, spec.kernel, spec.stride)

    def length(self, frames: int, level: int) -> int:
        """Return the number of frames at ``level`` of a sequence of ``frames``."""
        for _ in range(level):
            frames = -(-frames // self.stride)
        return frames

    def frame_seconds(self, level: int, fps: Fraction) -> Fraction:
        """Return the time between two frames of ``level`` (seconds)."""
        return Fraction(self.stride) ** level / fps


def windows(sequence: Tensor, width: int, hop: int = 1) -> Tensor:
    """Return all windows of a sequence as a view.

    Args:
        sequence: frames ``[B, T, ...]``.
        width: frames per window.
        hop: frames from one window to the next.

    Returns:
        ``[B, W, width, ...]`` with ``W = (T - width) // hop + 1``.
    """
    return sequence.unfold(1, width, hop).movedim(-1, 2)


def _reflected(length: int, pad: int, device: torch.device) -> Tensor:
    """Return the indices of a sequence with ``pad`` reflected frames on both sides, the edge frame not repeated."""
    # functional.pad cannot reflect by more than the sequence is long.
    index = torch.arange(-pad, length + pad, device=device)
    if length == 1:
        return torch.zeros_like(index)
    period = 2 * (length - 1)
    index = index.remainder(period)
    return torch.where(index < length, index, period - index)


def _edge_padded(sequence: Tensor, length: int) -> Tensor:
    index = torch.arange(length, device=sequence.device).clamp(max=sequence.shape[1] - 1)
    return sequence.index_select(1, index)
