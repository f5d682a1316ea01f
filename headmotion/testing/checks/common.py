"""Checks of what every kind of part promises: repeatability, its stored state, no effect on anything else."""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.checkpoint import load_checkpoint, save_checkpoint
from ..build_context import Subject
from ..inputs import given, made, outcome, same
from ..kit import NotApplicable, check


@check("", 1, "Look for state that is kept between calls or parts: module globals, caches, counters, the clock.")
def outcome_repeats(subject: Subject) -> None:
    """Built twice from one seed, a part makes the same of the same input, in finite numbers."""
    results = []
    for _ in range(2):
        part = subject.build()
        with _global_chance(5):
            results.append(outcome(subject, part))
    assert results[0].isfinite().all(), "NaN or infinite"
    same(results[0], results[1], "twice from one seed", 0.0)


@check("", 1, "Keep all state in parameters and buffers (self.register_buffer); what follows from the spec, recompute.")
def checkpoint_round_trips(subject: Subject) -> None:
    """A part that is saved as a checkpoint, spec and tensors, and built anew from the file is the same part."""
    part = subject.build(0)
    with tempfile.TemporaryDirectory() as folder:
        described = subject.spec.model_dump(mode="json")
        path = save_checkpoint(Path(folder) / "part.safetensors", described, part.state_dict())
        header, tensors = load_checkpoint(path)
    loaded = replace(subject, spec=type(subject.spec).model_validate(header.spec)).build(1)
    loaded.load_state_dict(tensors)
    same(outcome(subject, loaded), outcome(subject, part), "after loading", 0.0)


@check("", 2, "Draw from torch.Generator().manual_seed(seed), never from torch.rand, np.random or random.")
def chance_is_its_own(subject: Subject) -> None:
    """The global random states of Python, NumPy and torch are neither used nor moved, initial weights apart."""
    results = []
    for seed in range(2):
        with _global_chance(seed):
            before = _chance()
            part = subject.build()
            results.append(outcome(subject, part))
            moved = [name for name, state in _chance().items() if state != before[name]]
            assert not moved, f"the global random state of {' and '.join(moved)} has moved"
    same(results[0], results[1], "with other global random states", 0.0)


@check("", 2, "Write to copies: value = value + 1, value.clone(), not value += 1 or value[...] = on what was given.")
def inputs_stay_as_they_are(subject: Subject) -> None:
    """A part does not write to the tensors that it is given."""
    part = subject.build()
    inputs = given(subject, part)
    before = [each.clone() for each in inputs]
    with torch.no_grad():
        made(subject, part, inputs)
    assert all(torch.equal(now, then) for now, then in zip(inputs, before, strict=True)), "an input has changed"


@check("", 2, "Hold no open files, locks or lambdas in the part, and no tensors with a gradient outside of parameters.")
def copies_are_equal(subject: Subject) -> None:
    """A deep copy, which training keeps as the running mean of the weights, makes the same of the same input."""
    part = subject.build()
    same(outcome(subject, copy.deepcopy(part)), outcome(subject, part), "a copy", 0.0)


@check("", 2, "Look for detach(), .data, .item(), argmax or torch.no_grad() on the way, and layers without use.")
def gradients_reach_parameters(subject: Subject) -> None:
    """In training mode a finite gradient reaches every parameter that requires one."""
    if subject.spec.kind not in ("generator", "syncer", "discriminator", "loss"):
        raise NotApplicable("parts of this kind are not trained")
    part = subject.build().train()
    trained = {name: each for name, each in part.named_parameters() if each.requires_grad}
    if not trained:
        raise NotApplicable("it has no parameters")
    with torch.random.fork_rng(devices=[]):
        result = made(subject, part, given(subject, part))
        assert result.requires_grad, "the result does not depend on any parameter"
        (result * torch.randn(result.shape)).sum().backward()  # type: ignore[no-untyped-call]
    lost = [n for n, p in trained.items() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()]
    assert not lost, f"no gradient, or none that is finite, reaches {', '.join(lost)}"


def _chance() -> dict[str, Any]:
    """The global random states, as values that can be compared."""
    kind, keys, *rest = np.random.get_state()
    return {
        "Python": random.getstate(),
        "NumPy": (kind, np.asarray(keys).tobytes(), *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@contextmanager
def _global_chance(seed: int) -> Iterator[None]:
    """Other global random states inside, and those of before afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
