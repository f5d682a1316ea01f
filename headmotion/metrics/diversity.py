"""How much motions for the same speech differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .means import averaged
from .motion_specs import DiversitySpec
from .validation import plane, scalar, size_px


class Diversity(Metric):
    """Mean distance between motions from different seeds, over pairs of seeds, frames and points."""

    needs = frozenset({"others"})

    def __init__(self, spec: DiversitySpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Nothing to choose."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        if not clip.others:
            raise MotionError("diversity", "motion from two seeds or more", f"one for {clip.name}")
        if any(len(each) != len(clip.generated) for each in clip.others):
            raise MotionError("diversity", "motions of one length", f"others for {clip.name}")
        every = [plane(self.representation, each, "diversity") for each in (clip.generated, *clip.others)]
        apart = [float((one - other).norm(dim=-1).mean()) for one, other in combinations(every, 2)]
        size = size_px(self.representation, torch.cat(every), "diversity")
        return {"apart": scalar(sum(apart) / len(apart) / size)}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """In distances of the scale pair."""
        return {"diversity_scale": float(observed["apart"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed)
