"""Supervised phase: a part learns to predict a track, or whatever its own training terms ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn
from typing_extensions import override

from ..core.checkpoint import load_checkpoint, save_checkpoint
from ..core.errors import SpecError, TrainingError
from ..core.interfaces.loss import Loss
from ..core.interfaces.phase import Phase
from ..core.interfaces.sample import Sample, Track
from ..core.outputs import checked_terms
from .batch_norm import WholeBatchNorm
from .batch_partition import replay_state_per_part
from .batches import MOTION, Batch
from .context import PIPELINE_PARTS, TrainContext, frames_after
from .loss_checks import learned_parameters, require_made_tracks
from .running_mean import RunningMean
from .specs import SupervisedPhaseSpec
from .stepper import Stepper
from .targets import EncoderTarget, Target, build_target


def build_supervised(spec: SupervisedPhaseSpec, context: TrainContext) -> SupervisedPhase:
    """Build the phase with its part and losses.

    Raises:
        SpecError: the part is unknown, or cannot be trained so.
    """
    losses = cast("list[Loss]", context.build(spec.losses, offset=100))
    if spec.part is None:
        part = context.use(spec.trains)
    elif spec.trains in (*PIPELINE_PARTS, *context.parts):
        remedy = "choose another name for `trains`"
        raise SpecError(f"{context.name} phase", "a new name for a new part", repr(spec.trains), remedy)
    else:
        (part,) = context.build([spec.part], offset=300)
    return SupervisedPhase(spec, context, build_target(spec.trains, part, context, spec.track), losses)


class SupervisedPhase(Phase):
    """Update one part by its distance from a recorded track, by losses, and by its own training terms.

    Raises:
        SpecError: nothing that the part could learn from, a track that is nowhere, or a loss that would need training.
    """

    optimizers: dict[str, Stepper]

    def __init__(
        self, spec: SupervisedPhaseSpec, context: TrainContext, target: Target, losses: Sequence[Loss]
    ) -> None:
        self.spec, self.steps, self.name, self.target = spec, spec.steps, context.name, target
        self.context, self.connected = context, [*losses, target.module]
        self.losses, self.partition = list(losses), context.partition
        for loss in losses:
            if learned_parameters(loss):
                got = f"loss {loss.spec.type_name()}, which learns"
                raise SpecError(f"{self.name} phase", "losses without parameters", got, "use an adversarial phase")
        require_made_tracks(context, target, losses)
        context.connect(self.connected)
        made = frozenset[Track]() if target.makes is None else frozenset((target.makes,))
        tracks = context.tracks(losses, MOTION | target.needs | made)
        self.batches = context.batches(
            spec.frames,
            spec.steps,
            tracks,
            spec.data(context.data),
            target.context_frames,
            frames_after([*losses, target.module]),
        )
        self.partition.check_divisible(self.name, self.batches.size, 1, "whole clips in each")
        self.average = RunningMean(target.module, spec.ema_decay)
        self.modules: dict[str, nn.Module] = {
            spec.trains: target.module,
            "averaged": self.average.mean,
            "losses": nn.ModuleList(losses),
        }
        trained = list(target.module.parameters())
        if isinstance(target, EncoderTarget):
            self.modules["head"] = target.head
            trained += target.head.parameters()
        self.norm = WholeBatchNorm([target.module], self.partition)
        if spec.part is not None:  # parts of the pipeline are in the model; a new one has a file (SupportsResultFile)
            self.result_file = f"{spec.trains}.safetensors"
        self.optimizers = {spec.trains: context.stepper(spec.trains, trained, spec.optimizer, spec.steps)}

    def write_result(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write a new part, with the pipeline that it belongs to."""
        part = self.result()[self.spec.trains]
        tensors = {name: value.detach().cpu().contiguous() for name, value in part.state_dict().items()}
        save_checkpoint(path, self._described(), tensors, step=self.steps, card=dict(card))

    def read_result(self, path: Path) -> None:
        """Take the weights of a part from the file of another run.

        Raises:
            TrainingError: another part.
        """
        header, tensors = load_checkpoint(path)
        part, expected = self.result()[self.spec.trains], self._described()["part"]
        try:
            if header.spec.get("part") != expected:
                raise RuntimeError(f"another spec, {header.spec.get('part')}")
            part.load_state_dict(tensors)
        except RuntimeError as error:
            got = f"{path}: {str(error).splitlines()[-1].strip()}"
            raise TrainingError(f"{self.name} phase", "the part of the recipe", got, "train it anew") from None

    def _described(self) -> dict[str, Any]:
        part = self.spec.part
        described = None if part is None else part.model_dump(mode="json")
        return {"pipeline": self.context.pipeline.spec.model_dump(mode="json"), "part": described}

    @override
    def start(self) -> None:
        self.context.connect(self.connected)
        self.target.module.requires_grad_(True)
        self.average.reset()

    @override
    def result(self) -> Mapping[str, Any]:
        return {self.spec.trains: self.average.mean if self.spec.ema_decay else self.target.module}

    @override
    def step(self, number: int) -> Mapping[str, float]:
        batch, stepper = self.batches(number), self.optimizers[self.spec.trains]
        parts = batch.parts(self.partition.grad_accumulation)
        self.target.module.train()
        self.norm.measure(lambda part: self._terms(part, number), parts)
        for part in replay_state_per_part(parts, [self.target.module, *self.losses]):
            terms = self._terms(part, number)
            if not terms:
                remedy = "set a distance or losses, or train a part with terms of its own"
                raise SpecError(f"{self.name} phase", "something to learn from", "no terms", remedy)
            stepper.accumulate(terms, 1 / len(parts))
        values = stepper.apply(number, batch.clips)
        self.average.update(number)
        return values

    def _terms(self, part: Batch, number: int) -> dict[str, Tensor]:
        first, real = number * self.batches.size, part.sample
        seeds = range(first + part.samples.start, first + part.samples.stop)
        terms = dict(self.target.training_terms(real, number, seeds))
        if self.spec.distance == "none" and not self.losses:
            return terms
        predicted = self.target.generate(real, seeds)
        terms |= self._distance(real, predicted)
        for loss in self.losses:
            terms |= checked_terms(loss, loss(real, predicted, number), real.motion.device)
        return terms

    def _distance(self, real: Sample, predicted: Sample) -> dict[str, Tensor]:
        if self.target.makes is None or self.spec.distance == "none":
            return {}
        track = str(self.target.makes)
        difference = getattr(predicted, track) - getattr(real, track)
        return {track: difference.abs().mean() if self.spec.distance == "l1" else difference.square().mean()}
