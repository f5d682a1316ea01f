"""Regression: a phase in which the generator learns to predict the recorded motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headmotion import Phase, TrainContext

if TYPE_CHECKING:
    from .specs import RegressionSpec


class Regression(Phase):
    """One step: the mean absolute distance of generated from recorded motion, and an update of the generator."""

    def __init__(self, spec: RegressionSpec, context: TrainContext) -> None:
        self.name, self.steps = context.name, spec.steps
        self.generator = context.use("generator")
        before = self.generator.context_frames
        self.batches = context.batches(spec.frames, spec.steps, context_frames=before)
        self.parts = context.partition.grad_accumulation
        self.skipped = before * context.build_context.steps_per_frame
        # All that a step changes: a run that was stopped goes on from it.
        self.modules = {"generator": self.generator}
        self.stepper = context.stepper("generator", self.generator.parameters(), spec.optimizer, spec.steps)
        self.optimizers = {"generator": self.stepper}

    def start(self) -> None:
        """Prepare for the first step; parts of earlier phases are trained by now."""
        self.generator.requires_grad_(True)

    def step(self, number: int) -> Mapping[str, float]:
        """Take one step and return its values, for the log."""
        batch = self.batches(number)
        self.generator.train()
        for part in batch.parts(self.parts):
            real = part.sample
            seeds = [number * self.batches.size + sample for sample in part.samples]
            motion = self.generator(real.reference, real.audio[:, self.skipped :], seed=seeds)
            self.stepper.accumulate({"distance": (motion - real.motion).abs().mean()}, 1 / self.parts)
        return self.stepper.apply(number, batch.clips)

    def result(self) -> Mapping[str, Any]:
        """Return what is trained: a part of the pipeline, which goes into the model."""
        return {"generator": self.generator}
