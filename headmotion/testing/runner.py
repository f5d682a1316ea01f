"""Running the checks on one part, with strict expected failures."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, cast

import torch

from ..core.errors import SpecError, describe
from ..core.interfaces.specs import (
    BuildContext,
    ComponentSpec,
    ControlSpec,
    PhaseSpec,
    RepresentationSpec,
    resolve_spec,
)
from .build_context import Subject
from .control_subject import ControlSubject
from .kit import LEVELS, VERSION, Check, NotApplicable, checks_of
from .phase_subject import PhaseSubject
from .samples import LABEL_NAMES, PICTURE_SIZE
from .stand_ins import StandIns

CORPUS: dict[str, Any] = {"picture_size": (PICTURE_SIZE, PICTURE_SIZE), "label_names": LABEL_NAMES}
"""What parts are built with for a corpus such as that of `samples`."""
SpecLike = ComponentSpec | PhaseSpec | ControlSpec | dict[str, Any] | str
"""A spec, a dict with ``type``, or a type name."""


AnySubject = Subject | PhaseSubject | ControlSubject
"""What checks are given, by the kind of the part."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    check: Check
    """The check that was run."""
    status: Literal["passed", "failed", "expected-failure", "unexpected-pass", "not-applicable"]
    """Outcome of the check."""
    detail: str = ""
    """The reason of a failure, or why the check does not apply, in one line."""
    where: str = ""
    """``file:line in function`` of the part's code at which a failure begins."""
    crashed: bool = False
    """Whether the part raised an error of its own, so that the promise itself could not be checked."""

    @property
    def name(self) -> str:
        """Name of the check."""
        return self.check.name

    @property
    def conforms(self) -> bool:
        """Whether the result is the expected one."""
        return self.status in ("passed", "expected-failure", "not-applicable")


def run_checks(
    kind: str,
    spec: SpecLike,
    representation: SpecLike = "landmarks68",
    expected_failures: Mapping[str, str] | None = None,
    level: int = max(LEVELS),
    kit: int = VERSION,
    parts: Mapping[str, Any] | None = None,
) -> list[CheckResult]:
    """Run the checks of a kind (``generator``, ``audio_encoder`` ...) on one spec.

    Args:
        kind: of the part.
        spec: the spec under test.
        representation: what the part is built with; a representation is built with itself.
        expected_failures: reason by name of check. Such a check must fail.
        level: the highest level of checks to run; see `LEVELS`.
        kit: version of the kit; later checks are left out.
        parts: built parts by name that earlier phases would have made, for a part that uses them (`UsesParts`); for
            other names see `StandIns`.

    Raises:
        SpecError: the spec cannot be read.
        ValueError: an expected failure names no check of the kind.
    """
    subject = make_subject(kind, spec, representation, parts)
    expected = require_known_checks(kind, expected_failures or {})
    return [run_check(check, subject, check.name in expected) for check in checks_of(kind, level, kit).values()]


def make_subject(
    kind: str, spec: SpecLike, representation: SpecLike = "landmarks68", parts: Mapping[str, Any] | None = None
) -> AnySubject:
    """Return a spec under test, in a context with 26 numbers per audio step and 4 steps per motion frame.

    An audio encoder that refuses this rate is built with 2 or 1 steps per frame.

    Args:
        kind: of the part.
        spec: the spec under test.
        representation: what the part is built with; a representation is built with itself.
        parts: built parts by name that earlier phases would have made.
    """
    resolved = resolve_spec(kind, spec)
    chosen = resolved if kind == "representation" else resolve_spec("representation", representation)
    built_with = cast("RepresentationSpec", chosen)
    context = BuildContext(built_with.build(), audio_channels=26)
    stand_ins = StandIns(resolved, built_with, replace(context, **CORPUS))
    stand_ins.update(parts or {})
    if kind == "phase":
        return PhaseSubject(cast("PhaseSpec", resolved), built_with, stand_ins)
    if kind == "control":
        return ControlSubject(cast("ControlSpec", resolved), built_with)
    if kind in ("discriminator", "loss"):  # what they are built with for a corpus such as that of `samples`
        context = replace(context, **CORPUS)
    if kind == "audio_encoder":
        context = replace(context, steps_per_frame=_steps_per_frame(resolved, context))
    return Subject(resolved, context, stand_ins)


