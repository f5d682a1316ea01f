"""Why a check failed: in the words that help its author most, and the line of the part where to look."""

from __future__ import annotations

import inspect
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import OutputError, describe
from .build_context import Subject
from .offer import Offer
from .wrong_output import wrong_output

CRASHED = "Mend it first, because it kept the check from its question."
"""Remedy of a failure that is not about the promise itself."""


@dataclass(frozen=True)
class Failure:
    """Why a check failed."""

    detail: str
    """The reason in one line."""
    where: str
    """``file:line in function`` of the part's code; empty if it is unknown."""
    crashed: bool
    """Whether the part raised an error of its own, or returned something that no check can work with."""


def failure_of(error: Exception, subject: Any, of_spec: bool = False) -> Failure:
    """Return why a check failed.

    A part that returns something else than its interface promises fails many checks, each in other words. Then the
    promise of the interface is the reason of them all.

    Args:
        error: what the check raised.
        subject: the part under test.
        of_spec: whether the check is about the spec rather than about what it builds.
    """
    by_part = _raised_by_part(error, subject)
    if not by_part and (wrong := wrong_output(subject)) is not None:
        error = wrong
    where = next(filter(None, reversed(_lines(error, subject))), "") or _class_line(subject, of_spec)
    if isinstance(error, OutputError):  # without its remedy, which says to run the checks
        error = OutputError(error.component, error.expected, error.got)
    return Failure(describe(error), where, by_part or not isinstance(error, AssertionError))


def _raised_by_part(error: BaseException, subject: Any) -> bool:
    """Return whether an error comes from the part's code rather than the kit's; assertions of parts do, too."""
    while error.__cause__ is not None:  # of an assertion that was repeated with the sizes at which it failed
        error = error.__cause__
    lines = _lines(error, subject)
    return bool(lines and lines[-1])


def _lines(error: BaseException, subject: Any) -> list[str]:
    """Return the lines of the part's package on the way to an error, outermost first; a line of the kit is empty."""
    module = subject.module if isinstance(subject, Offer) else type(subject.spec).__module__
    package, trace = module.partition(".")[0], error.__traceback__
    lines = []
    while trace is not None:
        module, code = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_frame.f_code
        # For headmotion's own parts the kit is in the same package, but no part of it is at fault.
        if module.startswith(__package__):
            lines.append("")
        elif module.partition(".")[0] == package:
            lines.append(f"{_short_path(code.co_filename)}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return lines


def _class_line(subject: Any, of_spec: bool) -> str:
    """Return where the part's class is defined, or its spec's if it cannot be built; empty if that is unknown."""
    defined: Any = subject.function if isinstance(subject, Offer) else type(subject.spec)
    with suppress(Exception):  # the failure itself is reported already
        defined = type(subject.build()) if isinstance(subject, Subject) and not of_spec else defined
    with suppress(Exception):  # it has no source
        source = _short_path(inspect.getsourcefile(defined) or "?")
        return f"{source}:{inspect.getsourcelines(defined)[1]} in {defined.__name__}"
    return ""


def _short_path(path: str) -> str:
    """Return a path relative to the working folder where it is below it."""
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
