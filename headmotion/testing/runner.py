"""Running named checks on one part, with expected failures that are strict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import torch

from ..core.errors import HeadmotionError, PluginError
from ..core.plugins import registry
from ..core.spec import BuildContext, ComponentSpec, RepresentationSpec, spec_from

SpecLike = ComponentSpec | dict[str, Any] | str
"""A spec, or what a pipeline spec would say in its place."""


@dataclass(frozen=True)
class Subject:
    """What is checked: a spec and the neighbors that it is built beside."""

    spec: ComponentSpec
    context: BuildContext

    def build(self, seed: int = 0) -> Any:
        """The component with fresh weights drawn from ``seed``, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.spec.build(self.context).eval()


@dataclass(frozen=True)
class CheckResult:
    """What became of one check."""

    name: str
    status: Literal["passed", "failed", "expected-failure", "unexpected-pass"]
    detail: str = ""
    """The reason of a failure, one line."""

    @property
    def conforms(self) -> bool:
        """Whether the outcome was the expected one."""
        return self.status in ("passed", "expected-failure")


Check = Callable[[Subject], None]

CHECKS: dict[str, dict[str, Check]] = {}
"""The checks by kind (``""``: every kind) and name."""


def check(kind: str = "") -> Callable[[Check], Check]:
    """Add a function that raises where a promise is broken to `CHECKS`."""

    def add(function: Check) -> Check:
        CHECKS.setdefault(kind, {})[function.__name__.replace("_", "-")] = function
        return function

    return add


def run_checks(
    kind: str,
    spec: SpecLike,
    representation: SpecLike = "landmarks68",
    expected_failures: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Run all checks of a kind (``generator``, ``audio_encoder`` ...) on one spec.

    Args:
        representation: what the part is built beside; a representation is built beside itself.
        expected_failures: reason by name of check. Such a check must fail.

    Raises:
        SpecError: the spec cannot be read.
        ValueError: a failure is expected of a check that there is not.
    """
    resolved = _resolved(kind, spec)
    beside = resolved if kind == "representation" else _resolved("representation", representation)
    subject = Subject(resolved, BuildContext(cast("RepresentationSpec", beside).build(), audio_channels=26))
    checks, expected = CHECKS[""] | CHECKS.get(kind, {}), expected_failures or {}
    if unknown := sorted(set(expected) - set(checks)):
        raise ValueError(f"no such check of a {kind}: {', '.join(unknown)}; there are {', '.join(checks)}")
    return [_result(name, function, subject, name in expected) for name, function in checks.items()]


def assert_conforms(spec: ComponentSpec, **options: Any) -> list[CheckResult]:
    """`run_checks` for the spec's own kind, with the same options.

    Raises:
        AssertionError: some check did not end as expected; all of them are named.
    """
    results = run_checks(spec.kind, spec, **options)
    if broken := [f"{each.name}: {each.status}. {each.detail}" for each in results if not each.conforms]:
        raise AssertionError("\n".join([f"{spec.kind} {spec.type_name()!r} does not conform", *broken]))
    return results


def _conforms(kind: str, spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a spec, a dict with ``type`` or a type name."""
    return assert_conforms(_resolved(kind, spec), **options)


check_representation = partial(_conforms, "representation")
check_audio_encoder = partial(_conforms, "audio_encoder")
check_generator = partial(_conforms, "generator")
check_syncer = partial(_conforms, "syncer")
check_discriminator = partial(_conforms, "discriminator")
check_renderer = partial(_conforms, "renderer")


def check_plugin(name: str) -> dict[str, list[CheckResult]]:
    """Run the checks on everything that a plugin offers, each type with its defaults: results by ``kind:type``.

    Raises:
        PluginError: no such plugin, or it could not be loaded.
    """
    records = {record.name: record for record in registry().records}
    if name not in records:
        raise PluginError("plugin", f"one of {', '.join(records)}", repr(name))
    if records[name].status != "ok":
        raise PluginError(f"plugin {name}", "a loaded plugin", records[name].status, records[name].error)
    return {offered: _by_default(*offered.split(":", 1)) for offered in records[name].types}


def _by_default(kind: str, type_name: str) -> list[CheckResult]:
    fields = registry().resolve(kind, type_name).model_fields
    if required := [name for name, field in fields.items() if field.is_required()]:
        detail = f"{', '.join(required)} must be given: check it in the plugin's own tests"
        return [CheckResult("builds-by-default", "expected-failure", detail)]
    try:
        return run_checks(kind, type_name)
    except HeadmotionError as error:
        return [CheckResult("builds-by-default", "failed", str(error))]


def _resolved(kind: str, spec: SpecLike) -> ComponentSpec:
    if isinstance(spec, ComponentSpec) and spec.kind == kind:
        return spec
    return cast("ComponentSpec", spec_from(kind, spec))


def _result(name: str, function: Check, subject: Subject, expected: bool) -> CheckResult:
    try:
        function(subject)
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        return CheckResult(name, "expected-failure" if expected else "failed", detail)
    return CheckResult(name, "unexpected-pass" if expected else "passed")
