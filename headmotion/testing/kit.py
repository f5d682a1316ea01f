"""What a check is, the levels, and the list of all checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .build_context import Subject

VERSION = 1
"""Version of the kit. It rises when a check is added or asks for more; each check says since when it is there."""

LEVELS: Mapping[int, str] = {
    1: "must: pipelines, checkpoints or the registry break without it",
    2: "should: training, batches or streams suffer without it",
    3: "good manners: documentation, memory, clear errors",
}
"""What a check's level means. Parts of headmotion itself keep all three."""

Promise = Callable[[Subject], object]
"""Raises where the promise is broken, and `NotApplicable` where the part has not made it."""


class NotApplicable(Exception):
    """The check is about something that this part does not have."""


@dataclass(frozen=True)
class Check:
    """One promise of a kind of part."""

    name: str
    kind: str
    """Empty: every kind."""
    level: int
    since: int
    """Version of the kit in which it came, or came to ask for more."""
    promise: str
    """What is promised, in a sentence or two."""
    remedy: str
    """What most often is wrong where it fails."""
    run: Promise


CHECKS: dict[str, dict[str, Check]] = {}
"""The checks by kind (``""``: every kind) and name."""


def check(kind: str, level: int, remedy: str, since: int = 1) -> Callable[[Promise], Promise]:
    """Add a function to `CHECKS`: its docstring is the promise, its name with hyphens is the name of the check."""

    def add(function: Promise) -> Promise:
        name = function.__name__.replace("_", "-")
        promise = " ".join((function.__doc__ or "").split())
        CHECKS.setdefault(kind, {})[name] = Check(name, kind, level, since, promise, remedy, function)
        return function

    return add


def checks_of(kind: str, level: int = max(LEVELS), kit: int = VERSION) -> dict[str, Check]:
    """The checks of a kind by name, those of every kind first.

    Args:
        level: the highest level wanted.
        kit: version of the kit that is meant; checks that came later are left out.
    """
    every = CHECKS[""] | CHECKS.get(kind, {})
    return {name: each for name, each in every.items() if each.level <= level and each.since <= kit}
