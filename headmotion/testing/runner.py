"""Running named checks on one part, with expected failures that are strict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch

from ..core.errors import HeadmotionError
from ..core.plugins import registry
from ..core.spec import BuildContext, ComponentSpec, RepresentationSpec, spec_from

LEVEL = 1
"""The newest level of checks. A check that is added later has a higher one, so that a plugin may take it up in time."""

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


@dataclass(frozen=True)
class Check:
    """One promise, and the function that raises where it is broken."""

    kinds: tuple[str, ...]
    level: int
    function: Callable[[Subject], None]


CHECKS: dict[str, Check] = {}
"""All checks by name."""


def check(*kinds: str, level: int = 1) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Add a function to `CHECKS`, under its own name with hyphens; no kinds means every kind."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        CHECKS[function.__name__.replace("_", "-")] = Check(kinds, level, function)
        return function

    return add


def run_checks(
    kind: str,
    spec: SpecLike,
    representation: SpecLike = "landmarks68",
    expected_failures: Mapping[str, str] | None = None,
    level: int = LEVEL,
) -> list[CheckResult]:
    """Run all checks of a kind on one spec.

    Args:
        kind: ``generator``, ``audio_encoder`` ...
        representation: what the part is built beside; a representation is built beside itself.
        expected_failures: reason by name of check. Such a check must fail.
        level: newest level of checks to run.

    Raises:
        SpecError: the spec cannot be read.
        ValueError: an expected failure of a check that is not run.
    """
    resolved = _resolved(kind, spec)
    beside = resolved if kind == "representation" else _resolved("representation", representation)
    subject = Subject(resolved, BuildContext(cast("RepresentationSpec", beside).build(), audio_channels=26))
    chosen = {name: each for name, each in CHECKS.items() if kind in (each.kinds or (kind,)) and each.level <= level}
    expected = expected_failures or {}
    if unknown := sorted(set(expected) - set(chosen)):
        raise ValueError(f"no such check of a {kind}: {', '.join(unknown)}; there are {', '.join(chosen)}")
    return [_result(name, each, subject, name in expected) for name, each in chosen.items()]


def assert_conforms(
    spec: ComponentSpec,
    representation: SpecLike = "landmarks68",
    expected_failures: Mapping[str, str] | None = None,
    level: int = LEVEL,
) -> list[CheckResult]:
    """Run all checks of the spec's kind, as `run_checks`.

    Raises:
        AssertionError: some check did not end as expected; all of them are named.
    """
    results = run_checks(spec.kind, spec, representation, expected_failures, level)
    if broken := [f"{each.name}: {each.status}. {each.detail}" for each in results if not each.conforms]:
        raise AssertionError("\n".join([f"{spec.kind} {spec.type_name()!r} does not conform", *broken]))
    return results


def check_plugin(name: str, level: int = LEVEL) -> dict[str, list[CheckResult]]:
    """Run the checks on everything that a plugin offers, each type with its defaults: results by ``kind:type``.

    Raises:
        PluginError: no such plugin, or it could not be loaded.
    """
    offered = [key for key, owner in registry().owners.items() if owner == registry().loaded(name).name]
    results = {}
    for kind, type_name in offered:
        try:
            results[f"{kind}:{type_name}"] = run_checks(kind, type_name, level=level)
        except HeadmotionError as error:
            results[f"{kind}:{type_name}"] = [CheckResult("builds-by-default", "failed", str(error))]
    return results


def check_representation(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a representation."""
    return assert_conforms(_resolved("representation", spec), **options)


def check_audio_encoder(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for an audio encoder."""
    return assert_conforms(_resolved("audio_encoder", spec), **options)


def check_generator(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a generator."""
    return assert_conforms(_resolved("generator", spec), **options)


def check_syncer(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a syncer."""
    return assert_conforms(_resolved("syncer", spec), **options)


def check_discriminator(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a discriminator."""
    return assert_conforms(_resolved("discriminator", spec), **options)


def check_renderer(spec: SpecLike, **options: Any) -> list[CheckResult]:
    """`assert_conforms` for a renderer."""
    return assert_conforms(_resolved("renderer", spec), **options)


def _resolved(kind: str, spec: SpecLike) -> ComponentSpec:
    if isinstance(spec, ComponentSpec) and spec.kind == kind:
        return spec
    return cast("ComponentSpec", spec_from(kind, spec))


def _result(name: str, each: Check, subject: Subject, expected: bool) -> CheckResult:
    try:
        each.function(subject)
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        return CheckResult(name, "expected-failure" if expected else "failed", detail)
    return CheckResult(name, "unexpected-pass" if expected else "passed")
