"""Figures that are means over clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.errors import SpecError
from ..core.interfaces.metric import MetricValues, Observation, PerClip
from ..core.interfaces.representation import Representation


def averaged(metric: PerClip, observed: Sequence[Observation], nothing: str = "no clip tells anything") -> MetricValues:
    """Mean of each figure over the clips of which it can be told; how many those are is noted, or ``nothing``."""
    every = [metric.per_clip(each) for each in observed]
    values, notes = {}, []
    for name in dict.fromkeys(name for each in every for name in each):
        known = [each[name] for each in every if name in each]
        values[name] = sum(known) / len(known)
        if len(known) < len(every):
            notes.append(f"{name}: of {len(known)} of {len(every)} clips")
    return MetricValues(values, tuple(notes) if values else (nothing,))


def ratio_of_means(over: Iterable[float], under: Iterable[float], least: float) -> float | None:
    """Sum over sum; None where the lower one is ``least`` or less on average."""
    above, below = list(over), list(under)
    return sum(above) / sum(below) if below and sum(below) > least * len(below) else None


def group_of(representation: Representation, group: str, metric: str) -> list[int]:
    """The points of a named group.

    Raises:
        SpecError: the representation lacks it.
    """
    if not representation.groups.get(group):
        has = ", ".join(representation.groups) or "(none)"
        raise SpecError(metric, f"a group that {representation.name} has: {has}", repr(group))
    return list(representation.groups[group])
