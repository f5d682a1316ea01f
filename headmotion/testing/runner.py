"""Running the checks on one part, with strict expected failures."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, cast

import torch

from ..core.errors import SpecError
from ..core.interfaces.specs import (
    BuildContext,
    ComponentSpec,
    ControlSpec,
    PhaseSpec,
    RepresentationSpec,
    resolve_spec,
)
from ..core.process_settings import same_settings
from ..core.short_repr import short_repr
from ..core.spec import Spec
from .build_context import Subject
from .control_subject import ControlSubject
from .failure import CRASHED, failure_of
from .kit import LEVELS, VERSION, Check, NotApplicable, checks_of
from .offer import Offer
from .phase_subject import PhaseSubject
from .samples import LABEL_NAMES, PICTURE_SIZE
from .stand_ins import StandIns

CORPUS: dict[str, Any] = {"picture_size": (PICTURE_SIZE, PICTURE_SIZE), "label_names": LABEL_NAMES}
"""What parts are built with for a corpus such as that of `samples`."""
SpecLike = ComponentSpec | PhaseSpec | ControlSpec | dict[str, Any] | str
"""A spec, a dict with ``type``, or a type name."""


AnySubject = Subject | PhaseSubject | ControlSubject | Offer
"""What checks are given, by the kind of the part."""

Status = Literal["passed", "failed", "expected-failure", "unexpected-pass", "not-applicable"]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    check: Check
    """The check that was run."""
    status: Status
    """Outcome of the check."""
    detail: str = ""
    """The reason of a failure, or why the check does not apply, in one line."""
    where: str = ""
    """``file:line in function`` of the part's code at which a failure begins."""
    crashed: bool = False
    """Whether the part raised an error of its own, or returned something that no check can work with, so that the
    promise itself could not be checked."""

    @property
    def name(self) -> str:
        """Name of the check."""
        return self.check.name

    @property
    def explanation(self) -> dict[str, str]:
        """What to tell the author of a part that does not conform, by heading."""
        if self.crashed:
            return {"found": self.detail, "where": self.where, "remedy": CRASHED}
        return {
            "found": self.detail,
            "promise": self.check.promise,
            "where": self.where,
            "remedy": self.check.remedy,
            "level": f"{self.check.level}, {LEVELS[self.check.level]}",
        }

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
    pipeline: Mapping[str, SpecLike] | None = None,
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
        pipeline: specs of the pipeline's parts by kind (``generator``, ``audio_encoder`` ...) that a phase is built
            with, in place of small parts of headmotion.

    Raises:
        SpecError: the spec cannot be read.
        ValueError: an expected failure names no check of the kind.
    """
    subject = make_subject(kind, spec, representation, parts, pipeline)
    expected = require_known_checks(kind, expected_failures or {})
    return [run_check(check, subject, check.name in expected) for check in checks_of(kind, level, kit).values()]


def make_subject(
    kind: str,
    spec: SpecLike,
    representation: SpecLike = "landmarks68",
    parts: Mapping[str, Any] | None = None,
    pipeline: Mapping[str, SpecLike] | None = None,
) -> AnySubject:
    """Return a spec under test, in a context with 26 numbers per audio step and 4 steps per motion frame.

    An audio encoder that refuses this rate is built with 2 or 1 steps per frame.

    Args:
        kind: of the part.
        spec: the spec under test.
        representation: what the part is built with; a representation is built with itself.
        parts: built parts by name that earlier phases would have made.
        pipeline: specs of the pipeline's parts by kind that a phase is built with.
    """
    resolved = resolve_spec(kind, spec)
    chosen = resolved if kind == "representation" else resolve_spec("representation", representation)
    built_with = cast("RepresentationSpec", chosen)
    context = BuildContext(built_with.build(), audio_channels=26)
    stand_ins = StandIns(resolved, built_with, replace(context, **CORPUS))
    stand_ins.update(parts or {})
    if kind == "phase":
        return PhaseSubject(cast("PhaseSpec", resolved), built_with, stand_ins, pipeline or {})
    if kind == "control":
        return ControlSubject(cast("ControlSpec", resolved), built_with)
    if kind in ("discriminator", "loss"):  # what they are built with for a corpus such as that of `samples`
        context = replace(context, **CORPUS)
    if kind == "audio_encoder":
        context = replace(context, steps_per_frame=_steps_per_frame(resolved, context))
    return Subject(resolved, context, stand_ins)


def _steps_per_frame(spec: ComponentSpec, context: BuildContext) -> int:
    for steps in (4, 2, 1):
        with contextlib.suppress(SpecError), same_settings(), torch.random.fork_rng(devices=[]):
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
    with same_settings():  # so that no check sees what a part has changed in another
        try:
            check.run(subject)
        # An expected failure of a check that does not apply is a mistake, and is reported as one.
        except NotApplicable as reason:
            return CheckResult(check, "unexpected-pass" if expect_failure else "not-applicable", str(reason))
        except Exception as error:
            failure = failure_of(error, subject, check.kind == "spec")
            status: Status = "expected-failure" if expect_failure else "failed"
            return CheckResult(check, status, failure.detail, failure.where, failure.crashed)
    return CheckResult(check, "unexpected-pass" if expect_failure else "passed")


def require_spec(spec: Any, component: str) -> None:
    """Refuse what is no spec, such as a type name, which does not say the kind.

    Raises:
        SpecError: it is none.
    """
    if not (isinstance(spec, Spec) and spec.kind):
        expected = "a spec, such as MySpec() or hm.resolve_spec('generator', 'mine/flow')"
        raise SpecError(component, expected, short_repr(spec))


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
        SpecError: not the object of a spec.
    """
    require_spec(spec, "check_component")
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
