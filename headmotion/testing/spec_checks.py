"""Checks of every kind of part: its spec, its repeatability, its stored state."""

from __future__ import annotations

import torch
from safetensors.torch import load, save

from .inputs import outcome, same
from .runner import Subject, check


@check()
def spec_is_documented(subject: Subject) -> None:
    """Every field of the spec but ``type`` has a description."""
    fields = type(subject.spec).model_fields
    bare = [name for name, field in fields.items() if name != "type" and not field.description]
    assert not bare, f"fields without a docstring: {', '.join(bare)}"


@check()
def spec_json_round_trips(subject: Subject) -> None:
    """A spec written as JSON and read again is the same spec, and the part that it builds knows it."""
    spec = subject.spec
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec, "JSON changes the spec"
    assert subject.build().spec == spec, "the part has another spec"


@check()
def outcome_repeats(subject: Subject) -> None:
    """Built twice from one seed, a part makes the same of the same input and leaves the global random state alone."""
    results = []
    for number in range(2):
        part = subject.build()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            before = torch.get_rng_state()
            results.append(outcome(subject, part))
            assert torch.equal(torch.get_rng_state(), before), "the global random state is used"
    assert results[0].isfinite().all(), "NaN or infinite"
    same(results[0], results[1], "twice from one seed", 0.0)


@check()
def state_dict_round_trips(subject: Subject) -> None:
    """All state is tensors; stored and loaded into another build, they give the same part."""
    first, second = subject.build(0), subject.build(1)
    second.load_state_dict(load(save({name: value.clone() for name, value in first.state_dict().items()})))
    same(outcome(subject, second), outcome(subject, first), "after loading", 0.0)