def _steps_per_frame(spec: ComponentSpec, context: BuildContext) -> int:
    for steps in (4, 2, 1):
        with contextlib.suppress(SpecError), torch.random.fork_rng(devices=[]):
            spec.build(replace(context, steps_per_frame=steps))
            return steps
    return context.steps_per_frame  # the checks report the error


def run_check(check: Check, subject: AnySubject, expect_failure: bool = False) -> CheckResult:
    """Run one check and return its result.

    Args:
        check: the check.
        subject: the part under test.
        expect_failure: whether the check must fail.
    """
    try:
        check.run(subject)
    # An expected failure of a check that does not apply is a mistake, and is reported as one.
    except NotApplicable as reason:
        return CheckResult(check, "unexpected-pass" if expect_failure else "not-applicable", str(reason))
    except Exception as error:
        detail = describe(error)
        where = _innermost_line(error.__traceback__, subject) or _class_line(subject)
        # The checks themselves fail by AssertionError only, so any other error is the part's own.
        crashed = not isinstance(error, AssertionError)
        return CheckResult(check, "expected-failure" if expect_failure else "failed", detail, where, crashed)
    return CheckResult(check, "unexpected-pass" if expect_failure else "passed")


def require_known_checks(kind: str, expected_failures: Mapping[str, str]) -> Mapping[str, str]:
    """Return the expected failures.

    Raises:
        ValueError: one names no check of the kind.
    """
    names = checks_of(kind)
    if unknown := sorted(set(expected_failures) - set(names)):
        raise ValueError(f"no such check of a {kind}: {', '.join(unknown)}; there are {', '.join(names)}")
    return expected_failures


def check_component(spec: ComponentSpec | PhaseSpec | ControlSpec, **options: Any) -> list[CheckResult]:
    """Run the checks of the spec's own kind and return their results.

    Args:
        spec: the spec under test.
        **options: those of `run_checks`.

    Raises:
        AssertionError: some checks had another result than expected; all of them are named.
    """
    results = run_checks(spec.kind, spec, **options)
    if broken := [f"{result.name}: {result.status}. {result.detail}" for result in results if not result.conforms]:
        raise AssertionError("\n".join([f"{spec.kind} {spec.type_name()!r} does not conform", *broken]))
    return results


def _check_kind(kind: str, spec: SpecLike, **options: Any) -> list[CheckResult]:
    """Run `check_component` for a spec, a dict with ``type`` or a type name."""
    return check_component(resolve_spec(kind, spec), **options)


check_representation = partial(_check_kind, "representation")
check_audio_encoder = partial(_check_kind, "audio_encoder")
check_syncer = partial(_check_kind, "syncer")
check_generator = partial(_check_kind, "generator")
check_discriminator = partial(_check_kind, "discriminator")
check_renderer = partial(_check_kind, "renderer")
check_loss = partial(_check_kind, "loss")
check_metric = partial(_check_kind, "metric")
check_control = partial(_check_kind, "control")
check_detector = partial(_check_kind, "detector")
check_phase = partial(_check_kind, "phase")


def _innermost_line(trace: TracebackType | None, subject: AnySubject) -> str:
    """Return the innermost line of the part's own package; empty if the error came from elsewhere."""
    package = type(subject.spec).__module__.partition(".")[0]
    # The last line of the part on the way to the error is where its author should look.
    line = ""
    while trace is not None:
        module, code = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_frame.f_code
        # For headmotion's own parts the kit is in the same package, but no part of it is at fault.
        if module.partition(".")[0] == package and not module.startswith(__package__):
            line = f"{_short_path(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return line


def _class_line(subject: AnySubject) -> str:
    """Return where the part's class is defined; empty if that is unknown."""
    try:
        cls = type(subject.build()) if isinstance(subject, Subject) else type(subject.spec)
        return f"{_short_path(inspect.getsourcefile(cls) or '?')}:{inspect.getsourcelines(cls)[1]} in {cls.__name__}"
    except Exception:  # it cannot be built or has no source; the failure itself is reported already
        return ""


def _short_path(path: str) -> str:
    """Return a path relative to the working folder where it is below it."""
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
