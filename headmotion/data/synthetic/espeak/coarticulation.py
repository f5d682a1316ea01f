"""Lips and jaw in time: the targets of neighboring segments blended by dominance functions.

After Cohen and Massaro (1993): each segment dominates each articulator around itself, its dominance falls off
exponentially with time, and the articulator is the mean of the targets weighted by dominance. Contacts come on top,
because a mean of targets would leave a bilabial open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .visemes import Segment

Curve = npt.NDArray[np.float64]

REACH_SECONDS = {"opening": 0.035, "width": 0.06, "protrusion": 0.075, "jaw": 0.05}
"""Time in which dominance falls to 1/e, behind a segment."""
AHEAD = 1.4
"""Ahead of a segment it falls so much slower: lips anticipate more than they linger."""
CORE, EDGE_SECONDS = 0.5, 0.03
"""Dominance is at its peak over this share of a segment, around its middle; of a long one, over all but its edges."""
SHORTEST_CONTACT_SECONDS = 0.06
CLOSING_SECONDS, PARTING_SECONDS = 0.045, 0.04
BARELY_OPEN = 0.06
"""Opening at which the lower lip touches the teeth."""


@dataclass(frozen=True, eq=False)
class Articulation:
    """What the mouth does, ``[T]`` each; units as of `Viseme`."""

    opening: Curve
    width: Curve
    protrusion: Curve
    jaw: Curve
    closure: Curve
    """1 where the lips are pressed together."""
    tuck: Curve
    """1 where the lower lip touches the upper teeth."""


def articulate(parts: tuple[Segment, ...], times: Curve) -> Articulation:
    """The mouth at ``times`` ``[T]`` in seconds."""
    blended = {name: _blend(parts, times, name) for name in REACH_SECONDS}
    closure, tuck = _contact(parts, times, "lips"), _contact(parts, times, "teeth")
    opening = blended["opening"] * (1 - closure)
    opening = opening + tuck * (np.minimum(opening, BARELY_OPEN) - opening)
    return Articulation(opening, blended["width"], blended["protrusion"], blended["jaw"], closure, tuck)


def _blend(parts: tuple[Segment, ...], times: Curve, name: str) -> Curve:
    """One articulator: sum of dominance times target over sum of dominance."""
    start, end, strength, target = np.array([(s.start, s.end, *_aim(s, name)) for s in parts]).T
    middle, half = (start + end) / 2, (end - start) / 2
    core = np.maximum(CORE * half, half - EDGE_SECONDS)
    late = times[:, None] - middle
    reach = REACH_SECONDS[name] * np.where(late < 0, AHEAD, 1.0)
    dominance = strength * np.exp(-np.maximum(np.abs(late) - core, 0) / reach) + 1e-12
    return np.asarray((dominance * target).sum(axis=1) / dominance.sum(axis=1))


def _aim(segment: Segment, name: str) -> tuple[float, float]:
    """Strength and target of a segment for one articulator."""
    viseme, target = segment.viseme, float(getattr(segment.viseme, name))
    return (viseme.strength, target * segment.emphasis) if name in ("opening", "jaw") else (viseme.grip, target)


def _contact(parts: tuple[Segment, ...], times: Curve, kind: str) -> Curve:
    """1 during contacts, with soft edges outside; short contacts are held long enough for a video frame to see them."""
    result = np.zeros_like(times)
    for segment in parts:
        if segment.viseme.contact == kind:
            more = max(SHORTEST_CONTACT_SECONDS - (segment.end - segment.start), 0) / 2
            before = (segment.start - more - times) / CLOSING_SECONDS
            after = (times - segment.end - more) / PARTING_SECONDS
            away = np.clip(np.maximum(before, after), 0, 1)
            result = np.maximum(result, (1 + np.cos(np.pi * away)) / 2)
    return result
