"""Rates from the Frame Time of BVH files, which is written with few digits, and back."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..core.errors import MotionError
from ..core.short_repr import short_repr
from ..core.timing import simplest_fraction

COMMON_FPS = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 200, 240, 250, 300))
NTSC_FPS = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))
MAX_ROUNDING = Fraction(3, 100)
"""A Frame Time of few digits is taken for that of a common rate if it is no further away."""


def frame_rate(seconds: str) -> Fraction:
    """Return the frames per second that a Frame Time means, which files write with few digits.

    The rate is a whole number if the time is exactly its inverse; else, of all rates that print to these digits, the
    nearest of the common ones if it is within 3 %; else the simplest fraction if the digits leave little open, and the
    exact inverse if they leave much. So 0.0083333 is 120, .0333667 is 30000/1001, 0.08 is 25/2. A time that was stored
    in single precision, such as 0.03333333507180214, means what single precision leaves open.

    Args:
        seconds: the Frame Time as it is written.

    Raises:
        MotionError: not a time between a thousandth of a second and 1e9 seconds.
    """
    try:
        valid = 1e-3 <= float(seconds) < 1e9
        time = Fraction(seconds if valid else 0)
    except ValueError:
        valid, time = False, Fraction(0)
    if not valid:
        raise MotionError("bvh", "a Frame Time from 0.001 to 1e9 seconds", short_repr(seconds))
    rate = 1 / time
    if rate.denominator == 1:
        return rate
    before, after = _precision(seconds, time)
    low, high = 1 / (time + after), 1 / (time - before)
    for rates in (COMMON_FPS, NTSC_FPS):
        near = [fps for fps in rates if low <= fps <= high and abs(fps - rate) <= rate * MAX_ROUNDING]
        if near:
            return min(near, key=lambda fps: abs(fps - rate))
    if high - low < rate / 100:
        return simplest_fraction(low, high)
    whole = Fraction(round(rate))
    return whole if low <= whole <= high and abs(whole - rate) <= rate / 200 else rate


def frame_time(fps: Fraction) -> str:
    """Return the Frame Time (s) with as many digits as `frame_rate` needs to recover the rate.

    One whose time is a number of single precision may be read as another within a millionth, as `frame_rate` says.
    """
    return f"{float(1 / fps):.15f}"


def _precision(seconds: str, time: Fraction) -> tuple[Fraction, Fraction]:
    """Return how far the time that was meant may lie before and after the one that is written."""
    mantissa, _, exponent = seconds.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    unit = Fraction(10) ** (int(exponent or 0) - digits)
    single = np.float32(float(time))
    error = abs(Fraction(float(single)) - time)
    # One that has just these digits by chance is left alone.
    stored = error <= unit / 2 and (error or digits > 15)
    spacing = Fraction(float(np.spacing(single))) if stored else time / 2**51  # of single or double precision
    return (unit + spacing) / 2, unit + spacing / 2  # rounded, or cut off
