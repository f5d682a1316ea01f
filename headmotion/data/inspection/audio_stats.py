"""How loud a clip's speech is, and how much of it is silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from einops import rearrange

from ...media.loudness import power_db
from ..clip import SAMPLE_RATE

HOP = SAMPLE_RATE // 50
"""Samples per window: 20 ms."""
QUIET_DB = -55.0
"""Windows below this level (dB of full scale) are silent."""
RANGE_DB = 35.0
"""So are windows that lie further than this below the loud ones."""
FLOOR_DB = -100.0
"""Level of digital silence (dB of full scale)."""
CLIPPING = 0.999
"""Magnitude from which samples are at full scale."""


@dataclass(frozen=True)
class AudioStats:
    """Statistics of one clip's speech."""

    level_db: float
    """Root mean square (dB of full scale), at least -100."""
    silence: float
    """Share of silent windows."""
    clipped: float
    """Share of samples at full scale."""


def audio_stats(audio: npt.NDArray[np.float32]) -> AudioStats:
    """Measure speech ``[S]`` at 16 kHz, -1..1."""
    wave = audio.astype(np.float64) - audio.mean(dtype=np.float64)  # a constant offset is inaudible
    windows = rearrange(wave[: len(wave) // HOP * HOP], "(window sample) -> window sample", sample=HOP)
    level = power_db((wave**2).mean(), FLOOR_DB)
    # Speech shorter than a window is one window.
    levels = power_db((windows**2).mean(axis=1), FLOOR_DB) if len(windows) else level
    # Relative to the loud windows, so that a quiet recording is not all silence.
    limit = max(QUIET_DB, float(np.percentile(levels, 95)) - RANGE_DB)
    return AudioStats(
        level_db=float(level),
        silence=float((levels < limit).mean()),
        clipped=float((np.abs(audio) >= CLIPPING).mean()),
    )
