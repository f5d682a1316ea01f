"""Log-mel frames as Whisper defines them, with a fixed ceiling in place of the maximum over the clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..mel_filterbank import mel_filters
from ..specs import LogMelSpec

SAMPLE_RATE = 16_000
"""Hz."""
WINDOW = 400
"""Samples per frame, which is centered at its time."""
HOP = 160
"""Samples from one frame to the next."""
RANGE = 8.0
"""Decades of power below the ceiling that are kept."""
LEAST_POWER = 1e-10
"""Silence has the logarithm of this."""


class WhisperLogMel(nn.Module):
    """``(max(log10 power, ceiling - 8) + 4) / 4`` of the filters of librosa's ``slaney`` kind.

    Args:
        mels: number of filters.
        ceiling: decades of power that count as the loudest. Whisper takes the maximum over 30 seconds.
    """

    taper: Tensor
    filters: Tensor

    def __init__(self, mels: int, ceiling: float) -> None:
        super().__init__()
        self.floor = ceiling - RANGE
        spec = LogMelSpec(n_mels=mels, window=WINDOW, hop=HOP, n_fft=WINDOW, filters="slaney", window_shape="hann")
        # Not persistent: both follow from the spec.
        self.register_buffer("taper", torch.hann_window(WINDOW, dtype=torch.float64).float(), persistent=False)
        self.register_buffer("filters", mel_filters(spec).float(), persistent=False)

    @override
    def forward(self, wave: Tensor) -> Tensor:
        """Return the frames ``[B, n, M]`` of windows that begin with the first sample.

        Args:
            wave: samples ``[B, WINDOW + HOP * (n - 1) + r]``, ``r < HOP``.
        """
        # Powers overflow half precision, so a surrounding autocast is disabled.
        with torch.autocast(wave.device.type, enabled=False):
            spectrum = torch.view_as_real(torch.fft.rfft(wave.unfold(1, WINDOW, HOP) * self.taper))
            power = spectrum.square().sum(-1) @ self.filters
            return (power.clamp(min=LEAST_POWER).log10().clamp(min=self.floor) + 4) / 4
