"""The check as a type, the levels, and the list of all checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Version of the kit. From the first release on it rises when a check is added or asks for more; each check states the
version since which it is as it is."""

LEVELS: Mapping[int, str] = {
    1: "must: pipelines, checkpoints or the registry break without it",
    2: "should: training, batches or streams suffer without it",
    3: "good manners: documentation, memory, clear errors",
}
"""Meaning of a check's level. Headmotion's own parts pass all three."""

OFFERS = ("model", "recipe", "converter", "reader", "writer")
"""Kinds of what plugins offer besides parts; they have no specs."""

CheckFunction = Callable[[Any], object]
"""Takes a `Subject`, `PhaseSubject`, `ControlSubject` or `Offer`. It raises an error where the promise is broken, and
`NotApplicable` where no such promise is made."""


class NotApplicable(Exception):
    """Raised by a check about something that the part does not have."""


@dataclass(frozen=True)
class Check:
    """One promise of a kind of part."""

    name: str
    """Identifier, such as ``generator-keeps-shapes``."""
    kind: str
    """``spec``: specs of every kind; empty: parts of every kind but phases and controls; or one of `OFFERS`."""
    level: int
    """1 required, 2 recommended, 3 good practice."""
    since: int
    """Version of the kit in which it was added or last asked for more."""
    promise: str
    """What is promised, in a sentence or two."""
    remedy: str
    """What is most often wrong where it fails."""
    run: CheckFunction
    """The function that runs it on a subject."""


CHECKS: dict[str, dict[str, Check]] = {}
"""The checks by kind (``spec``: specs of every kind; ``""``: all parts but phases and controls) and name."""


def check(kind: str, level: int, remedy: str, since: int = 1) -> Callable[[CheckFunction], CheckFunction]:
    """Return a decorator that adds a function to `CHECKS`.

    The function's docstring is the promise, and its name with hyphens is the name of the check.

    Args:
        kind: of the parts that it checks; ``spec`` for specs of every kind, empty for parts of every kind but
            phases.
        level: see `LEVELS`.
        remedy: what is most often wrong where it fails.
        since: version of the kit in which it was added or last asked for more.
    """

    def add(function: CheckFunction) -> CheckFunction:
        name = function.__name__.replace("_", "-")
        # One line, because reports print it in a table.
        promise = " ".join((function.__doc__ or "").split())
        CHECKS.setdefault(kind, {})[name] = Check(name, kind, level, since, promise, remedy, function)
        return function

    return add


def checks_of(kind: str, level: int = max(LEVELS), kit: int = VERSION) -> dict[str, Check]:
    """Return the checks of a kind by name, those of every kind first.

    Args:
        kind: such as ``generator``.
        level: the highest level to include.
        kit: version of the kit; later checks are left out.
    """
    # A phase is no component: it is built from a pipeline and a corpus, and a checkpoint stores what it trains.
    # A control is a value.
    components = {} if kind in ("phase", "control") else CHECKS[""]
    of_specs = {} if kind in OFFERS else CHECKS["spec"] | components
    checks = of_specs | CHECKS.get(kind, {})
    return {name: item for name, item in checks.items() if item.level <= level and item.since <= kit}
