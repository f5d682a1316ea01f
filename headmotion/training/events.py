"""Events of a training run, and the observers that receive them and change nothing that training depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.interfaces.phase import Phase
from .health_checks import HealthChecks
from .previews import Preview, PreviewMaker


@dataclass(frozen=True)
class Started:
    """A run begins, or goes on where it was stopped."""

    name: str
    """The recipe's."""


@dataclass(frozen=True)
class Stepped:
    """Step ``number`` of a phase was taken and gave these values."""

    phase: Phase
    """The phase that took the step."""
    number: int
    """Number of the step in its phase, from 0."""
    values: Mapping[str, float]
    """Logged values by name."""


@dataclass(frozen=True)
class Previewed:
    """A preview was made after step ``number``."""

    phase: Phase
    """The phase whose result is shown."""
    number: int
    """Number of the step in its phase, from 0."""
    preview: Preview
    """The motion and its video."""


@dataclass(frozen=True)
class Warned:
    """Something looks wrong after step ``number``; the text is one line."""

    phase: Phase
    """The phase that the warning is about."""
    number: int
    """Number of the step in its phase, from 0."""
    text: str
    """The warning, one line."""


@dataclass(frozen=True)
class Ended:
    """The model was written; None: the run was stopped."""

    model: Path | None
    """File that was written; None if the run was interrupted."""


Event = Started | Stepped | Previewed | Warned | Ended


class Observer(Protocol):
    """Receives the events of a run.

    It must leave modules, tensors and random numbers alone, and ignore events that it does not know.
    """

    def __call__(self, event: Event) -> None:
        """Show or store an event."""
        ...


class EventDispatcher:
    """Passes events to several observers, and makes the warnings and previews that follow from a step.

    Args:
        observers: receive every event, in this order.
        health_checks: look at the values of each step.
        previews: made every so many steps of a phase that trains what they show.
    """

    def __init__(self, observers: Sequence[Observer], health_checks: HealthChecks, previews: PreviewMaker) -> None:
        self.observers, self.health_checks, self.previews = observers, health_checks, previews

    def __call__(self, event: Event) -> None:
        """Pass an event to all observers, and after a step also what follows from it."""
        for observer in self.observers:
            observer(event)
        if isinstance(event, Stepped):
            for further in self._consequences(event.phase, event.number, event.values):
                self(further)

    def _consequences(self, phase: Phase, number: int, values: Mapping[str, float]) -> Iterator[Warned | Previewed]:
        for text in self.health_checks.update(phase.name, values):
            yield Warned(phase, number, text)
        if self.previews.due(number) and (preview := self.previews.make(phase.result(), number)) is not None:
            yield Previewed(phase, number, preview)
