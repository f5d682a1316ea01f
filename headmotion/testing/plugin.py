"""Checking all that an installed plugin offers, with explanations that help to mend failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ..core.errors import PluginError, describe, did_you_mean
from ..core.interfaces.specs import ComponentSpec, ControlSpec, PhaseSpec
from ..core.plugins import OWN_DISTRIBUTION, registry
from ..core.spec import required_fields
from .build_context import Subject
from .kit import LEVELS, Check, checks_of
from .neighbors import Neighbors, accepted, candidates
from .offer import offers_of
from .outputs import output_on_fixed_inputs
from .phase_subject import PhaseSubject
from .runner import CheckResult, SpecLike, make_subject, run_check, run_checks

STATUS_LABELS = {
    "passed": "ok",
    "failed": "FAILED",
    "expected-failure": "expected",
    "unexpected-pass": "UNEXPECTED",
    "not-applicable": "-",
}


def _build_by_default(subject: Any) -> None:
    if isinstance(subject, PhaseSubject):
        with subject.context() as context:
            subject.build(context)
    elif isinstance(subject, Subject):
        assert output_on_fixed_inputs(subject, subject.build()).isfinite().all(), "NaN or infinite"
    else:
        subject.build()


BUILDS = Check(
    name="builds-by-default",
    kind="",
    level=1,
    since=1,
    promise="The type can be built with its defaults, and gives a finite output.",
    remedy="Give every field a default that works, or pass a spec with values that do.",
    run=_build_by_default,
)


def check_plugin(
    name: str, level: int = max(LEVELS), specs: Sequence[ComponentSpec | PhaseSpec | ControlSpec] = ()
) -> dict[str, list[CheckResult]]:
    """Run the checks on everything that a plugin offers.

    A type is checked by the small spec that it names (`Spec.for_checks`), or else with its defaults; with landmarks68,
    or with a representation of the plugin if it refuses that. A phase is built for a small pipeline of headmotion's
    parts, or with the plugin's own generator, audio encoder or renderer if it refuses that.

    Args:
        name: the plugin's name.
        level: the highest level of checks to run.
        specs: what to check instead of the defaults of their types. Types with required fields need one.

    Returns:
        Results by ``kind:name``, as ``headmotion plugins`` lists it.

    Raises:
        PluginError: no such plugin, it could not be loaded, or a spec of a type that it does not offer.
    """
    records = {record.name: record for record in registry().records}
    if name not in records:
        near = name.removeprefix(f"{OWN_DISTRIBUTION}-").partition("/")[0]
        otherwise = "install its package with pip; `headmotion plugins new NAME --kind KIND` writes one"
        remedy = did_you_mean(near, records, otherwise)
        raise PluginError("plugin", f"one of {', '.join(records)}", repr(name), remedy)
    if records[name].status != "ok":
        raise PluginError(f"plugin {name}", "a loaded plugin", records[name].status, records[name].error)
    chosen = {f"{spec.kind}:{spec.type_name()}": spec for spec in specs}
    # A spec of another plugin would silently check nothing.
    if stray := [offered for offered in chosen if offered not in records[name].types]:
        raise PluginError(f"plugin {name}", f"specs of {', '.join(records[name].types)}", stray[0])
    choices = candidates(records[name].types)
    checked = {offered: _check_type(offered, chosen.get(offered), level, choices) for offered in records[name].types}
    for offer in offers_of(name):
        checks = checks_of(offer.kind, level).values()
        checked[f"{offer.kind}:{offer.name}"] = [run_check(check, offer) for check in checks]
    if any(result.status != "not-applicable" for results in checked.values() for result in results):
        return checked
    # Nothing was examined, which must not look like success.
    return {part: [replace(result, status="failed") for result in results] for part, results in checked.items()}


def _check_type(
    offered: str, spec: ComponentSpec | PhaseSpec | ControlSpec | None, level: int, choices: Sequence[Neighbors]
) -> list[CheckResult]:
    """Check a type, ``kind:type``, by a spec, by the small one that it names, or with its defaults."""
    kind, _, type_name = offered.partition(":")
    cls = registry().resolve(kind, type_name)
    required = required_fields(cls)
    try:
        small = cls.model_validate(cls.for_checks) if spec is None and cls.for_checks else None
        if spec is None and small is None and required:
            detail = f"required fields without a default: {', '.join(required)}; pass a spec with them (--spec)"
            return [CheckResult(BUILDS, "not-applicable", detail)]
        checked = cast("SpecLike", spec or small or type_name)
        chosen = accepted(kind, checked, choices)
        options: dict[str, Any] = {"representation": chosen.representation, "pipeline": chosen.pipeline}
        results = run_checks(kind, checked, level=level, **options)
        if small is not None and not required:
            results.insert(0, run_check(BUILDS, make_subject(kind, type_name, **options)))
        return results
    except Exception as error:  # a representation that cannot even be built
        return [CheckResult(BUILDS, "failed", describe(error))]


def report(checked: Mapping[str, Sequence[CheckResult]]) -> str:
    """Return the results of `check_plugin` as a table with a line per check, and an explanation below each failure."""
    lines: list[str] = []
    for part, results in checked.items():
        lines += [part, *_table(results), ""]
    all_results = [result for results in checked.values() for result in results]
    failed = sum(not result.conforms for result in all_results)
    lines.append(f"{len(all_results)} checks, {failed} failed")
    return "\n".join(lines)


def _table(results: Sequence[CheckResult]) -> Iterator[str]:
    first_check: dict[str, str] = {}  # by crash: one error often fails many checks, and is explained once
    for result in results:
        check = result.check
        line = f"    {STATUS_LABELS[result.status]:<10} {check.level}  {check.name}"
        crash = f"{result.where} {result.detail}" if result.crashed and not result.conforms else ""
        if crash in first_check:
            yield f"{line}  (the same error as in {first_check[crash]})"
        elif result.conforms:
            yield f"{line}  ({result.detail})" if result.detail else line
        else:
            yield line
            yield from (f"        {label:<8} {text}" for label, text in result.explanation.items() if text)
        if crash:
            first_check.setdefault(crash, check.name)
