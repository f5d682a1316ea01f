"""Blink rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .measurement import MIN_VARIATION, points_2d, scalar, scale_px
from .signals import Signal
from .specs import BlinkSpec


class Blink(Metric):
    """Blinks per minute, over all clips together.

    In a blink the eyes are open less than ``closed`` times their median in the clip, for ``longest_ms`` at most.
    People at rest blink about 12 to 20 times a minute; a few seconds of speech say nothing.
    """

    spec: BlinkSpec

    def __init__(self, spec: BlinkSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        openings = self.representation.openings
        self.lid_pairs = [pair for name, pairs in openings.items() if name.endswith("eye") for pair in pairs]
        if not self.lid_pairs:
            names = ", ".join(openings) or "(none)"
            raise SpecError("blink", "openings of eyes", f"{self.representation.name} with {names}")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The definition of a blink."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        points = points_2d(self.representation, clip.generated, "blink")
        upper, lower = (list(lid) for lid in zip(*self.lid_pairs, strict=True))
        scale = scale_px(self.representation, points, "blink")
        opening = ((points[:, upper] - points[:, lower]).norm(dim=-1).mean(dim=1) / scale).numpy()
        # The threshold is a part of the median, which means nothing for eyes that are closed most of the time.
        if np.median(opening) < MIN_VARIATION:
            raise MotionError("blink", "eyes that are open for half of the clip", f"closed ones in {clip.name}")
        longest = self.spec.longest_ms / 1000 * float(clip.generated.fps)
        seconds = scalar(float(clip.generated.duration))
        return {"blinks": scalar(count_blinks(opening, self.spec.closed, longest)), "seconds": seconds}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        # Counts are pooled: most clips of a few seconds have no blink, and a mean of their rates would jump.
        seconds = sum(float(clip["seconds"]) for clip in observed)
        count = sum(float(clip["blinks"]) for clip in observed)
        notes = ("less than a minute of motion",) if seconds < 60 else ()
        return MetricValues({"blinks_per_minute": 60 * count / seconds}, notes)


def count_blinks(opening: Signal, closed: float, longest_frames: float) -> int:
    """Return the number of short stretches with closed eyes.

    Args:
        opening: ``[T]``, in any unit.
        closed: fraction of the median opening below which the eyes are closed.
        longest_frames: longer stretches are no blinks.
    """
    # An open eye at both ends, so that every stretch has a start and an end inside the array.
    shut = np.concatenate([[False], opening < closed * np.median(opening), [False]])
    starts, ends = np.flatnonzero(shut[1:] & ~shut[:-1]), np.flatnonzero(~shut[1:] & shut[:-1])
    return int((ends - starts <= longest_frames).sum())
