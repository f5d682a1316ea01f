"""Checks of every kind of part: determinism, stored state, no side effects."""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ...core.checkpoint import load_checkpoint, save_checkpoint
from ...core.component import hidden_weights
from ...core.interfaces.phase import SupportsSchedule
from ...core.interfaces.renderer import SupportsTraining
from ...core.outputs import split_outputs
from ...training.take_step import set_progress
from ..build_context import Subject
from ..inputs import assert_close, picture_inputs
from ..kit import NotApplicable, check
from ..outputs import fixed_inputs, input_tensors, output_on_fixed_inputs, output_vector


@check(
    "",
    1,
    "Look for state that is kept between calls or parts (globals, caches, counters, the clock), and divisions by 0.",
)
def output_is_deterministic(subject: Subject) -> None:
    """Built twice with one seed, a part gives the same finite output for the same input."""
    outputs = []
    for _ in range(2):
        part = subject.build()
        # The same global state both times, so that only the part's own state can differ.
        with _global_rngs(seed=5):
            outputs.append(output_on_fixed_inputs(subject, part))
    assert outputs[0].isfinite().all(), "NaN or infinite"
    assert_close(outputs[0], outputs[1], "two parts of one seed", 0.0)


@check("", 1, "Keep all state in parameters and buffers (self.register_buffer); recompute what follows from the spec.")
def checkpoint_round_trips(subject: Subject) -> None:
    """A part that is saved as a checkpoint (spec and tensors) and built from the file gives the same output."""
    part = subject.build(0)
    with tempfile.TemporaryDirectory() as folder:
        spec = subject.spec.model_dump(mode="json")
        path = save_checkpoint(Path(folder) / "part.safetensors", spec, part.state_dict())
        header, tensors = load_checkpoint(path)
    # Another seed, so that a weight which is missing from the file has another value.
    loaded = replace(subject, spec=type(subject.spec).model_validate(header.spec)).build(1)
    loaded.load_state_dict(tensors)
    expected = output_on_fixed_inputs(subject, part)
    assert_close(output_on_fixed_inputs(subject, loaded), expected, "after loading", 0.0)


@check("", 1, "Keep modules in nn.ModuleList or nn.ModuleDict instead of a plain list, tuple or dict.")
def weights_are_registered(subject: Subject) -> None:
    """No weights are in a plain list or dict of the part, where neither training nor a checkpoint finds them."""
    if subject.spec.kind not in (
        "representation",
        "audio_encoder",
        "generator",
        "renderer",
        "discriminator",
        "loss",
        "syncer",
    ):
        raise NotApplicable("parts of this kind are neither trained nor stored")
    with torch.random.fork_rng(devices=[]):
        part = subject.spec.build(subject.context)  # before it is given parts of earlier phases, which it may hide
    hidden = list(hidden_weights(part, (subject.context.representation,)))
    assert not hidden, f"weights in {', '.join(hidden)}"


@check("", 2, "Draw from torch.Generator().manual_seed(seed), never from torch.rand, np.random or random.")
def global_rngs_are_untouched(subject: Subject) -> None:
    """The global random states of Python, NumPy and torch are neither used nor changed, except for initial weights."""
    outputs = []
    # Two global seeds: a part that draws from the global state gives two outputs.
    for seed in range(2):
        with _global_rngs(seed):
            before = _rng_states()
            part = subject.build()
            outputs.append(output_on_fixed_inputs(subject, part))
            changed = [name for name, state in _rng_states().items() if state != before[name]]
            assert not changed, f"the global random state of {' and '.join(changed)} has changed"
    assert_close(outputs[0], outputs[1], "with other global random states", 0.0)


@check("", 2, "Write to copies: value = value + 1, value.clone(), not value += 1 or value[...] = on an argument.")
def inputs_are_not_modified(subject: Subject) -> None:
    """A part does not write to the tensors that it is given."""
    part = subject.build()
    inputs = fixed_inputs(subject, part)
    tensors = input_tensors(inputs)
    before = [tensor.clone() for tensor in tensors]
    with torch.no_grad():
        output_vector(subject, part, inputs)
    unchanged = all(torch.equal(new, old) for new, old in zip(tensors, before, strict=True))
    assert unchanged, "an input has changed"


@check("", 2, "Hold no open files, locks or lambdas in the part, and no tensors with a gradient besides parameters.")
def deep_copies_are_equal(subject: Subject) -> None:
    """A deep copy, which training uses for the moving average of the weights, gives the same output."""
    part = subject.build()
    expected = output_on_fixed_inputs(subject, part)
    assert_close(output_on_fixed_inputs(subject, copy.deepcopy(part)), expected, "a copy", 0.0)


@check("", 2, "Look for detach(), .data, .item(), argmax or torch.no_grad() on the way, and for unused layers.")
def gradients_reach_parameters(subject: Subject) -> None:
    """In training mode a finite gradient reaches every parameter that requires one.

    Weights of an encoder that are not to be trained require none (`hm.freeze`).
    """
    part = subject.build().train()
    trained_kind = subject.spec.kind in ("audio_encoder", "generator", "syncer", "discriminator")
    if not trained_kind and not isinstance(part, SupportsTraining):
        raise NotApplicable("parts of this kind are not trained")
    trained = {name: parameter for name, parameter in part.named_parameters() if parameter.requires_grad}
    if not trained:
        raise NotApplicable("it has no parameters")
    with torch.random.fork_rng(devices=[]):
        if isinstance(part, SupportsTraining):
            pictures, others = split_outputs(cast("Any", part), part.pictures(*picture_inputs(subject, part, 2, 3)))
            output = torch.cat([v.flatten() for v in (pictures, *others.values()) if v.is_floating_point()])
        else:
            output = output_vector(subject, part, fixed_inputs(subject, part))
        assert output.requires_grad, "the output does not depend on any parameter"
        # Random weights, because a plain sum can cancel: the gradient of a softmax's sum is 0.
        (output * torch.randn(output.shape)).sum().backward()  # type: ignore[no-untyped-call]
    unreached = [n for n, p in trained.items() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()]
    assert not unreached, f"no gradient, or none that is finite, reaches {', '.join(unreached)}"


@check("", 1, "Set buffers in set_progress, by the step alone: buffer.fill_(value); count no calls.")
def progress_is_in_the_checkpoint(subject: Subject) -> None:
    """With `SupportsSchedule`, the last step's progress is in the state and does not depend on earlier steps."""
    part = subject.build()
    if not any(isinstance(module, SupportsSchedule) for module in part.modules()):
        raise NotApplicable("it has no schedule")
    for step in (0, 4, 9):
        set_progress([part], step, 10)
    expected = output_on_fixed_inputs(subject, part)
    loaded, direct = subject.build(1), subject.build()
    loaded.load_state_dict(part.state_dict())
    assert_close(output_on_fixed_inputs(subject, loaded), expected, "after loading", 0.0)
    set_progress([direct], 9, 10)
    assert_close(output_on_fixed_inputs(subject, direct), expected, "without the earlier steps", 0.0)


def _rng_states() -> dict[str, Any]:
    """Return the global random states as values that can be compared."""
    kind, keys, *position = np.random.get_state()
    return {
        "Python": random.getstate(),
        "NumPy": (kind, np.asarray(keys).tobytes(), *position),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@contextmanager
def _global_rngs(seed: int) -> Iterator[None]:
    """Seed the global random states inside the block, and restore them after it."""
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
