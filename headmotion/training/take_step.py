"""A step of a phase as every training takes it: random numbers and schedules depend on the step's number alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from ..core.interfaces.phase import Phase, SupportsSchedule


def take_step(phase: Phase, number: int, seed: int = 0) -> Mapping[str, float]:
    """Take one step of a phase and return its values by name.

    Args:
        phase: the phase, which was started.
        number: of the step.
        seed: of the training.
    """
    # Whatever a step draws or schedules depends on its number alone, so a resumed run does the same.
    torch.manual_seed(seed * 1_000_003 + number)
    set_progress(phase.modules.values(), number, phase.steps)
    return phase.step(number)


def set_progress(modules: Iterable[nn.Module], step: int, steps: int) -> None:
    """Set the progress of all modules with `SupportsSchedule`, also of those inside others."""
    for module in modules:
        for part in module.modules():
            # First by the class, because a protocol costs microseconds for each of hundreds of modules.
            if hasattr(type(part), "set_progress") and isinstance(part, SupportsSchedule):
                part.set_progress(step, steps)
