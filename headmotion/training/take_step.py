"""A step of a phase as every training takes it: random numbers and schedules depend on the step's number alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import distributed, nn

from ..core.errors import OutputError
from ..core.gradient_trace import InfiniteGradientError, traced_gradients
from ..core.interfaces.phase import Phase, SupportsSchedule
from ..core.outputs import REMEDY, finite_outputs
from ..core.short_repr import shown
from .gradient_coverage import labeled_parts
from .stepper import NotFiniteError


def take_step(phase: Phase, number: int, seed: int = 0) -> Mapping[str, float]:
    """Take one step of a phase and return its values by name.

    Args:
        phase: the phase, which was started.
        number: of the step.
        seed: of the training.

    Raises:
        OutputError: the step returned no values by name.
        NotFiniteError: a value is NaN or infinite; it names the part that returned the first one, or in whose code
            the gradient stopped being finite, if that can be found.
    """
    # Whatever a step draws or schedules depends on its number alone, so a resumed run does the same.
    torch.manual_seed(seed * 1_000_003 + number)
    set_progress(phase.modules.values(), number, phase.steps)
    try:
        values = phase.step(number)
    except NotFiniteError as error:
        raise _with_culprit(error, phase, number, seed) from None
    numbers = isinstance(values, Mapping) and all(isinstance(value, float | int) for value in values.values())
    if not (numbers and all(isinstance(name, str) for name in values)):
        raise OutputError(f"phase {phase.name}", "step to return numbers by name", shown(values), REMEDY)
    return values


def _with_culprit(error: NotFiniteError, phase: Phase, number: int, seed: int) -> NotFiniteError:
    """Take a step that failed once more, with all outputs and gradients checked, and add the part that spoiled it."""
    # Of several processes one could stop here, and the others would wait for it.
    if distributed.is_available() and distributed.is_initialized():
        return error
    try:
        torch.manual_seed(seed * 1_000_003 + number)
        with finite_outputs(), traced_gradients():
            phase.step(number)
    except OutputError as found:
        got = f"{found.component} is the first part that returned NaN or infinity"
    except InfiniteGradientError as found:
        got = f"the gradient of {found.term} stops being finite in {found.part or _reached(phase, found.parameters)}"
    except Exception:
        return error  # what a step does after it has failed means nothing
    else:
        return error
    return NotFiniteError(error.component, error.expected, f"{error.got}; {got}", error.remedy)


def _reached(phase: Phase, parameters: Iterable[nn.Parameter]) -> str:
    """Return the parts of a phase that parameters belong to, or else the phase."""
    infinite = {id(parameter) for parameter in parameters}
    labels = [label for label, part in labeled_parts(phase) if any(id(p) in infinite for p in part.parameters())]
    return ", ".join(labels) or f"phase {phase.name}"


def set_progress(modules: Iterable[nn.Module], step: int, steps: int) -> None:
    """Set the progress of all modules with `SupportsSchedule`, also of those inside others."""
    for module in modules:
        for part in module.modules():
            # First by the class, because a protocol costs microseconds for each of hundreds of modules.
            if hasattr(type(part), "set_progress") and isinstance(part, SupportsSchedule):
                part.set_progress(step, steps)
