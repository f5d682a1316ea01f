"""Curves without what is too slow or too fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt  # type: ignore[import-untyped]

from ..core.errors import MotionError

Curve = npt.NDArray[np.float64]


def band_pass(curve: Curve, low_hz: float, high_hz: float, fps: float, metric: str) -> Curve:
    """What lies between two frequencies of a curve ``[T]`` (Butterworth of order 3, there and back).

    Raises:
        MotionError: the curve is too short or its rate too low for the filter.
    """
    _check_rate(high_hz, fps, metric)
    sections = butter(3, (low_hz, high_hz), "band", fs=fps, output="sos")
    return _filtered(sections, curve, None, metric)


def low_pass(curve: Curve, hz: float, fps: float, metric: str) -> Curve:
    """What is slower than ``hz`` in curves ``[T, ...]`` (Butterworth of order 4, there and back).

    Raises:
        MotionError: the curve is too short or its rate too low for the filter.
    """
    _check_rate(hz, fps, metric)
    return _filtered(butter(4, hz, fs=fps, output="sos"), curve, 20, metric)


def _check_rate(hz: float, fps: float, metric: str) -> None:
    if fps <= 2 * hz:
        raise MotionError(metric, f"more than {2 * hz:g} frames per second", f"{fps:g}")


def _filtered(sections: Curve, curve: Curve, padding: int | None, metric: str) -> Curve:
    # Without padding of its own choice, scipy takes three times the filter's order and the section's delay.
    needed = 3 * (2 * len(sections) + 1) if padding is None else padding
    if len(curve) <= needed:
        raise MotionError(metric, f"more than {needed} frames, for its filter", str(len(curve)))
    return np.asarray(sosfiltfilt(sections, curve, axis=0, padlen=padding))
