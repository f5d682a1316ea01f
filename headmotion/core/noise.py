"""Normal noise that is seeded by sample and frame, so that a stream draws the same numbers as the whole clip."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def sample_seeds(seed: int | Sequence[int], batch: int) -> Sequence[int]:
    """Return a seed per sample: an int seeds sample ``b`` with ``seed + b``; a sequence holds one per sample.

    Raises:
        ValueError: a sequence of another length than ``batch``.
    """
    seeds = range(seed, seed + batch) if isinstance(seed, int) else seed
    if len(seeds) != batch:
        raise ValueError(f"{len(seeds)} seeds for a batch of {batch}")
    return seeds


def normal(
    seeds: Sequence[int],
    frame: int | range,
    shape: Sequence[int],
    stream: int = 0,
    device: str | torch.device = "cpu",
) -> Tensor:
    """Draw standard normal noise that depends on seed, frame, shape and stream only.

    A frame of a sample gets the same numbers in any batch, in chunks of any length and on any device. The random bits
    are those of Philox (Salmon et al. 2011), whose counter is the position in the clip; they become normal by the
    inverse of the cumulative distribution. Frames before the clip (below 0) are frames like others.

    Args:
        seeds: one per sample, ``B``; see `sample_seeds`.
        frame: number of a frame, or a range of consecutive frames.
        shape: of the noise of one frame of one sample.
        stream: number below 2**32 that separates several noises of one generator.
        device: of the result. The numbers are drawn on the CPU.

    Returns:
        ``[B, *shape]`` for a frame and ``[B, T, *shape]`` for a range, float32.
    """
    frames = range(frame, frame + 1) if isinstance(frame, int) else frame
    if frames.step != 1:
        raise ValueError(f"frames that are consecutive, not {frames}")
    size = math.prod(shape)
    blocks = -(-size // 4)  # a step of the counter gives four numbers
    drawn = np.zeros((len(seeds), len(frames) * blocks * 4), np.uint64)
    for row, seed in zip(drawn, seeds, strict=True):
        key = np.array([seed % 2**64, (stream << 32) + size], np.uint64)
        row[:] = np.random.Philox(key=key, counter=frames.start * blocks % 2**256).random_raw(len(row))
    # 52 bits, because with more the largest number would round to 1, and to an infinite value.
    uniform = torch.from_numpy(((drawn >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)
    values: Tensor = torch.special.ndtri(uniform).float().view(len(seeds), len(frames), blocks * 4)[..., :size]
    values = values.reshape(len(seeds), len(frames), *shape).to(device)
    return values[:, 0] if isinstance(frame, int) else values
