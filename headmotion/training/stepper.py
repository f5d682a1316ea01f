"""The optimizer step that phases share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from ..core.errors import TrainingError
from ..core.gradient_trace import active_trace
from .distributed import Processes
from .settings import OptimizerSpec

MAX_NAMED_CLIPS = 200
"""Clips that an error names at most."""


class NotFiniteError(TrainingError):
    """A term of a step, or its gradient, is NaN or infinite."""


class Stepper:
    """Adam over the mean gradient of all parts of a batch, with clipping and a check that every step stays finite.

    Args:
        name: of the networks, for errors.
        parameters: what is trained; those without gradients are left out.
        spec: of the optimizer.
        steps: of the phase.
        processes: those that average their gradients.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[nn.Parameter],
        spec: OptimizerSpec,
        steps: int,
        processes: Processes | None = None,
    ) -> None:
        self.name, self.spec, self.steps = name, spec, steps
        self.processes = processes or Processes()
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        algorithm = torch.optim.AdamW if spec.algorithm == "adamw" else torch.optim.Adam
        # One pass over memory for all weights. On the CPU it mistakes gaps between the numbers of a weight for numbers.
        fused = True if all(map(_is_dense, self.parameters)) else None
        betas = spec.beta1, spec.beta2
        self.optimizer = algorithm(self.parameters, spec.lr, betas, weight_decay=spec.weight_decay, fused=fused)
        self.drop_at = steps - round(steps * spec.lr_drop_fraction)
        self._sums: dict[str, Tensor] = {}

    def learning_rate(self, number: int) -> float:
        """Return the learning rate of a step, which depends on its number alone."""
        drop = 0.1 if number >= self.drop_at else 1.0
        return self.spec.lr * (self.spec.schedule.factor(number, self.steps) * drop)

    def accumulate(
        self, terms: Mapping[str, Tensor], share: float = 1.0, also: Mapping[str, Tensor] | None = None
    ) -> None:
        """Add the gradient of the sum of a part's terms.

        Args:
            terms: losses by name, means over the part.
            share: of the part in this process's samples.
            also: values to be averaged with the terms, without a gradient.
        """
        if not self._sums:
            self.optimizer.zero_grad(set_to_none=True)
        if not any(term.requires_grad for term in terms.values()):
            raise self._without_gradient(terms)
        if (trace := active_trace()) is not None:
            trace.follow(terms, self.parameters)
        total = torch.stack(list(terms.values())).sum()
        (total if share == 1 else total * share).backward()  # type: ignore[no-untyped-call]
        for name, value in {**terms, **(also or {})}.items():
            value = value.detach() * share
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def apply(self, number: int, clips: Sequence[str] = ()) -> dict[str, float]:
        """Update the parameters by the accumulated gradient.

        Args:
            number: of the step.
            clips: ids of the clips in the batch, for the error.

        Returns:
            The means of all accumulated values, and the gradient's norm as ``gradient``.

        Raises:
            NotFiniteError: a term or the gradient is not finite; the parameters are left as they were.
        """
        sums, self._sums = self._sums, {}
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if not gradients:
            raise self._without_gradient(sums)
        values = torch.stack([value.to(gradients[0]) for value in sums.values()])
        self.processes.average([*gradients, values])
        norm = nn.utils.clip_grad_norm_(self.parameters, self.spec.clip_norm or math.inf)
        # All numbers are read from the device at once: each read waits for the device.
        *means, length = torch.cat([values, norm[None]]).tolist()
        result = dict(zip(sums, means, strict=True)) | {"gradient": length}
        for name, value in result.items():
            if not math.isfinite(value):
                self.optimizer.zero_grad(set_to_none=True)
                raise self._not_finite(number, name, result, clips)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(number)
        self.optimizer.step()
        return result

    def step(self, number: int, terms: Mapping[str, Tensor], clips: Sequence[str] = ()) -> dict[str, float]:
        """`accumulate` and `apply` a batch in one part."""
        self.accumulate(terms)
        return self.apply(number, clips)

    def _without_gradient(self, terms: Iterable[str]) -> TrainingError:
        got = f"{', '.join(terms)}, which depend on none" if terms else "no terms"
        remedy = "look for detach(), no_grad() and frozen parameters on the way"
        return TrainingError(self.name, "terms that depend on what is trained", got, remedy)

    def _not_finite(self, number: int, name: str, values: Mapping[str, float], clips: Sequence[str]) -> NotFiniteError:
        """Return the error of a value; of an infinite gradient it says which of the finite terms is the largest."""
        names = ", ".join(clips[:MAX_NAMED_CLIPS]) + (", ..." if len(clips) > MAX_NAMED_CLIPS else "")
        got = f"{values[name]} with the clips {names}" if clips else str(values[name])
        terms = [term for term in values if term != "gradient"]
        if name == "gradient" and terms:
            largest = max(terms, key=lambda term: abs(values[term]))
            got += f"; the largest term is {largest}, {values[largest]:.3g}"
        remedy = "lower the learning rate, or look at the clips; the last saved state is as it was"
        return NotFiniteError(f"{self.name} step {number}", f"a finite {name}", got, remedy)

    def tensors(self) -> dict[str, Tensor]:
        """Return the optimizer's state by parameter number and name, for a safetensors file."""
        state = self.optimizer.state_dict()["state"]
        return {
            f"{index}.{key}": torch.as_tensor(value) for index, values in state.items() for key, value in values.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` returned.

        Raises:
            ValueError, LookupError: the state of another optimizer.
        """
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, key = name.split(".", 1)
            weight = self.parameters[int(index)]
            if key != "step" and value.shape != weight.shape:
                raise ValueError(f"{name} of shape {list(value.shape)}")
            # In the weight's own order of memory: in another, the same sums round otherwise.
            state.setdefault(int(index), {})[key] = value if key == "step" else torch.empty_like(weight).copy_(value)
        if any(values.keys() != {"step", "exp_avg", "exp_avg_sq"} for values in state.values()):
            raise ValueError("not the state of Adam")
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})


def _is_dense(weight: Tensor) -> bool:
    """Return whether the numbers of a weight lie in memory without gaps, in whatever order."""
    return torch.empty_like(weight, device="meta").stride() == weight.stride()
