"""Filters and windowed statistics of signals over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt  # type: ignore[import-untyped]

from ..core.errors import MotionError

Signal = npt.NDArray[np.float64]
"""Values over time, ``[T]`` or ``[T, A]`` for ``A`` axes."""

# Longer windows would mix motion during speech with changes of posture between sentences.
WINDOW_SECONDS, STEP_SECONDS = 3, 1


def band_pass(signal: Signal, low_hz: float, high_hz: float, fps: float, metric: str) -> Signal:
    """Return what lies between two frequencies of a signal ``[T]``.

    The filter is a Butterworth of order 3, run forward and backward, so that nothing is delayed.

    Raises:
        MotionError: the signal is too short or its rate too low for the filter.
    """
    _check_rate(high_hz, fps, metric)
    sections = butter(3, (low_hz, high_hz), "band", fs=fps, output="sos")
    return _filter(sections, signal, None, metric)


def low_pass(signal: Signal, cutoff_hz: float, fps: float, metric: str) -> Signal:
    """Return what lies below a frequency of signals ``[T, ...]``.

    The filter is a Butterworth of order 4, run forward and backward, so that nothing is delayed.

    Raises:
        MotionError: the signal is too short or its rate too low for the filter.
    """
    _check_rate(cutoff_hz, fps, metric)
    return _filter(butter(4, cutoff_hz, fs=fps, output="sos"), signal, 20, metric)


def _check_rate(hz: float, fps: float, metric: str) -> None:
    # A rate of twice the frequency is the least that can represent it (Nyquist).
    if fps <= 2 * hz:
        raise MotionError(metric, f"more than {2 * hz:g} frames per second", f"{fps:g}")


def _filter(sections: Signal, signal: Signal, padding: int | None, metric: str) -> Signal:
    # By default scipy pads by three times the filter's length, and needs more frames than that.
    needed = 3 * (2 * len(sections) + 1) if padding is None else padding
    if len(signal) <= needed:
        raise MotionError(metric, f"more than {needed} frames, for its filter", str(len(signal)))
    return np.asarray(sosfiltfilt(sections, signal, axis=0, padlen=padding))


@dataclass(frozen=True)
class WindowedStats:
    """Root mean squares over the windows of a signal, each ``[A]``."""

    std: Signal
    """Standard deviation within a window."""
    speed: Signal
    """Per frame."""
    acceleration: Signal
    """Per frame squared."""


def centered_windows(signal: Signal, fps: float = 25.0) -> list[Signal]:
    """Return windows of three seconds, one per second, each less its mean.

    Args:
        signal: ``[T, A]``; one that is shorter than three seconds is a single window.
        fps: rate of the signal.
    """
    window, step = round(WINDOW_SECONDS * fps), round(STEP_SECONDS * fps)
    # Windows overlap by two seconds, so that no motion is cut at the border of every window.
    starts = range(0, max(len(signal) - window, 0) + 1, step)
    windows = (signal[start : start + window] for start in starts)
    # Around the window's own mean, so that slow changes of posture do not count as spread.
    return [values - values.mean(axis=0) for values in windows]


def windowed_stats(signal: Signal, fps: float = 25.0) -> WindowedStats:
    """Return the spread, speed and acceleration of a signal ``[T, A]`` over its `centered_windows`."""
    windows = centered_windows(signal, fps)
    speeds, accelerations = ([np.diff(window, order, axis=0) for window in windows] for order in (1, 2))
    return WindowedStats(
        # Root mean squares are averaged as squares, so that all frames of all windows have equal weight.
        *(np.sqrt(np.mean([(v**2).mean(0) for v in values], axis=0)) for values in (windows, speeds, accelerations))
    )
