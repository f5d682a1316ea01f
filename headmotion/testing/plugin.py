"""Checking all that an installed plugin offers, with explanations that help to mend failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..core.errors import PluginError, describe
from ..core.interfaces.specs import ComponentSpec, ControlSpec, PhaseSpec
from ..core.plugins import registry
from ..core.spec import required_fields
from .build_context import Subject
from .kit import LEVELS, Check
from .runner import CheckResult, run_checks

STATUS_LABELS = {
    "passed": "ok",
    "failed": "FAILED",
    "expected-failure": "expected",
    "unexpected-pass": "UNEXPECTED",
    "not-applicable": "-",
}

CRASHED = "The part itself raised this error. Mend it first, because it kept the check from its question."

BUILDS = Check(
    name="builds-by-default",
    kind="",
    level=1,
    since=1,
    promise="The type can be built with its defaults and the default representation.",
    remedy="Give every field a default that works, or pass a spec with values that do.",
    run=Subject.build,
)


def check_plugin(
    name: str, level: int = max(LEVELS), specs: Sequence[ComponentSpec | PhaseSpec | ControlSpec] = ()
) -> dict[str, list[CheckResult]]:
    """Run the checks on everything that a plugin offers.

    Args:
        name: the plugin's name.
        level: the highest level of checks to run.
        specs: what to check instead of the defaults of their types. Types with required fields need one.

    Returns:
        Results by ``kind:type``.

    Raises:
        PluginError: no such plugin, it could not be loaded, or a spec of a type that it does not offer.
    """
    records = {record.name: record for record in registry().records}
    if name not in records:
        raise PluginError("plugin", f"one of {', '.join(records)}", repr(name))
    if records[name].status != "ok":
        raise PluginError(f"plugin {name}", "a loaded plugin", records[name].status, records[name].error)
    chosen = {f"{spec.kind}:{spec.type_name()}": spec for spec in specs}
    # A spec of another plugin would silently check nothing.
    if stray := [offered for offered in chosen if offered not in records[name].types]:
        raise PluginError(f"plugin {name}", f"specs of {', '.join(records[name].types)}", stray[0])
    checked = {offered: _check_type(offered, chosen.get(offered), level) for offered in records[name].types}
    if any(result.status != "not-applicable" for results in checked.values() for result in results):
        return checked
    # Nothing was examined, which must not look like success.
    return {part: [replace(result, status="failed") for result in results] for part, results in checked.items()}


def _check_type(offered: str, spec: ComponentSpec | PhaseSpec | ControlSpec | None, level: int) -> list[CheckResult]:
    """Check a type, ``kind:type``, by a spec or with its defaults."""
    kind, _, type_name = offered.partition(":")
    if spec is None and (required := required_fields(registry().resolve(kind, type_name))):
        detail = f"required fields without a default: {', '.join(required)}; pass a spec with them (--spec)"
        return [CheckResult(BUILDS, "not-applicable", detail)]
    try:
        return run_checks(kind, spec or type_name, level=level)
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
            yield from (f"        {label:<8} {text}" for label, text in _explanation(result).items() if text)
        if crash:
            first_check.setdefault(crash, check.name)


def _explanation(result: CheckResult) -> dict[str, str]:
    check = result.check
    if result.crashed:
        return {"found": result.detail, "where": result.where, "remedy": CRASHED}
    return {
        "found": result.detail,
        "promise": check.promise,
        "where": result.where,
        "remedy": check.remedy,
        "level": f"{check.level}, {LEVELS[check.level]}",
    }
