"""Adversarial phase: a generator or a renderer is trained against discriminators and guided by losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator, SupportsPrediction
from ..core.interfaces.loss import Loss, SupportsObjective
from ..core.interfaces.phase import Phase, Problem
from ..core.interfaces.sample import Sample
from ..core.outputs import checked_scores, checked_terms
from .adversarial_checks import discriminator_won, still_pictures, wrong_spread
from .adversarial_objectives import OBJECTIVES
from .batch_norm import WholeBatchNorm
from .batch_partition import replay_state_per_part
from .batches import MOTION, Batch
from .context import TrainContext, frames_after
from .loss_checks import learned_parameters, require_made_tracks
from .running_mean import RunningMean
from .specs import AdversarialPhaseSpec
from .stepper import Stepper
from .targets import Target, build_target


@dataclass(frozen=True)
class RealPart:
    """A part of a batch, with the seeds of what is generated for it."""

    sample: Sample
    """Recorded clips."""
    seeds: range
    """Seeds of random numbers, one per clip."""


def build_adversarial(spec: AdversarialPhaseSpec, context: TrainContext) -> AdversarialPhase:
    """Build the phase with its target, discriminator and losses."""
    discriminator, *losses = context.build([spec.discriminator, *spec.losses], offset=100)
    target = build_target(spec.trains, context.use(spec.trains), context)
    return AdversarialPhase(spec, context, target, cast("Discriminator", discriminator), cast("list[Loss]", losses))


class AdversarialPhase(Phase):
    """Update the discriminators, then losses that learn, then what is trained, on the same batch.

    Source: MS-Sync, eqs. 9 to 14.

    Raises:
        SpecError: a batch that cannot be divided into pairs, a track that is nowhere, or a loss with parameters that
            nothing trains.
    """

    optimizers: dict[str, Stepper]

    def __init__(
        self,
        spec: AdversarialPhaseSpec,
        context: TrainContext,
        target: Target,
        discriminator: Discriminator,
        losses: Sequence[Loss],
    ) -> None:
        self.spec, self.context, self.steps, self.name = spec, context, spec.steps, context.name
        self.target, self.discriminator, self.losses = target, discriminator, list(losses)
        self.objective, self.partition = OBJECTIVES[spec.objective], context.partition
        judges: list[Discriminator | Loss] = [*([discriminator] if spec.judges else []), *losses]
        require_made_tracks(context, target, judges)
        self.connected = [*judges, target.module]
        context.connect(self.connected)
        self.batches = context.batches(
            spec.frames,
            spec.steps,
            context.tracks(judges, MOTION | target.needs),
            spec.data(context.data),
            target.context_frames,
            frames_after([*judges, target.module]),
        )
        self.partition.check_divisible(self.name, self.batches.size, 2, "whole pairs of clips in each")
        self.average = RunningMean(target.module, spec.ema_decay)
        self.norm = WholeBatchNorm([target.module, discriminator], self.partition)
        self.modules: dict[str, nn.Module] = {
            spec.trains: target.module,
            "averaged": self.average.mean,
            "discriminator": discriminator,
            "losses": nn.ModuleList(losses),
        }
        self._predicted: set[str] = set()  # names of predictions, which are no scores
        self.learned = [parameter for loss in self.losses for parameter in learned_parameters(loss)]
        stepper = context.stepper(spec.trains, target.module.parameters(), spec.optimizer, self.steps)
        self.optimizers = {spec.trains: stepper}
        if spec.judges:
            self._add_stepper("discriminator", discriminator.parameters())
        if self.learned:
            self._add_stepper("losses", self.learned)

    def _add_stepper(self, name: str, parameters: Iterable[nn.Parameter]) -> None:
        spec = self.spec.discriminator_optimizer if name == "discriminator" else self.spec.loss_optimizer
        self.optimizers[name] = self.context.stepper(name, parameters, spec, self.steps)

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
        batch = self.batches(number)
        parts = [self._seeded(part, number) for part in batch.parts(self.partition.grad_accumulation)]
        self.target.module.train()
        self.norm.measure(self._generate, parts)
        # With one part, one rollout serves both updates. With several, their graphs together would fill the memory.
        generated = self._generate(parts[0]) if len(parts) == 1 else None
        # Both updates below look at the same samples, so they are generated once for both.
        samples = self._detached(parts, generated) if self.spec.judges or self.learned else []
        values = self._step_discriminator(number, parts, samples, batch.clips)
        values |= self._step_losses(number, parts, samples, batch.clips)
        values |= self._step_target(number, parts, generated, batch.clips)
        self.average.update(number)
        return values

    def problems(self, means: Mapping[str, float]) -> Iterable[Problem]:
        """Return discriminators that have won, and motion or pictures that freeze or diverge."""
        yield from discriminator_won(self.spec, means, self._predicted)
        yield from still_pictures(means) if self.target.makes == "frames" else wrong_spread(means)

    def _seeded(self, part: Batch, number: int) -> RealPart:
        first = number * self.batches.size
        return RealPart(part.sample, range(first + part.samples.start, first + part.samples.stop))

    def _generate(self, part: RealPart) -> Sample:
        return self.target.generate(part.sample, part.seeds)

    def _step_discriminator(
        self, number: int, parts: list[RealPart], samples: list[Sample], clips: Sequence[str]
    ) -> dict[str, float]:
        if not self.spec.judges:
            return {}
        self.discriminator.train().requires_grad_(True)
        stepper = self.optimizers["discriminator"]
        pairs = list(zip(parts, samples, strict=True))
        for part, generated in replay_state_per_part(pairs, [self.discriminator]):
            real_scores, generated_scores = self._scores(part.sample), self._scores(generated)
            terms = {
                f"d_{head}": self.objective.discriminator(score, generated_scores[head])
                for head, score in real_scores.items()
            }
            terms |= {f"d_{name}": term for name, term in self._predictions(part.sample).items()}
            stepper.accumulate(terms, 1 / len(parts))
        values = stepper.apply(number, clips)
        return values | {"d_gradient": values.pop("gradient")}

    def _step_losses(
        self, number: int, parts: list[RealPart], samples: list[Sample], clips: Sequence[str]
    ) -> dict[str, float]:
        if not self.learned:
            return {}
        self._freeze_losses(False)
        stepper = self.optimizers["losses"]
        pairs = list(zip(parts, samples, strict=True))
        for part, generated in replay_state_per_part(pairs, self.losses):
            terms: dict[str, Tensor] = {}
            for loss in self.losses:
                if isinstance(loss, SupportsObjective):
                    objective = checked_terms(
                        loss, loss.objective(part.sample, generated, number), generated.motion.device, "objective"
                    )
                    terms |= {f"objective_{name}": term for name, term in objective.items()}
            stepper.accumulate(terms, 1 / len(parts))
        values = stepper.apply(number, clips)
        self._freeze_losses(True)
        return values | {"objective_gradient": values.pop("gradient")}

    def _freeze_losses(self, frozen: bool) -> None:
        # Only the parameters that are learned: others of the same loss may have been frozen on purpose.
        for parameter in self.learned:
            parameter.requires_grad_(not frozen)

    def _detached(self, parts: list[RealPart], generated: Sample | None) -> list[Sample]:
        """Return the generated samples of all parts without a gradient."""
        return self._generate_all(parts) if generated is None else [generated.detached()]

    @torch.no_grad()
    def _generate_all(self, parts: list[RealPart]) -> list[Sample]:
        """Return the samples of all parts, and leave buffers and random state as they were."""
        # The last, empty part restores them.
        replayed = replay_state_per_part([*parts, None], [self.target.module])
        return [self._generate(part) for part in replayed if part is not None]

    def _step_target(
        self, number: int, parts: list[RealPart], generated: Sample | None, clips: Sequence[str]
    ) -> dict[str, float]:
        self.discriminator.requires_grad_(False)
        stepper = self.optimizers[self.spec.trains]
        for part in replay_state_per_part(parts, [self.target.module, self.discriminator, *self.losses]):
            sample = self._generate(part) if generated is None else generated
            terms = self._adversarial(sample)
            terms |= self.target.training_terms(part.sample, number, part.seeds)
            for loss in self.losses:
                terms |= checked_terms(loss, loss(part.sample, sample, number), sample.motion.device)
            spreads = {"generated_spread": spread(self._made(sample)), "real_spread": spread(self._made(part.sample))}
            stepper.accumulate(self._scheduled(terms, number), 1 / len(parts), spreads)
        values = stepper.apply(number, clips)
        generated_spread, real_spread = values.pop("generated_spread"), values.pop("real_spread")
        return values | {"spread_ratio": generated_spread / real_spread if real_spread else 1.0}

    def _made(self, sample: Sample) -> Tensor:
        values: Tensor = getattr(sample, cast("str", self.target.makes))
        return values

    def _scores(self, sample: Sample) -> dict[str, Tensor]:
        if not self.spec.adversarial_weight:
            return {}
        with self.partition.autocast(sample.motion.device):
            scores = checked_scores(self.discriminator, self.discriminator(sample), sample.motion.device)
        return {head: score.to(sample.motion.dtype) for head, score in scores.items()}

    def _predictions(self, sample: Sample) -> Mapping[str, Tensor]:
        if not isinstance(self.discriminator, SupportsPrediction):
            return {}
        with self.partition.autocast(sample.motion.device):
            terms = self.discriminator.predictions(sample)
        terms = checked_terms(self.discriminator, terms, sample.motion.device, "predictions")
        self._predicted |= terms.keys()
        return {name: term.to(sample.motion.dtype) for name, term in terms.items()}

    def _adversarial(self, sample: Sample) -> dict[str, Tensor]:
        weight, prediction_weight = self.spec.adversarial_weight, self.spec.prediction_weight
        scores = self._scores(sample)
        terms = {f"g_{head}": weight * self.objective.generator(score) for head, score in scores.items()}
        own = weight if prediction_weight is None else prediction_weight
        # With weight 0 a discriminator that predicts is trained on recorded samples, but does not guide.
        predictions = self._predictions(sample) if own else {}
        return terms | {f"g_{name}": own * term for name, term in predictions.items()}

    def _scheduled(self, terms: dict[str, Tensor], number: int) -> dict[str, Tensor]:
        if unknown := self.spec.schedule.keys() - terms.keys():
            raise SpecError(f"{self.name} schedule", f"terms among {', '.join(terms)}", repr(sorted(unknown)[0]))
        return terms | {name: terms[name] * ramp.at(number) for name, ramp in self.spec.schedule.items()}


def spread(values: Tensor) -> Tensor:
    """Return the mean standard deviation over time of motion or pictures ``[B, T, ...]``."""
    return values.detach().std(1, correction=0).mean()
