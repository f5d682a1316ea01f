"""Second phase: the free-running generator is trained against discriminators and guided by losses."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.generator import Generator
from ..core.interfaces.loss import Loss, SupportsObjective
from ..core.interfaces.sample import Sample
from .batch_norm import WholeBatchNorm
from .batch_partition import replay_state_per_part
from .batches import Batch, Batches
from .phases import Stepper
from .recipe import GeneratorPhase, OptimizerSpec


def hinge_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]``; 2 at zero scores. Source: MS-Sync, eq. 12."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def hinge_generator(generated: Tensor) -> Tensor:
    """Return ``-E[D(G)]``; 0 at zero scores. Source: MS-Sync, eqs. 9 to 11."""
    return -generated.mean()


def motion_spread(motion: Tensor) -> Tensor:
    """Return the mean standard deviation over time of motion ``[B, T, P, D]``."""
    return motion.detach().std(1, correction=0).mean()


@dataclass(frozen=True)
class GeneratorBatch:
    """A part of a batch, split into the reference and the frames to generate."""

    reference: Tensor
    """Frames before the generated ones, ``[B, R, P, D]``."""
    real: Tensor
    """Recorded frames in the place of the generated ones, ``[B, T, P, D]``."""
    audio: Tensor
    """Features of all frames, ``[B, steps_per_frame * (R + T), C]``."""
    seeds: range
    """Seeds of the noise, one per sample."""

    def sample(self, motion: Tensor) -> Sample:
        """Return what discriminators and losses look at, with recorded or generated motion."""
        return Sample(self.reference, motion, self.audio)


class AdversarialPhase:
    """Update the discriminators, then losses that learn, then the generator, on the same batch.

    Source: MS-Sync, eqs. 9 to 14.

    Raises:
        SpecError: a batch that cannot be divided into pairs, or a loss with parameters that nothing trains.
    """

    name = "generator"

    def __init__(
        self,
        spec: GeneratorPhase,
        generator: Generator,
        discriminator: Discriminator,
        losses: Sequence[Loss],
        batches: Batches,
    ) -> None:
        self.spec, self.steps, self.batches = spec, spec.steps, batches
        self.generator, self.discriminator, self.losses = generator, discriminator, list(losses)
        self.partition = batches.partition
        self.partition.check_divisible(self.name, batches.size, 2, "whole pairs of clips in each")
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.norm = WholeBatchNorm([generator, discriminator], self.partition)
        self.modules: dict[str, nn.Module] = {
            "generator": generator,
            "averaged": self.averaged,
            "discriminator": discriminator,
            "losses": nn.ModuleList(losses),
        }
        self.learned = [parameter for loss in self.losses for parameter in _learned_parameters(loss)]
        self.optimizers = {
            "generator": self._stepper("generator", generator.parameters(), spec.generator_optimizer),
            "discriminator": self._stepper("discriminator", discriminator.parameters(), spec.discriminator_optimizer),
        }
        if self.learned:
            self.optimizers["losses"] = self._stepper("losses", self.learned, spec.loss_optimizer)

    def _stepper(self, name: str, parameters: Iterable[nn.Parameter], spec: OptimizerSpec) -> Stepper:
        return Stepper(name, parameters, spec, self.steps, self.partition.processes)

    @property
    def result(self) -> Generator:
        """The generator to save: with the running mean of the weights, or with the weights themselves."""
        return self.averaged if self.spec.ema_decay else self.generator

    def step(self, number: int) -> Mapping[str, float]:
        """Update the discriminators, the losses that learn, and the generator, each once."""
        batch = self.batches(number)
        parts = [self._split(part, number) for part in batch.parts(self.partition.grad_accumulation)]
        self.generator.train()
        self.norm.measure(self._generate, parts)
        # With one part, one rollout serves both updates. With several, their graphs together would fill the memory.
        generated = self._generate(parts[0]) if len(parts) == 1 else None
        # Both updates below look at the same motion, so it is generated once for both.
        motions = self._detached(parts, generated) if self.spec.adversarial_weight or self.learned else []
        values = self._step_discriminator(number, parts, motions, batch.clips)
        values |= self._step_losses(number, parts, motions, batch.clips)
        values |= self._step_generator(number, parts, generated, batch.clips)
        self._update_average(number)
        return values

    def _split(self, part: Batch, number: int) -> GeneratorBatch:
        context = self.generator.context_frames
        seeds = range(number * self.batches.size + part.samples.start, number * self.batches.size + part.samples.stop)
        return GeneratorBatch(part.motion[:, :context], part.motion[:, context:], part.audio, seeds)

    def _generate(self, part: GeneratorBatch) -> Tensor:
        steps = self.batches.context.steps_per_frame * self.generator.context_frames
        with self.partition.autocast(part.audio.device):
            generated: Tensor = self.generator(part.reference, part.audio[:, steps:], seed=part.seeds)
        return generated.to(part.real.dtype)

    def _step_discriminator(
        self, number: int, parts: list[GeneratorBatch], motions: list[Tensor], clips: Sequence[str]
    ) -> dict[str, float]:
        if not self.spec.adversarial_weight:
            return {}
        self.discriminator.train().requires_grad_(True)
        stepper = self.optimizers["discriminator"]
        pairs = list(zip(parts, motions, strict=True))
        for part, motion in replay_state_per_part(pairs, [self.discriminator]):
            real_scores, generated_scores = self._scores(part.sample(part.real)), self._scores(part.sample(motion))
            terms = {
                f"d_{head}": hinge_discriminator(score, generated_scores[head]) for head, score in real_scores.items()
            }
            stepper.accumulate(terms, 1 / len(parts))
        values = stepper.apply(number, clips)
        return values | {"d_gradient": values.pop("gradient")}

    def _step_losses(
        self, number: int, parts: list[GeneratorBatch], motions: list[Tensor], clips: Sequence[str]
    ) -> dict[str, float]:
        if not self.learned:
            return {}
        self._freeze_losses(False)
        stepper = self.optimizers["losses"]
        pairs = list(zip(parts, motions, strict=True))
        for part, motion in replay_state_per_part(pairs, self.losses):
            real, generated = part.sample(part.real), part.sample(motion)
            terms: dict[str, Tensor] = {}
            for loss in self.losses:
                if isinstance(loss, SupportsObjective):
                    objective = loss.objective(real, generated, number)
                    terms |= {f"objective_{name}": term for name, term in objective.items()}
            stepper.accumulate(terms, 1 / len(parts))
        values = stepper.apply(number, clips)
        self._freeze_losses(True)
        return values | {"objective_gradient": values.pop("gradient")}

    def _freeze_losses(self, frozen: bool) -> None:
        # Only the parameters that are learned: others of the same loss may have been frozen on purpose.
        for parameter in self.learned:
            parameter.requires_grad_(not frozen)

    def _detached(self, parts: list[GeneratorBatch], generated: Tensor | None) -> list[Tensor]:
        """Return the generated motion of all parts without a gradient."""
        return [generated.detach()] if generated is not None else self._generate_all(parts)

    @torch.no_grad()
    def _generate_all(self, parts: list[GeneratorBatch]) -> list[Tensor]:
        """Return the motion of all parts, and leave buffers and random state as they were."""
        # The last, empty part restores them.
        replayed = replay_state_per_part([*parts, None], [self.generator])
        return [self._generate(part) for part in replayed if part is not None]

    def _step_generator(
        self, number: int, parts: list[GeneratorBatch], generated: Tensor | None, clips: Sequence[str]
    ) -> dict[str, float]:
        self.discriminator.requires_grad_(False)
        stepper = self.optimizers["generator"]
        for part in replay_state_per_part(parts, [self.generator, self.discriminator, *self.losses]):
            motion = self._generate(part) if generated is None else generated
            terms = self._adversarial(part, motion)
            for loss in self.losses:
                terms |= loss(part.sample(part.real), part.sample(motion), number)
            spreads = {"generated_spread": motion_spread(motion), "real_spread": motion_spread(part.real)}
            stepper.accumulate(self._scheduled(terms, number), 1 / len(parts), spreads)
        values = stepper.apply(number, clips)
        generated_spread, real_spread = values.pop("generated_spread"), values.pop("real_spread")
        return values | {"spread_ratio": generated_spread / real_spread if real_spread else 1.0}

    def _scores(self, sample: Sample) -> dict[str, Tensor]:
        with self.partition.autocast(sample.motion.device):
            scores = self.discriminator(sample)
        return {head: score.to(sample.motion.dtype) for head, score in scores.items()}

    def _adversarial(self, part: GeneratorBatch, motion: Tensor) -> dict[str, Tensor]:
        weight = self.spec.adversarial_weight
        if not weight:
            return {}
        scores = self._scores(part.sample(motion))
        return {f"g_{head}": weight * hinge_generator(score) for head, score in scores.items()}

    def _scheduled(self, terms: dict[str, Tensor], number: int) -> dict[str, Tensor]:
        if unknown := self.spec.schedule.keys() - terms.keys():
            raise SpecError("generator schedule", f"terms among {', '.join(terms)}", repr(sorted(unknown)[0]))
        return terms | {name: terms[name] * ramp.at(number) for name, ramp in self.spec.schedule.items()}

    @torch.no_grad()
    def _update_average(self, number: int) -> None:
        # Early weights are forgotten faster, or the mean would keep the random start.
        decay = min(self.spec.ema_decay, (1 + number) / (10 + number))
        for mean, value in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(value, 1 - decay if self.spec.ema_decay else 1.0)
        for copied, buffer in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            copied.copy_(buffer)


def _learned_parameters(loss: Loss) -> list[nn.Parameter]:
    """Return the parameters of a loss that require gradients.

    Raises:
        SpecError: there are some, but the loss has no objective for them.
    """
    learned = [parameter for parameter in loss.parameters() if parameter.requires_grad]
    if learned and not isinstance(loss, SupportsObjective):
        got = f"{len(learned)} parameters that nothing trains"
        remedy = "add the method `objective`, or make them buffers"
        raise SpecError(f"loss {loss.spec.type_name()}", "an objective of its own (SupportsObjective)", got, remedy)
    return learned
