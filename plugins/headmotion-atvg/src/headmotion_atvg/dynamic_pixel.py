"""The dynamically adjustable pixel-wise loss of ATVGnet."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

import headmotion as hm

from .specs import DynamicPixelSpec


class DynamicPixel(hm.Loss):
    """``mean |v - v'| (a + constant)``, where ``a`` is the renderer's attention map, through which no gradient flows.

    Pixels that the renderer paints weigh more than those that it copies, and painting less does not lower the loss.
    Source: the paper, section 3.3; its pictures run from -1 to 1, so differences of 0..1 count twice.
    """

    needs = frozenset({"frames"})

    def __init__(self, spec: DynamicPixelSpec) -> None:
        super().__init__(spec)
        self.weight, self.constant, self.dynamic = spec.weight, spec.constant, spec.dynamic

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        """Return the term ``pixels``.

        Raises:
            OutputError: a renderer without an output ``attention``.
        """
        assert real.frames is not None and generated.frames is not None
        difference = 2 * (real.frames - generated.frames).abs()
        attention = generated.outputs["attention"].detach() if self.dynamic else 0.5
        return {"pixels": self.weight * (difference * (attention + self.constant)).mean()}
