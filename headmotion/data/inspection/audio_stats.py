"""How loud a clip's speech is, and how much of it is silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...media.loudness import power_db
from ..clip import SAMPLE_RATE

HOP = SAMPLE_RATE // 50
QUIET_DB = -55.0
"""Pieces of 20 ms below this (dB of full scale) are silent."""
RANGE_DB = 35.0
"""So are those that lie further than this below the loud ones."""
FLOOR_DB = -100.0
"""Level of digital silence (dB of full scale)."""
FULL = 0.999
"""Samples from here on are at full scale."""


@dataclass(frozen=True)
class SoundFigures:
    """What is measured of one clip's speech."""

    level_db: float
    """Root mean square (dB of full scale); -100 at least."""
    silence: float
    """Share of silent pieces."""
    clipped: float
    """Share of samples at full scale."""


def sound_figures(audio: npt.NDArray[np.float32]) -> SoundFigures:
    """Measure speech ``[S]`` at 16 kHz; a constant offset is no sound."""
    wave = audio.astype(np.float64) - audio.mean(dtype=np.float64)
    whole = wave[: len(wave) // HOP * HOP].reshape(-1, HOP)
    level = power_db((wave**2).mean(), FLOOR_DB)
    levels = power_db((whole**2).mean(axis=1), FLOOR_DB) if len(whole) else level
    limit = max(QUIET_DB, float(np.percentile(levels, 95)) - RANGE_DB)
    return SoundFigures(
        level_db=float(level),
        silence=float((levels < limit).mean()),
        clipped=float((np.abs(audio) >= FULL).mean()),
    )
