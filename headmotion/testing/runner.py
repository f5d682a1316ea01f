"""Running the checks on one part, with expected failures that are strict."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, cast

from ..core.interfaces.specs import BuildContext, ComponentSpec, RepresentationSpec, resolve_spec
from .build_context import Subject
from .kit import LEVELS, VERSION, Check, NotApplicable, checks_of

SpecLike = ComponentSpec | dict[str, Any] | str
"""A spec, or what a pipeline spec would say in its place."""


@dataclass(frozen=True)
class CheckResult:
    """What became of one check."""

    check: Check
    status: Literal["passed", "failed", "expected-failure", "unexpected-pass", "not-applicable"]
    detail: str = ""
    """The reason of a failure, or why the check does not apply, one line."""
    where: str = ""
    """``file:line in function`` of the part's code that is to be looked at after a failure."""
    crashed: bool = False
    """Whether the part raised an error of its own, so that the promise itself could not be judged."""

    @property
    def name(self) -> str:
        """Of the check."""
        return self.check.name

    @property
    def conforms(self) -> bool:
        """Whether the outcome was the expected one."""
        return self.status in ("passed", "expected-failure", "not-applicable")


def run_checks(
    kind: str,
    spec: SpecLike,
    representation: SpecLike = "landmarks68",
    expected_failures: Mapping[str, str] | None = None,
    level: int = max(LEVELS),
    kit: int = VERSION,
) -> list[CheckResult]:
    """Run the checks of a kind (``generator``, ``audio_encoder`` ...) on one spec.

    Args:
        representation: what the part is built beside; a representation is built beside itself.
        expected_failures: reason by name of check. Such a check must fail.
        level: the highest level of checks that are run; see `LEVELS`.
        kit: version of the kit that is meant: checks that came later are left out.

    Raises:
        SpecError: the spec cannot be read.
        ValueError: a failure is expected of a check that there is not.
    """
    subject = subject_of(kind, spec, representation)
    expected = check_names(kind, expected_failures or {})
    return [run_check(each, subject, each.name in expected) for each in checks_of(kind, level, kit).values()]


def subject_of(kind: str, spec: SpecLike, representation: SpecLike = "landmarks68") -> Subject:
    """A spec as it is checked: beside a representation, or itself if it is one, and 26 numbers per audio step."""
    resolved = _resolved(kind, spec)
    beside = resolved if kind == "representation" else _resolved("representation", representation)
    return Subject(resolved, BuildContext(cast("RepresentationSpec", beside).build(), audio_channels=26))


def run_check(each: Check, subject: Subject, expected: bool = False) -> CheckResult:
    """One check, of which a failure may be expected."""
    try:
        each.run(subject)
    except NotApplicable as reason:
        return CheckResult(each, "unexpected-pass" if expected else "not-applicable", str(reason))
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        where = _raised_in(error.__traceback__, subject) or _defined_in(subject)
        crashed = not isinstance(error, AssertionError)
        return CheckResult(each, "expected-failure" if expected else "failed", detail, where, crashed)
    return CheckResult(each, "unexpected-pass" if expected else "passed")


def check_names(kind: str, expected_failures: Mapping[str, str]) -> Mapping[str, str]:
    """The expected failures, if each names a check of the kind.

    Raises:
        ValueError: one does not.
    """
    known = checks_of(kind)
    if unknown := sorted(set(expected_failures) - set(known)):
        raise ValueError(f"no such check of a {kind}: {', '.join(unknown)}; there are {', '.join(known)}")
    return expected_failures


def check_component(spec: ComponentSpec, **options: Any) -> list[CheckResult]:
    """`run_checks` for the spec's own kind, with the same options.

    Raises:
        AssertionError: some check did not end as expected; all of them are named.
    """
    results = run_checks(spec.kind, spec, **options)
    if broken := [f"{each.name}: {each.status}. {each.detail}" for each in results if not each.conforms]:
        raise AssertionError("\n".join([f"{spec.kind} {spec.type_name()!r} does not conform", *broken]))
    return results


def _conforms(kind: str, spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`check_component` for a spec, a dict with ``type`` or a type name."""
    return check_component(_resolved(kind, spec), **options)


check_representation = partial(_conforms, "representation")
check_audio_encoder = partial(_conforms, "audio_encoder")
check_syncer = partial(_conforms, "syncer")
check_generator = partial(_conforms, "generator")
check_discriminator = partial(_conforms, "discriminator")
check_renderer = partial(_conforms, "renderer")
check_loss = partial(_conforms, "loss")
check_metric = partial(_conforms, "metric")
check_detector = partial(_conforms, "detector")


def _resolved(kind: str, spec: SpecLike) -> ComponentSpec:
    if isinstance(spec, ComponentSpec) and spec.kind == kind:
        return spec
    return resolve_spec(kind, spec)


def _raised_in(trace: TracebackType | None, subject: Subject) -> str:
    """The innermost line of the part's own package; empty if the error came from elsewhere."""
    package = type(subject.spec).__module__.partition(".")[0]
    found = ""
    while trace is not None:
        module, code = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_frame.f_code
        if module.partition(".")[0] == package and not module.startswith(__package__):
            found = f"{_short(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return found


def _defined_in(subject: Subject) -> str:
    """Where the part's class is."""
    try:
        cls = type(subject.build())
        return f"{_short(inspect.getsourcefile(cls) or '?')}:{inspect.getsourcelines(cls)[1]} in {cls.__name__}"
    except Exception:  # it cannot be built, or its source is nowhere: the failure itself has been told
        return ""


def _short(path: str) -> str:
    """Relative to the working folder where it lies below it."""
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path
