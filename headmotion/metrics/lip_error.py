"""Lip vertex error: the worst point of the lips in each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.specs import BuildContext
from .means import averaged, group_of
from .motion_specs import LipErrorSpec
from .validation import plane, scalar, size_px, true_motion

NAME = "lip-vertex-error"


class LipError(Metric):
    """Largest distance over the points of a group in each frame, averaged over frames. Source: Richard et al. 2021.

    There, meshes stand still and millimeters are known. Here positions are taken relative to the middle of another
    group, which takes the head's shift away (not its turning), and lengths are distances of the scale pair.
    """

    needs = frozenset({"real"})
    better: Mapping[str, Literal["lower", "higher"]] = {"lip_error_scale": "lower"}

    def __init__(self, spec: LipErrorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation = context.representation
        self.points = group_of(self.representation, spec.group, NAME)
        self.anchor = None if spec.relative_to is None else group_of(self.representation, spec.relative_to, NAME)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The groups."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        made = plane(self.representation, clip.generated, NAME)
        true = plane(self.representation, true_motion(clip, NAME), NAME)
        worst = (self._placed(made) - self._placed(true)).norm(dim=-1).amax(dim=1).mean()
        return {"error": scalar(float(worst) / size_px(self.representation, true, NAME))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """In distances of the scale pair."""
        return {"lip_error_scale": float(observed["error"])}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return averaged(self, observed)

    def _placed(self, points: Tensor) -> Tensor:
        lips = points[:, self.points]
        return lips if self.anchor is None else lips - points[:, self.anchor].mean(dim=1, keepdim=True)
