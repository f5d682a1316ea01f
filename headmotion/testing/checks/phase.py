"""Checks of phases: a few steps on a small corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from ...core.interfaces.phase import Phase
from ...core.short_repr import shown
from ...training.take_step import take_step
from ..kit import NotApplicable, check
from ..phase_subject import PhaseSubject


@check("phase", 1, "Return {'name': part} from result(), with the same names before and after training.")
def phase_results_have_names(subject: PhaseSubject) -> None:
    """It has the name of its context, and its results have names, the same before and after its steps."""
    with subject.context() as context:
        phase = subject.build(context)
        assert isinstance(phase, Phase), f"build returned a {type(phase).__name__}"
        assert phase.name == context.name, f"the name {phase.name!r}, but that of the context is {context.name!r}"
        made = phase.result()
        assert isinstance(made, Mapping), f"result returned {shown(made)}"
        before = set(made)
        assert before and all(isinstance(name, str) and name for name in before), f"results {sorted(map(str, before))}"
        _run(phase, range(phase.steps))
        assert set(phase.result()) == before, f"results {sorted(phase.result())}, but {sorted(before)} before"


@check("phase", 1, "Call accumulate and apply of the optimizers in step(), and keep what they train in `modules`.")
def phase_steps_move_its_parameters(subject: PhaseSubject) -> None:
    """Steps give finite values by name, and change the parameters of each optimizer, all of which are in `modules`."""
    with subject.context() as context:
        phase = subject.build(context)
        phase.start()
        held = {id(parameter) for module in phase.modules.values() for parameter in module.parameters()}
        for name, optimizer in phase.optimizers.items():
            assert optimizer.parameters, f"the optimizer {name!r} trains nothing"
            missing = sum(id(parameter) not in held for parameter in optimizer.parameters)
            assert not missing, f"{missing} parameters of the optimizer {name!r} are in no module"
        before = _parameters(phase)
        values = _run(phase, range(phase.steps))
        for name, value in values.items():
            assert isinstance(value, int | float) and math.isfinite(value), f"{name}: {value!r}"
        for name, after in _parameters(phase).items():
            changed = any(not torch.equal(new, old) for new, old in zip(after, before[name], strict=True))
            assert changed, f"the steps change nothing that the optimizer {name!r} holds"


@check("phase", 1, "Put every module and every part with tensors that a step changes into `modules`.")
def phase_modules_hold_its_results(subject: PhaseSubject) -> None:
    """Every tensor of its results is in `modules`, so that a run that goes on later has them."""
    with subject.context() as context:
        phase = subject.build(context)
        held = {id(tensor) for module in phase.modules.values() for tensor in _tensors(module)}
        for name, part in phase.result().items():
            missing = sum(id(tensor) not in held for tensor in _tensors(part)) if isinstance(part, nn.Module) else 0
            assert not missing, f"{missing} tensors of the result {name!r} are in no module"


@check("phase", 1, "A step may depend on `modules`, `optimizers` and its number only: keep no counters, no generators.")
def phase_resumes_exactly(subject: PhaseSubject) -> None:
    """A phase that is stopped after a step, and restored into one of other initial weights, goes on bit for bit."""
    with subject.context() as context:
        whole = subject.build(context)
        if whole.steps < 2:
            raise NotApplicable("it takes a single step")
        whole.start()
        _steps(whole, range(1))
        modules = {name: _copies(module.state_dict()) for name, module in whole.modules.items()}
        optimizers = {name: _copies(optimizer.tensors()) for name, optimizer in whole.optimizers.items()}
        expected = _steps(whole, range(1, whole.steps))
        state = {name: _copies(module.state_dict()) for name, module in whole.modules.items()}
    with subject.context(seed=1) as context:
        context.seed = 0  # other weights of the pipeline, the same clips and noise
        resumed = subject.build(context)
        resumed.start()
        for name, module in resumed.modules.items():
            module.load_state_dict(modules[name])
        for name, optimizer in resumed.optimizers.items():
            optimizer.restore(optimizers[name])
        values = _steps(resumed, range(1, resumed.steps))
        assert dict(values) == dict(expected), f"{dict(values)} after the break, {dict(expected)} without"
        for name, module in resumed.modules.items():
            after = module.state_dict()
            wrong = [key for key, value in state[name].items() if not torch.equal(after[key], value)]
            assert not wrong, f"other values after the break: {name}/{wrong[0]}"


def _run(phase: Phase, numbers: range) -> Mapping[str, float]:
    phase.start()
    return _steps(phase, numbers)


def _steps(phase: Phase, numbers: range) -> Mapping[str, float]:
    """Take steps as the trainer does, and return the values of the last."""
    values: Mapping[str, float] = {}
    with torch.random.fork_rng(devices=[]):
        for number in numbers:
            values = take_step(phase, number)
    return values


def _parameters(phase: Phase) -> dict[str, list[Tensor]]:
    return {name: [p.detach().clone() for p in optimizer.parameters] for name, optimizer in phase.optimizers.items()}


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _copies(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: cast("Tensor", value).clone() for name, value in tensors.items()}
