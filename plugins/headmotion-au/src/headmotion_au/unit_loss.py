"""The loss of action units: a frozen classifier must find the recorded units in the drawn pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

import headmotion as hm

from .classifier import Classifier
from .specs import UnitLossSpec


class UnitLoss(hm.Loss):
    """``weight * BCE(C(frames), units)`` with the units of the recording."""

    needs = frozenset({"motion", "frames"})

    def __init__(self, spec: UnitLossSpec) -> None:
        super().__init__(spec)
        self.uses = (spec.classifier,)
        # In a list, which hides it from `torch.nn.Module`: the classifier is no part of the loss's state.
        self._classifier: list[Classifier] = []

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        """Take the classifier, which is neither trained nor stored with the loss.

        Raises:
            SpecError: another part.
        """
        (name,) = self.uses
        if not isinstance(parts[name], Classifier):
            got = f"a {type(parts[name]).__name__}"
            raise hm.SpecError("loss au/units", f"an au/classifier under the name {name!r}", got)
        self._classifier = [parts[name]]

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        """Return the error of the units in the drawn pictures."""
        assert generated.frames is not None
        return {"units": self.spec.weight * self._classifier[0].error(generated.frames, real.motion)}
