"""How often eyes blink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from ..core.errors import MotionError, SpecError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .filters import Curve
from .motion_specs import BlinkSpec
from .validation import STILL, plane, scalar, size_px


class Blink(Metric):
    """Blinks per minute, over all clips together.

    A blink: the eyes are open less than ``closed`` times their median in the clip, for no longer than ``longest_ms``.
    People at rest blink about 12 to 20 times a minute; of few seconds of speech nothing can be told.
    """

    spec: BlinkSpec

    def __init__(self, spec: BlinkSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        openings = self.representation.openings
        self.pairs = [pair for name, pairs in openings.items() if name.endswith("eye") for pair in pairs]
        if not self.pairs:
            has = ", ".join(openings) or "(none)"
            raise SpecError("blink", "openings of eyes", f"{self.representation.name} with {has}")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What a blink is."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        points = plane(self.representation, clip.generated, "blink")
        a, b = (list(side) for side in zip(*self.pairs, strict=True))
        size = size_px(self.representation, points, "blink")
        opening = ((points[:, a] - points[:, b]).norm(dim=-1).mean(dim=1) / size).numpy()
        if np.median(opening) < STILL:
            raise MotionError("blink", "eyes that are open for half of the clip", f"closed ones in {clip.name}")
        longest = self.spec.longest_ms / 1000 * float(clip.generated.fps)
        seconds = scalar(float(clip.generated.duration))
        return {"blinks": scalar(blinks(opening, self.spec.closed, longest)), "seconds": seconds}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        seconds = sum(float(each["seconds"]) for each in observed)
        count = sum(float(each["blinks"]) for each in observed)
        notes = ("less than a minute of motion",) if seconds < 60 else ()
        return MetricValues({"blinks_per_minute": 60 * count / seconds}, notes)


def blinks(opening: Curve, closed: float, longest_frames: float) -> int:
    """Stretches of an opening ``[T]`` below ``closed`` times its median that are not longer than so many frames."""
    shut = np.concatenate([[False], opening < closed * np.median(opening), [False]])
    begins, ends = np.flatnonzero(shut[1:] & ~shut[:-1]), np.flatnonzero(~shut[1:] & shut[:-1])
    return int((ends - begins <= longest_frames).sum())
