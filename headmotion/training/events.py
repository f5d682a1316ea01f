"""Observers: what is told of a training run as it goes on, and changes nothing that training depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .health_checks import Watch
from .phases import Phase
from .previews import MakesGenerator, Sample, Sampler


@dataclass(frozen=True)
class Started:
    """A run begins, or goes on where it was stopped."""

    name: str
    """The recipe's."""


@dataclass(frozen=True)
class Stepped:
    """Step ``number`` of a phase was taken and gave these figures."""

    phase: Phase
    number: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Sampled:
    """A sample was made after step ``number``."""

    phase: Phase
    number: int
    sample: Sample


@dataclass(frozen=True)
class Warned:
    """Something looks wrong after step ``number``, as one line says."""

    phase: Phase
    number: int
    text: str


@dataclass(frozen=True)
class Ended:
    """The model was written; None: the run was stopped."""

    model: Path | None


Event = Started | Stepped | Sampled | Warned | Ended


class Observer(Protocol):
    """Is told what has happened. Must leave modules, tensors and random numbers alone, and pass over other events."""

    def __call__(self, event: Event) -> None:
        """See, show or store it."""
        ...


class Observers:
    """Several observers as one, with the watch and the sampler, which make further events of the steps."""

    def __init__(self, each: Sequence[Observer], watch: Watch, sampler: Sampler) -> None:
        self.each, self.watch, self.sampler = each, watch, sampler

    def __call__(self, event: Event) -> None:
        """Tell all, in order; after a step also what it gives rise to."""
        for observer in self.each:
            observer(event)
        if isinstance(event, Stepped):
            for further in self._further(event.phase, event.number, event.values):
                self(further)

    def _further(self, phase: Phase, number: int, values: Mapping[str, float]) -> Iterator[Warned | Sampled]:
        for text in self.watch.step(phase.name, values):
            yield Warned(phase, number, text)
        if isinstance(phase, MakesGenerator) and self.sampler.due(number):
            yield Sampled(phase, number, self.sampler.make(phase.result, number))
