"""Which parameters no gradient reaches, or no phase trains: weights that would stay as they were drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from torch import nn

from ..core.component import Component
from ..core.errors import TrainingError
from ..core.interfaces.phase import Phase
from ..pipeline.pipeline import PARTS, Pipeline

WATCHED_STEPS = 5
"""First steps of a phase that are watched. A term that begins later has a gradient of 0 until then, if it is multiplied
by 0 rather than left out."""
MAX_NAMED = 5
"""Parameters that a warning names at most."""


class GradientCoverage:
    """Watches the first steps of a phase for parameters of its optimizers without any gradient.

    Args:
        phase: the phase.
        steps: number of steps to watch.
    """

    def __init__(self, phase: Phase, steps: int = WATCHED_STEPS) -> None:
        self.phase, self.steps = phase, min(steps, phase.steps)
        trained = {id(p) for optimizer in phase.optimizers.values() for p in optimizer.parameters}
        self.parts = {
            label: {name: p for name, p in part.named_parameters() if id(p) in trained}
            for label, part in labeled_parts(phase)
        }
        self._reached: set[int] = set()
        # Noted when it comes, because an optimizer may clear the gradient within the step.
        self._hooks = [
            parameter.register_post_accumulate_grad_hook(lambda p: self._reached.add(id(p)))  # type: ignore[no-untyped-call]
            for parameters in self.parts.values()
            for parameter in parameters.values()
        ]

    def update(self, number: int) -> list[str]:
        """Look at the gradients after step ``number``; return a warning for each part that is reached in part only.

        Raises:
            TrainingError: no parameter of a part was reached in the steps that are watched.
        """
        if number < self.steps:
            for parameters in self.parts.values():
                self._reached |= {id(p) for p in parameters.values() if p.grad is not None}
        if number >= self.steps - 1:
            for hook in self._hooks:
                hook.remove()
        return list(self._warnings()) if number == self.steps - 1 else []

    def _warnings(self) -> Iterator[str]:
        for label, parameters in self.parts.items():
            lost = [name for name, parameter in parameters.items() if id(parameter) not in self._reached]
            if lost and len(lost) == len(parameters):
                expected = f"a gradient for {label}"
                remedy = "let its terms depend on its parameters (look for detach() and no_grad()), or freeze them"
                raise TrainingError(f"{self.phase.name} phase", expected, f"none in {self.steps} steps", remedy)
            if lost:
                names = ", ".join(lost[:MAX_NAMED]) + (", ..." if len(lost) > MAX_NAMED else "")
                count = f"{len(lost)} of {len(parameters)} parameters of {label} are not trained"
                yield f"{count}: no gradient has reached {names} in {self.steps} steps"


def labeled_parts(phase: Phase) -> Iterator[tuple[str, nn.Module]]:
    """Yield the parts in a phase's modules with a label; those of a list one by one."""
    for key, module in phase.modules.items():
        for part in module if isinstance(module, nn.ModuleList) else (module,):
            yield f"{part.spec.kind} {part.spec.type_name()}" if isinstance(part, Component) else key, part


def untrained_parts(pipeline: Pipeline, phases: Sequence[Phase], given: Collection[str] = ()) -> list[str]:
    """Return a warning for each part that others build upon, and whose weights go into the model as they were drawn.

    A generator is often a placeholder where only a renderer is trained, and a renderer where only a generator is.

    Args:
        pipeline: whose parts the phases train.
        phases: all phases of a training.
        given: parts whose weights come from a model.
    """
    made = {name for phase in phases for name in phase.result()}
    if made.isdisjoint(PARTS):  # there is no model
        return []
    trained = {id(p) for phase in phases for each in phase.optimizers.values() for p in each.parameters}
    warnings = []
    for name in ("representation", "audio_encoder"):
        part = getattr(pipeline, name)
        parameters = list(part.parameters()) if name not in {*made, *given} else []
        if parameters and not any(id(parameter) in trained for parameter in parameters):
            count = sum(parameter.numel() for parameter in parameters)
            label = f"{name.replace('_', ' ')} {part.spec.type_name()}"
            warnings.append(f"no phase trains the {count:,} parameters of {label}, which stay as they were drawn")
    return warnings
