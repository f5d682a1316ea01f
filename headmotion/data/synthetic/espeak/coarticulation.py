"""Lips and jaw in time: the targets of neighboring segments blended by dominance functions.

After Cohen and Massaro (1993): each segment dominates each articulator around itself, its dominance falls off
exponentially with time, and the articulator is the mean of the targets weighted by dominance. Contacts come on top,
because a mean of targets would leave a bilabial open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..curves import Curve
from .visemes import VisemeSegment

REACH_SECONDS = {"opening": 0.035, "width": 0.06, "protrusion": 0.075, "jaw": 0.05}
"""Time in which dominance falls to 1/e after a segment."""
ANTICIPATION = 1.4
"""Before a segment this time is longer by this factor: lips anticipate more than they linger."""
CORE, EDGE_SECONDS = 0.5, 0.03
"""Dominance is at its peak over this share of a segment, around its middle; of a long one, over all but its edges."""
MIN_CONTACT_SECONDS = 0.06
CLOSING_SECONDS, PARTING_SECONDS = 0.045, 0.04
BARELY_OPEN = 0.06
"""Opening at which the lower lip touches the teeth."""


@dataclass(frozen=True, eq=False)
class Articulation:
    """Curves of a mouth, ``[T]`` each, in the units of `Viseme`."""

    opening: Curve
    width: Curve
    protrusion: Curve
    jaw: Curve
    closure: Curve
    """1 where the lips are pressed together."""
    tuck: Curve
    """1 where the lower lip touches the upper teeth."""


def articulate(segments: tuple[VisemeSegment, ...], times: Curve) -> Articulation:
    """Return the articulation of segments at ``times`` ``[T]`` in seconds."""
    blended = {name: _blend(segments, times, name) for name in REACH_SECONDS}
    closure, tuck = _contact(segments, times, "lips"), _contact(segments, times, "teeth")
    opening = blended["opening"] * (1 - closure)
    # A labiodental limits the opening; it does not open a mouth that is nearly closed.
    opening = opening + tuck * (np.minimum(opening, BARELY_OPEN) - opening)
    return Articulation(opening, blended["width"], blended["protrusion"], blended["jaw"], closure, tuck)


def _blend(segments: tuple[VisemeSegment, ...], times: Curve, name: str) -> Curve:
    """Return the curve of one articulator: the sum of dominance times target over the sum of dominance."""
    start, end, strength, target = np.array([(s.start, s.end, *_strength_and_target(s, name)) for s in segments]).T
    middle, half = (start + end) / 2, (end - start) / 2
    core = np.maximum(CORE * half, half - EDGE_SECONDS)
    distance = times[:, None] - middle
    reach = REACH_SECONDS[name] * np.where(distance < 0, ANTICIPATION, 1.0)
    dominance = strength * np.exp(-np.maximum(np.abs(distance) - core, 0) / reach) + 1e-12
    return np.asarray((dominance * target).sum(axis=1) / dominance.sum(axis=1))


def _strength_and_target(segment: VisemeSegment, name: str) -> tuple[float, float]:
    """Return strength and target of a segment for one articulator."""
    viseme, target = segment.viseme, float(getattr(segment.viseme, name))
    return (viseme.strength, target * segment.emphasis) if name in ("opening", "jaw") else (viseme.grip, target)


def _contact(segments: tuple[VisemeSegment, ...], times: Curve, kind: str) -> Curve:
    """Return a curve that is 1 during contacts, with soft edges; short contacts last until a video frame shows them."""
    result = np.zeros_like(times)
    for segment in segments:
        if segment.viseme.contact == kind:
            extension = max(MIN_CONTACT_SECONDS - (segment.end - segment.start), 0) / 2
            before = (segment.start - extension - times) / CLOSING_SECONDS
            after = (times - segment.end - extension) / PARTING_SECONDS
            openness = np.clip(np.maximum(before, after), 0, 1)
            result = np.maximum(result, (1 + np.cos(np.pi * openness)) / 2)
    return result
