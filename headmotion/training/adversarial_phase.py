"""Second phase: the generator, free running, against discriminators and guided by losses."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..core.discriminator import Discriminator
from ..core.generator import Generator
from ..core.loss import Loss, LossInput
from .batches import Batches
from .phases import Stepper
from .recipe import GeneratorPhase


def hinge_discriminator(real: Tensor, generated: Tensor) -> Tensor:
    """``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G))]``; 2 at zero scores. Source: MS-Sync, eq. 12."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def hinge_generator(generated: Tensor) -> Tensor:
    """``-E[D(G)]``; 0 at zero scores. Source: MS-Sync, eqs. 9 to 11."""
    return -generated.mean()


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
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.modules: dict[str, nn.Module] = {
            "generator": generator,
            "averaged": self.averaged,
            "discriminator": discriminator,
            "losses": nn.ModuleList(losses),
        }
        self.optimizers: dict[str, Stepper] = {
            "generator": Stepper("generator", generator.parameters(), spec.generator_optimizer, spec.steps),
            "discriminator": Stepper(
                "discriminator", discriminator.parameters(), spec.discriminator_optimizer, spec.steps
            ),
        }

    @property
    def result(self) -> Generator:
        """The generator to keep: the running mean of the weights, or the weights themselves."""
        return self.averaged if self.spec.average else self.generator

    def step(self, number: int) -> Mapping[str, float]:
        """One update of the discriminators and one of the generator."""
        batch, context = self.batches(number), self.generator.context_frames
        reference, real = batch.motion[:, :context], batch.motion[:, context:]
        steps = self.batches.context.steps_per_frame * context
        self.generator.train()
        seeds = range(number * len(real), (number + 1) * len(real))
        generated = self.generator(reference, batch.audio[:, steps:], seed=seeds)
        figures = self._discriminate(number, reference, real, generated.detach())
        terms = self._adversarial(reference, generated)
        data = LossInput(reference, generated, real, batch.audio)
        for loss in self.losses:
            terms |= loss(data)
        figures["gradient"] = self.optimizers["generator"].step(number, terms)
        self._average(number)
        return figures | {name: float(term.detach()) for name, term in terms.items()}

    def _discriminate(self, number: int, reference: Tensor, real: Tensor, generated: Tensor) -> dict[str, float]:
        if not self.spec.adversarial_weight:
            return {}
        self.discriminator.train().requires_grad_(True)
        on_real, on_generated = self.discriminator(reference, real), self.discriminator(reference, generated)
        terms = {f"d_{head}": hinge_discriminator(score, on_generated[head]) for head, score in on_real.items()}
        self.optimizers["discriminator"].step(number, terms)
        return {name: float(term.detach()) for name, term in terms.items()}

    def _adversarial(self, reference: Tensor, generated: Tensor) -> dict[str, Tensor]:
        if not self.spec.adversarial_weight:
            return {}
        self.discriminator.requires_grad_(False)
        scores = self.discriminator(reference, generated)
        return {f"g_{head}": self.spec.adversarial_weight * hinge_generator(score) for head, score in scores.items()}

    @torch.no_grad()
    def _average(self, number: int) -> None:
        # Early weights are forgotten faster, or the mean would keep the random start.
        decay = min(self.spec.average, (1 + number) / (10 + number))
        for mean, value in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(value, 1 - decay if self.spec.average else 1.0)
        for kept, statistic in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(statistic)
