"""Motions converted from one representation into another, by the converters that plugins offer."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .errors import MotionError
from .interfaces.converter import Converter
from .interfaces.specs import RepresentationSpec
from .motion import Motion
from .plugins import registry


def converted(motion: Motion, target: RepresentationSpec | Mapping[str, Any] | str) -> Motion:
    """See `Motion.to`."""
    wanted = _wanted(target)
    source, goal = str(motion.representation.get("type")), wanted["type"]
    if source == goal and _fits(motion, wanted):
        return motion
    way = route(registry().converters.values(), source, goal)
    if not way:
        known = ", ".join(sorted(reachable(registry().converters.values(), source))) or "nothing else"
        raise MotionError(f"motion of {source}", f"a representation that it converts into: {known}", repr(goal))
    result = motion
    for converter in way:
        result = converter.convert(result)
    if not _fits(result, wanted) and (less := registry().converters.get((goal, goal))) is not None and less not in way:
        way, result = (*way, less), less.convert(result)
    if not _fits(result, wanted):
        fields = [json.dumps(each, sort_keys=True) for each in (_described(result, wanted), wanted)]
        raise MotionError(f"motion of {source} to {goal}", f"what can be made, {fields[0]}", fields[1])
    steps = [{"from": each.source, "to": each.target, "loss": each.loss} for each in way]
    return replace(result, provenance={**motion.provenance, "converted": [*_before(motion), *steps]})


def route(converters: Iterable[Converter], source: str, target: str) -> tuple[Converter, ...]:
    """The shortest way of one converter or more from a type to another; empty if there is none."""
    known = tuple(converters)
    ways: deque[tuple[Converter, ...]] = deque((each,) for each in known if each.source == source)
    seen = set()
    while ways:
        way = ways.popleft()
        here = way[-1].target
        if here == target:
            return way
        if here not in seen:
            seen.add(here)
            ways.extend((*way, each) for each in known if each.source == here != each.target)
    return ()


def reachable(converters: Iterable[Converter], source: str) -> set[str]:
    """All types into which motions of a type can be converted."""
    known = tuple(converters)
    return {each.target for each in known if route(known, source, each.target)}


def _wanted(target: RepresentationSpec | Mapping[str, Any] | str) -> dict[str, Any]:
    if isinstance(target, RepresentationSpec):
        return target.model_dump(mode="json")
    described = {"type": target} if isinstance(target, str) else dict(target)
    if not isinstance(described.get("type"), str):
        raise MotionError("motion.to", "a type of representation, or an object with a 'type'", repr(target)[:80])
    fields: dict[str, Any] = json.loads(json.dumps(described))
    return fields


def _described(motion: Motion, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields of a motion's representation that are asked about, defaults included."""
    kind = registry().resolve("representation", str(motion.representation.get("type")))
    spec = kind.model_validate(dict(motion.representation))
    return {name: json.loads(json.dumps(getattr(spec, name, None), default=dict)) for name in wanted}


def _fits(motion: Motion, wanted: Mapping[str, Any]) -> bool:
    return _described(motion, wanted) == wanted


def _before(motion: Motion) -> list[Any]:
    return list(motion.provenance.get("converted", ()))
