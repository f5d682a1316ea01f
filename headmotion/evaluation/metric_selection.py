"""From the requested metrics, or the default list, to metrics that are ready to measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.built import checked_part
from ..core.errors import SpecError
from ..core.interfaces.metric import Metric
from ..core.interfaces.specs import BuildContext, MetricSpec, resolve_spec
from ..core.plugins import registry
from ..core.spec import building, required_fields

MetricLike = MetricSpec | Mapping[str, Any] | str


@dataclass(frozen=True)
class NamedMetric:
    """A metric with its spec and its name in the report."""

    name: str
    spec: MetricSpec
    metric: Metric


def select_metrics(
    requested: Sequence[MetricLike] | None, context: BuildContext, missing: Mapping[str, str] | None = None
) -> tuple[list[NamedMetric], dict[str, str]]:
    """Return the requested metrics, or the default list: all without required fields that fit the representation.

    Args:
        requested: specs, types or dicts with a type; None for the default list.
        context: what the metrics are built with.
        missing: inputs (fields of `MetricInput`) that no clip has, each with the reason.

    Returns:
        The metrics, and the reason by type for metrics that the default list leaves out.

    Raises:
        SpecError: a requested metric is unknown, does not fit the representation, or needs an input that is missing.
    """
    missing = missing or {}
    if requested is not None:
        specs = requested_specs(requested)
        chosen = [NamedMetric(name, spec, _build(spec, context)) for name, spec in _by_name(specs).items()]
        for item in chosen:
            if reason := _unmet(item.metric, missing):
                raise SpecError(f"metric {item.name}", ", ".join(sorted(item.metric.needs)), reason)
        return chosen, {}
    metrics, left_out = [], {}
    for name in registry().types("metric"):
        # There is no sensible default for such fields, for example for files of weights.
        if required := required_fields(registry().resolve("metric", name)):
            left_out[name] = f"required without a default: {', '.join(required)}"
            continue
        try:
            spec = resolve_spec("metric", name)
            metric = _build(spec, context)
        # A metric that does not fit is an error only if it was requested.
        except SpecError as error:
            left_out[name] = str(error)
            continue
        if reason := _unmet(metric, missing):
            left_out[name] = reason
        else:
            metrics.append(NamedMetric(name, spec, metric))
    return metrics, left_out


def requested_specs(requested: Iterable[MetricLike]) -> list[MetricSpec]:
    """Return the specs of requested metrics, each once: twice it would be measured twice under one name.

    Raises:
        SpecError: an unknown metric.
    """
    specs: list[MetricSpec] = []
    for spec in (resolve_spec("metric", metric) for metric in requested):
        specs += [] if spec in specs else [spec]
    return specs


def _unmet(metric: Metric, missing: Mapping[str, str]) -> str:
    """Return why a metric cannot measure any clip; empty if it can."""
    return next((missing[need] for need in sorted(metric.needs) if need in missing), "")


def _build(spec: MetricSpec, context: BuildContext) -> Any:
    with building(f"metric {spec.type_name()}"):
        return checked_part(spec, spec.build(context))


def _by_name(specs: Sequence[MetricSpec]) -> dict[str, MetricSpec]:
    """Return the specs by type; where a type occurs more than once, followed by the fields that are not defaults."""
    count = Counter(spec.type_name() for spec in specs)
    named = {}
    for spec in specs:
        changed = spec.model_dump(mode="json", exclude_defaults=True) if count[spec.type_name()] > 1 else {}
        named[" ".join([spec.type_name(), *(f"{key}={value}" for key, value in changed.items())])] = spec
    return named
