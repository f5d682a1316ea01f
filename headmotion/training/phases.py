"""What a phase of training is, and what all phases share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from ..core.errors import TrainingError
from .recipe import OptimizerSpec


class Phase(Protocol):
    """A number of steps over some modules, each step a function of the modules' state and the step's number."""

    name: str
    steps: int
    modules: dict[str, nn.Module]
    """Everything that a resumed run must restore, beside the optimizers."""
    optimizers: dict[str, Stepper]

    def step(self, number: int) -> Mapping[str, float]:
        """Take one step and return its figures by name."""
        ...


class Stepper:
    """Adam with clipping, a late drop of the learning rate, and a check that every step stays finite."""

    def __init__(self, name: str, parameters: Iterable[nn.Parameter], spec: OptimizerSpec, steps: int) -> None:
        self.name, self.spec = name, spec
        self.parameters = [p for p in parameters if p.requires_grad]
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=spec.lr, betas=(spec.beta1, spec.beta2), weight_decay=spec.weight_decay
        )
        self.drop_at = steps - round(steps * spec.final_share)

    def step(self, number: int, terms: Mapping[str, Tensor]) -> float:
        """Follow the gradient of the sum of the terms; returns the gradient's norm.

        Raises:
            TrainingError: a term or the gradient is not finite; the parameters are left as they were.
        """
        for name, term in terms.items():
            if not torch.isfinite(term):
                raise TrainingError(f"{self.name} step {number}", f"a finite {name}", str(float(term.detach())))
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(terms.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.parameters, self.spec.clip_norm or float("inf")))
        if not norm < float("inf"):
            raise TrainingError(f"{self.name} step {number}", "a finite gradient", str(norm), "lower the learning rate")
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec.lr * (0.1 if number >= self.drop_at else 1.0)
        self.optimizer.step()
        return norm

    def tensors(self) -> dict[str, Tensor]:
        """The optimizer's state by parameter number and name, for a safetensors file."""
        state = self.optimizer.state_dict()["state"]
        return {
            f"{index}.{key}": torch.as_tensor(value) for index, values in state.items() for key, value in values.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` gave; a `ValueError` or `LookupError` if that was another optimizer's."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
            if key != "step" and value.shape != self.parameters[int(index)].shape:
                raise ValueError(f"{name} of shape {list(value.shape)}")
        if any(values.keys() != {"step", "exp_avg", "exp_avg_sq"} for values in state.values()):
            raise ValueError("not the state of Adam")
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})
