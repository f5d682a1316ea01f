"""Which metrics are measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, MetricSpec, resolve_spec
from ..core.plugins import registry
from ..core.spec import building, required_fields
from .observe import Measuring

MetricLike = MetricSpec | Mapping[str, Any] | str


def chosen_metrics(
    wanted: Sequence[MetricLike] | None, context: BuildContext
) -> tuple[list[Measuring], dict[str, str]]:
    """The metrics that are wanted; or of all that need no choice those that the representation allows.

    Returns:
        Metrics, and for those of the default list that do not fit, why.

    Raises:
        SpecError: a metric that is unknown, or that the representation does not allow.
    """
    if wanted is not None:
        specs: list[MetricSpec] = []
        for each in map(_spec, wanted):
            specs += [] if each in specs else [each]
        return [Measuring(name, spec, _built(spec, context)) for name, spec in _named(specs).items()], {}
    found, left_out = [], {}
    for name in registry().types("metric"):
        cls = registry().resolve("metric", name)
        if required_fields(cls):
            left_out[name] = "it must be told what to do"
            continue
        try:
            spec = _spec(name)
            found.append(Measuring(name, spec, _built(spec, context)))
        except SpecError as error:
            left_out[name] = str(error)
    return found, left_out


def _spec(value: MetricLike) -> MetricSpec:
    return value if isinstance(value, MetricSpec) else resolve_spec("metric", value)


def _built(spec: MetricSpec, context: BuildContext) -> Any:
    with building(f"metric {spec.type_name()}"):
        return spec.build(context)


def _named(specs: Sequence[MetricSpec]) -> dict[str, MetricSpec]:
    """By type; where one type comes twice, by what is not as usual in each."""
    count = Counter(spec.type_name() for spec in specs)
    named = {}
    for spec in specs:
        changed = spec.model_dump(mode="json", exclude_defaults=True) if count[spec.type_name()] > 1 else {}
        named[" ".join([spec.type_name(), *(f"{key}={value}" for key, value in changed.items())])] = spec
    return named
