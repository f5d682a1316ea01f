"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import OptimizerSpec, PhaseSpec

if TYPE_CHECKING:
    from headmotion import TrainContext

    from .phase import Regression


class RegressionSpec(PhaseSpec):
    """Trains the pipeline's generator by its distance from the recorded motion."""

    type: Literal["$name/regression"] = "$name/regression"
    frames: int = Field(20, ge=1, le=1000)
    """Generated frames per clip."""
    optimizer: OptimizerSpec = OptimizerSpec(lr=0.001)
    """Optimizer of the generator."""

    def build(self, context: TrainContext) -> Regression:
        """Build the phase."""
        from .phase import Regression

        return Regression(self, context)
