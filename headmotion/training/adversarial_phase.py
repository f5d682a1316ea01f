"""Second phase: the generator, free running, against discriminators and guided by losses."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.errors import SpecError
from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.generator import Generator
from ..core.interfaces.loss import Loss, LossInput
from .batch_norm import WholeBatchNorm
from .batch_partition import from_one_start
from .batches import Batch, Batches
from .phases import Stepper
from .recipe import GeneratorPhase, OptimizerSpec


def hinge_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]``; 2 at zero scores. Source: MS-Sync, eq. 12."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def hinge_generator(generated: Tensor) -> Tensor:
    """``-E[D(G)]``; 0 at zero scores. Source: MS-Sync, eqs. 9 to 11."""
    return -generated.mean()


def spread(motion: Tensor) -> Tensor:
    """Mean standard deviation over time of motion ``[B, T, P, D]``."""
    return motion.detach().std(1, correction=0).mean()


@dataclass(frozen=True)
class Example:
    """A part of a batch as the generator sees it."""

    reference: Tensor
    """Frames before the generated ones, ``[B, R, P, D]``."""
    real: Tensor
    """``[B, T, P, D]``."""
    audio: Tensor
    """``[B, 4*(R+T), C]``."""
    seeds: range
    """Of the noise, one per sample."""


class AdversarialPhase:
    """Discriminator first, then generator, on the same batch. Source: MS-Sync, eqs. 9 to 14."""

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
        self.division = batches.division
        self.division.check(self.name, batches.size, 2, "whole pairs of clips in each")
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.norm = WholeBatchNorm([generator, discriminator], self.division)
        self.modules: dict[str, nn.Module] = {
            "generator": generator,
            "averaged": self.averaged,
            "discriminator": discriminator,
            "losses": nn.ModuleList(losses),
        }
        self.optimizers = {
            "generator": self._stepper("generator", generator, spec.generator_optimizer),
            "discriminator": self._stepper("discriminator", discriminator, spec.discriminator_optimizer),
        }

    def _stepper(self, name: str, module: nn.Module, spec: OptimizerSpec) -> Stepper:
        return Stepper(name, module.parameters(), spec, self.steps, self.division.processes)

    @property
    def result(self) -> Generator:
        """The generator to keep: the running mean of the weights, or the weights themselves."""
        return self.averaged if self.spec.ema_decay else self.generator

    def step(self, number: int) -> Mapping[str, float]:
        """One update of the discriminators and one of the generator."""
        batch = self.batches(number)
        parts = [self._example(part, number) for part in batch.parts(self.division.grad_accumulation)]
        self.generator.train()
        self.norm.measure(self._generated, parts)
        # Of a batch in one part the graph is kept for the generator's own update; of several it would fill the memory.
        alone = self._generated(parts[0]) if len(parts) == 1 else None
        figures = self._step_discriminator(number, parts, alone, batch.clips)
        figures |= self._step_generator(number, parts, alone, batch.clips)
        self._average(number)
        return figures

    def _example(self, part: Batch, number: int) -> Example:
        context = self.generator.context_frames
        seeds = range(number * self.batches.size + part.samples.start, number * self.batches.size + part.samples.stop)
        return Example(part.motion[:, :context], part.motion[:, context:], part.audio, seeds)

    def _generated(self, part: Example) -> Tensor:
        steps = self.batches.context.steps_per_frame * self.generator.context_frames
        with self.division.autocast(part.audio.device):
            generated: Tensor = self.generator(part.reference, part.audio[:, steps:], seed=part.seeds)
        return generated.to(part.real.dtype)

    def _step_discriminator(
        self, number: int, parts: list[Example], alone: Tensor | None, clips: Sequence[str]
    ) -> dict[str, float]:
        if not self.spec.adversarial_weight:
            return {}
        made = [alone.detach()] if alone is not None else self._generated_before(parts)
        self.discriminator.train().requires_grad_(True)
        stepper = self.optimizers["discriminator"]
        for part, generated in from_one_start(list(zip(parts, made, strict=True)), [self.discriminator]):
            on_real, on_generated = self._scores(part, part.real), self._scores(part, generated)
            terms = {f"d_{head}": hinge_discriminator(score, on_generated[head]) for head, score in on_real.items()}
            stepper.accumulate(terms, 1 / len(parts))
        figures = stepper.apply(number, clips)
        return figures | {"d_gradient": figures.pop("gradient")}

    @torch.no_grad()
    def _generated_before(self, parts: list[Example]) -> list[Tensor]:
        """The motion of all parts, after which buffers and chance are as they were."""
        every = from_one_start([*parts, None], [self.generator])
        return [self._generated(part) for part in every if part is not None]

    def _step_generator(
        self, number: int, parts: list[Example], alone: Tensor | None, clips: Sequence[str]
    ) -> dict[str, float]:
        self.discriminator.requires_grad_(False)
        stepper = self.optimizers["generator"]
        for part in from_one_start(parts, [self.generator, self.discriminator, *self.losses]):
            generated = self._generated(part) if alone is None else alone
            terms = self._adversarial(part, generated)
            data = LossInput(part.reference, generated, part.real, part.audio)
            for loss in self.losses:
                terms |= loss(data)
            moved = {"generated_spread": spread(generated), "real_spread": spread(part.real)}
            stepper.accumulate(self._scheduled(terms, number), 1 / len(parts), moved)
        figures = stepper.apply(number, clips)
        made, real = figures.pop("generated_spread"), figures.pop("real_spread")
        return figures | {"spread_ratio": made / real if real else 1.0}

    def _scores(self, part: Example, motion: Tensor) -> dict[str, Tensor]:
        with self.division.autocast(motion.device):
            scores = self.discriminator(part.reference, motion)
        return {head: score.to(motion.dtype) for head, score in scores.items()}

    def _adversarial(self, part: Example, generated: Tensor) -> dict[str, Tensor]:
        weight = self.spec.adversarial_weight
        if not weight:
            return {}
        return {f"g_{head}": weight * hinge_generator(score) for head, score in self._scores(part, generated).items()}

    def _scheduled(self, terms: dict[str, Tensor], number: int) -> dict[str, Tensor]:
        if stray := self.spec.schedule.keys() - terms.keys():
            raise SpecError("generator schedule", f"terms among {', '.join(terms)}", repr(sorted(stray)[0]))
        return terms | {name: terms[name] * ramp.at(number) for name, ramp in self.spec.schedule.items()}

    @torch.no_grad()
    def _average(self, number: int) -> None:
        # Early weights are forgotten faster, or the mean would keep the random start.
        decay = min(self.spec.ema_decay, (1 + number) / (10 + number))
        for mean, value in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(value, 1 - decay if self.spec.ema_decay else 1.0)
        for kept, statistic in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(statistic)
