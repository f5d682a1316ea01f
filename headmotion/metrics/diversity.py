"""Differences between motions for the same speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .measurement import mean_over_clips, points_2d, scalar, scale_px
from .specs import DiversitySpec


class Diversity(Metric):
    """Mean distance between motions from different seeds, over pairs of seeds, frames and points."""

    needs = frozenset({"others"})

    def __init__(self, spec: DiversitySpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The spec, which has no settings."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        if not clip.others:
            raise MotionError("diversity", "others: motion from two seeds or more", f"one for {clip.name}")
        # Motions of another length would be compared at other moments of the speech.
        if any(len(other) != len(clip.generated) for other in clip.others):
            raise MotionError("diversity", "motions of one length", f"others for {clip.name}")
        motions = [points_2d(self.representation, motion, "diversity") for motion in (clip.generated, *clip.others)]
        distances = [float((left - right).norm(dim=-1).mean()) for left, right in combinations(motions, 2)]
        # The scale of all motions, since the real one is not needed for this metric.
        scale = scale_px(self.representation, torch.cat(motions), "diversity")
        return {"distance": scalar(sum(distances) / len(distances) / scale)}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the distance in distances of the scale pair."""
        return {"diversity_scale": float(observed["distance"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)
