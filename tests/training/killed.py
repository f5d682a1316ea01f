"""Runs that are killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

import headmotion as hm


class Killed(Exception):
    """Stands for a kill."""


@contextmanager
def killed_at(number: int, phase: type[hm.Phase]) -> Iterator[None]:
    """Kill the training in the body when phases of a class take their step ``number``."""
    uninterrupted = phase.step

    def step(self: hm.Phase, current: int) -> Mapping[str, float]:
        if current == number:
            raise Killed
        return uninterrupted(self, current)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        patched.setattr(phase, "step", step)
        yield
