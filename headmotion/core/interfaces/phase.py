"""Phase: a part of a training, with steps, modules and optimizers, and the named parts that it makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class PhaseOptimizer(Protocol):
    """An optimizer whose state a run stores, such as `headmotion.training.stepper.Stepper`."""

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        """What it trains."""
        ...

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer itself, whose learning rate is shown."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Return the state by name, for a safetensors file."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""
        ...


class Phase(ABC):
    """A number of steps over some modules, each step a function of the modules' state and the step's number alone.

    All phases of a recipe are built before the first step of any, so `result` returns the parts as they will be trained
    in place. The trainer calls `start` when the earlier phases are finished, restores the state of a resumed run, and
    then calls `step` with one number after another. Before each step it seeds torch's global random numbers by the
    step's number, and sets the progress of modules with `SupportsSchedule`.
    """

    name: str
    """Name in the recipe, the log and the training state."""
    steps: int
    """Number of steps."""
    modules: Mapping[str, nn.Module]
    """Everything that a resumed run must restore, besides the optimizers."""
    optimizers: Mapping[str, PhaseOptimizer]
    """Optimizers by name."""

    @abstractmethod
    def start(self) -> None:
        """Prepare for the first step: parts that earlier phases made are trained now."""

    @abstractmethod
    def step(self, number: int) -> Mapping[str, float]:
        """Take one step and return its values by name, for the log."""

    @abstractmethod
    def result(self) -> Mapping[str, Any]:
        """Return what the phase makes, by name.

        Names of the pipeline's parts (``generator``, ``renderer``, ``representation``, ``audio_encoder``) go into the
        model; they are modules with the same tensors as the pipeline's. Others are for later phases, which ask for them
        by `TrainContext.use`. The names do not change.
        """


@runtime_checkable
class UsesParts(Protocol):
    """A part that works with parts which earlier phases made: a loss with trained syncers, or what a phase trains.

    A generator or renderer needs them after training too, when there are no phases. It builds a copy of its own in
    ``__init__``, from a field of its spec, and `use_parts` copies the weights; `hm.freeze` makes them
    buffers, which are in the model and which nothing trains.
    """

    uses: tuple[str, ...]
    """Names of the parts, which its spec should let users change."""

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        """Take the parts, which are neither trained nor stored with this part.

        It is called when the phase is built, so that what does not fit is refused before any training, and again when
        the phase starts and the parts are trained and frozen.

        Raises:
            SpecError: a part of another kind than expected.
        """
        ...


@runtime_checkable
class SupportsSchedule(Protocol):
    """A part, or a module in one, that depends on how far its training is: a rate that falls, a margin that grows.

    Before each step the trainer calls it for every such module in the phase's `Phase.modules`. What the part sets is a
    function of the step alone, so that a resumed run goes on bit for bit. What inference needs of it must be a buffer:
    the value of the last step is then in the model.
    """

    def set_progress(self, step: int, steps: int) -> None:
        """Set whatever depends on the step that follows.

        Args:
            step: number of the step in its phase, from 0 to ``steps - 1``.
            steps: of the phase.
        """
        ...


@runtime_checkable
class SupportsResultFile(Protocol):
    """A phase whose result is a file of its own, which other runs can use instead of training it anew."""

    result_file: str
    """Name of the file in the run's folder, such as ``syncers.safetensors``."""

    def write_result(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write the file.

        Args:
            path: the file.
            card: how the result was trained; empty if it was read from a file.
        """
        ...

    def read_result(self, path: Path) -> None:
        """Take the weights of a file in place of training.

        Raises:
            CheckpointError: no such file, or damaged.
            TrainingError: the result of a phase with other settings.
        """
        ...


class Problem(NamedTuple):
    """Something about a phase's values that is wrong if it lasts."""

    title: str
    """What is wrong; also identifies the problem from step to step."""
    values: str
    """The values that show it."""
    causes: tuple[str, ...]
    """Likely causes, the likeliest first."""


@runtime_checkable
class SupportsHealthChecks(Protocol):
    """A phase that can tell from its own values whether something is wrong."""

    def problems(self, means: Mapping[str, float]) -> Iterable[Problem]:
        """Return what looks wrong.

        Args:
            means: running means of the logged values by name.
        """
        ...


@runtime_checkable
class SupportsFinalCheck(Protocol):
    """A phase that examines its result, or the data by its result, when it is finished."""

    def final_warnings(self) -> Iterable[str]:
        """Return warnings of one line each; nothing of the training may change."""
        ...
