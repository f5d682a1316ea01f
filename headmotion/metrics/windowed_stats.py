"""How far and how fast a motion goes, in windows of three seconds.

Longer windows would mix what a person does while speaking with where they have settled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .filters import Curve

WINDOW_SECONDS, STEP_SECONDS = 3, 1


@dataclass(frozen=True)
class Moments:
    """Of motion in windows, each ``[A]``: standard deviation, speed, acceleration (per frame)."""

    std: Curve
    speed: Curve
    acceleration: Curve


def windows(curve: Curve, fps: float = 25.0) -> list[Curve]:
    """Three seconds at a time, every second, around their own mean, of a curve ``[T, A]``; a shorter one whole."""
    window, step = round(WINDOW_SECONDS * fps), round(STEP_SECONDS * fps)
    pieces = (curve[start : start + window] for start in range(0, max(len(curve) - window, 0) + 1, step))
    return [piece - piece.mean(axis=0) for piece in pieces]


def moments(curve: Curve, fps: float = 25.0) -> Moments:
    """Root mean squares over all windows of one motion ``[T, A]``."""
    pieces = windows(curve, fps)
    steps, bends = ([np.diff(piece, order, axis=0) for piece in pieces] for order in (1, 2))
    return Moments(*(np.sqrt(np.mean([(p**2).mean(0) for p in many], axis=0)) for many in (pieces, steps, bends)))
