"""Loudness in decibels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def power_db(power: npt.ArrayLike, floor_db: float = -math.inf) -> npt.NDArray[np.float64]:
    """Return powers in decibels: ``10 log10(power + floor)``.

    The floor is added rather than taken as a minimum, so that levels near it fade into it without a kink.

    Args:
        power: mean squares of any shape, at least 0; 1.0 is 0 dB. With samples in -1..1, that is full scale.
        floor_db: level of silence (dB); the default adds nothing, and silence is then ``-inf``.
    """
    return np.asarray(10 * np.log10(np.asarray(power, np.float64) + 10 ** (floor_db / 10)))
