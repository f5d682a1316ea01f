"""A case of a campaign, what became of it, and what counts as a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol


@dataclass(frozen=True)
class Call:
    """One call of the command line, or of ``run``, in a process of its own."""

    arguments: tuple[str, ...]
    """Of ``headmotion``; the name of the case's own program where there is ``run``."""
    statuses: tuple[int, ...] = (0, 2)
    """Exit statuses that are right; 2 is always one line and no output."""
    output: str = ""
    """Path below the working folder that the call may make or change."""
    keeps_progress: bool = False
    """Whether what was finished may stay in ``output`` after a failure, for the next call to continue."""
    run: Callable[[], None] | None = field(default=None, compare=False)
    """What to call instead of the command line."""
    further_outputs: tuple[str, ...] = ()
    """Paths besides ``output``, which the arguments name."""
    is_local: bool = False
    """Whether it may connect to this machine."""


@dataclass(frozen=True)
class Outcome:
    """What a process did."""

    status: int
    """Exit status; negative: the signal that ended it."""
    out: str
    err: str
    cpu_s: float
    wall_s: float
    peak_bytes: int
    """Memory beyond that of the process it was forked from."""
    events: tuple[str, ...] = ()
    """Names that were looked up, addresses that were connected to, and canaries that were opened."""
    changes: int = 0
    """Changes of files and folders, each of which is a place to be killed at."""
    timed_out: bool = False


@dataclass(frozen=True)
class Finding:
    """A broken rule."""

    rule: str
    """Name of the rule, such as ``traceback``."""
    detail: str
    """The observation, on one line."""
    arguments: tuple[str, ...] = ()
    """The call."""
    variant: str = ""
    """What the case varied, such as the file that was damaged and how."""


@dataclass(frozen=True)
class Result:
    """What a case brought to light."""

    variant: str
    findings: tuple[Finding, ...]
    calls: int
    refused: int
    """Calls that ended with an error line."""
    peak_bytes: int = 0
    cpu_s: float = 0.0
    """Of the longest call."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Other numbers, which are added up or whose maximum is taken by name."""


class Campaign(Protocol):
    """A kind of cases. The same seed and number give the same case on every machine."""

    @property
    def name(self) -> str:
        """As on the command line."""
        ...

    @property
    def title(self) -> str:
        """As in the table."""
        ...

    def run(self, rng: Random, folder: Path) -> Result:
        """Run one case in an empty folder."""
        ...


def summary(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return the fields of a `Result` that its outcomes determine."""
    ends = list(outcomes)
    return {
        "calls": len(ends),
        "refused": sum(end.status == 2 for end in ends),
        "peak_bytes": max((end.peak_bytes for end in ends), default=0),
        "cpu_s": max((end.cpu_s for end in ends), default=0.0),
    }
