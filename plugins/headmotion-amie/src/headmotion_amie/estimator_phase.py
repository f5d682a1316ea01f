"""The phase in which an estimator learns on recorded pairs, before it guides or measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import headmotion as hm
from headmotion.training.batch_norm import WholeBatchNorm
from headmotion.training.batch_partition import replay_state_per_part

from .bounds import BOUNDS, EMPTY, pair_scores
from .estimator_file import restore_estimator, save_estimator
from .specs import EstimatorPhaseSpec
from .speech import CONTEXT
from .statistics_network import StatisticsNetwork


class EstimatorPhase(hm.Phase):
    """Raise the bound on pairs of recorded clips. The log has the bound, and by how much it exceeds that of ``T = 0``.

    Raises:
        SpecError: the corpus lacks the track that the estimator compares with speech.
    """

    def __init__(self, spec: EstimatorPhaseSpec, context: hm.TrainContext) -> None:
        self.name, self.steps, self.spec, self.pipeline = context.name, spec.steps, spec, context.pipeline.spec
        tracks = context.tracks((), {"motion", "audio", spec.track})
        data = spec.data(context.data)
        self.batches = context.batches(spec.frames, spec.steps, tracks, data, CONTEXT[0], CONTEXT[1])
        self.partition = context.partition
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed + 400)
            network = StatisticsNetwork(spec, context.build_context, f"{context.name} phase")
        self.network = network.to(context.pipeline.device, self.partition.dtype)
        self.norm = WholeBatchNorm([self.network], self.partition)
        self.modules = {"estimator": self.network}
        self.stepper = context.stepper("estimator", self.network.parameters(), spec.optimizer, spec.steps)
        self.optimizers = {"estimator": self.stepper}
        self.result_file = f"{spec.result}.safetensors"

    def start(self) -> None:
        """Nothing of earlier phases is used."""

    def step(self, number: int) -> Mapping[str, float]:
        """Take one step; return minus the bound as ``information_loss``."""
        batch = self.batches(number)
        parts = batch.parts(self.partition.grad_accumulation)
        self.network.train()
        self.norm.measure(lambda part: self.network(part.sample), parts)
        for part in replay_state_per_part(parts, [self.network]):
            bound = BOUNDS[self.spec.bound](*pair_scores(self.network(part.sample)))
            gain = {"gain": bound.detach() - EMPTY[self.spec.bound]}
            self.stepper.accumulate({"information_loss": -bound}, 1 / len(parts), gain)
        return self.stepper.apply(number, batch.clips)

    def result(self) -> Mapping[str, Any]:
        """Return the estimator."""
        return {self.spec.result: self.network}

    def write_result(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write the estimator, for the metric ``amie/estimator``."""
        save_estimator(path, self.pipeline, self.spec, self.network, card)

    def read_result(self, path: Path) -> None:
        """Take the weights of such a file."""
        restore_estimator(path, self.pipeline, self.spec, self.network)
