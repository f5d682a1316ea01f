"""Mel filter banks as matrices over the bins of a Fourier transform."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..core.errors import SpecError
from .specs import MelSpec


def mel_filters(spec: MelSpec) -> Tensor:
    """Return triangular filters ``[n_fft // 2 + 1, n_mels]``, float64, of the kind ``spec.filters``.

    ``psf``: edges evenly spaced on the HTK mel scale, rounded down to whole Fourier bins, height 1 (the rule of
    python_speech_features). ``htk``: the same edges unrounded. ``slaney``: edges on the scale of Slaney's Auditory
    Toolbox (linear up to 1 kHz, logarithmic above), area 1 over Hz.

    Raises:
        SpecError: a filter is so narrow that it contains no Fourier bin; its feature would be constant.
    """
    to_mel, to_hz = (_slaney_mel, _slaney_hz) if spec.filters == "slaney" else (_htk_mel, _htk_hz)
    low, high = to_mel(spec.f_min), to_mel(spec.highest)
    span = (high - low) / (spec.n_mels + 1)
    edges = torch.tensor([to_hz(low + i * span) for i in range(spec.n_mels + 2)], dtype=torch.float64)
    bins = torch.arange(spec.n_fft // 2 + 1, dtype=torch.float64)
    if spec.filters == "psf":
        edges = torch.floor((spec.n_fft + 1) * edges / spec.sample_rate)
        filters = _triangles(bins, edges)
    else:
        filters = _triangles(bins * spec.sample_rate / spec.n_fft, edges)
    if spec.filters == "slaney":
        # A triangle of height 1 has the area (right - left) / 2.
        filters = filters * 2 / (edges[2:] - edges[:-2])
    if (empty := int((filters.sum(0) == 0).sum())) > 0:
        got = f"{empty} empty filters among {spec.n_mels}"
        raise SpecError(f"{spec.type_name()} spec", "a bin in every filter", got, "lower n_mels or raise n_fft")
    return filters


def _triangles(positions: Tensor, edges: Tensor) -> Tensor:
    """Return triangles ``[positions, edges - 2]`` of height 1 between each three successive edges."""
    at, left, peak, right = positions[:, None], edges[:-2], edges[1:-1], edges[2:]
    # Where two edges coincide, that side of the triangle is never selected; 1 only makes the division finite.
    rise = (at - left) / torch.where(peak > left, peak - left, 1.0)
    fall = (right - at) / torch.where(right > peak, right - peak, 1.0)
    zero = torch.zeros((), dtype=positions.dtype)
    return torch.where((at >= left) & (at < peak), rise, torch.where((at >= peak) & (at < right), fall, zero))


def _htk_mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


def _htk_hz(mel: float) -> float:
    return 700 * (10 ** (mel / 2595) - 1)


# Slaney's Auditory Toolbox (1998).
_LINEAR_HZ = 200 / 3  # Hz per mel below 1 kHz, which is 15 mel
_LOG_STEP = math.log(6.4) / 27  # log Hz per mel above


def _slaney_mel(hz: float) -> float:
    return hz / _LINEAR_HZ if hz < 1000 else 15 + math.log(hz / 1000) / _LOG_STEP


def _slaney_hz(mel: float) -> float:
    return mel * _LINEAR_HZ if mel < 15 else 1000 * math.exp((mel - 15) * _LOG_STEP)
