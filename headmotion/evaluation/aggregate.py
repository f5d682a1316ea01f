"""From observations to what a report says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ..core.interfaces.metric import MetricValues, PerClip
from ..data.pair_format import INDEX as PAIRS_INDEX
from ..data.shard_header import INDEX as SHARDS_INDEX
from .eval_split import Clips
from .intervals import RULE, intervals, metric_figures
from .motion_source import Source
from .observe import Measuring, Observations, Observed, protocol_of
from .report import Data, Measured, Result, Skipped, Value

REFERENCE = "the clip's first frame"


def measured_by(
    each: Measuring, sources: Sequence[Source], observations: Observations, clips: Clips, seed: int
) -> Measured:
    """What one metric says of all sources, and its protocol: its own, and that of the evaluation."""
    main = observations[sources[0].name, each.name]
    protocol: dict[str, Any] = {
        **protocol_of(each),
        "representation": clips.representation.spec.model_dump(mode="json"),
        "reference": REFERENCE,
        "split": clips.split,
        "fps": sorted(main.rates),
        "n": len(main.observations),
        "clips_sha256": _digest(main.digests),
        "interval": RULE,
    }
    return Measured(
        spec=each.spec.model_dump(mode="json"),
        protocol=protocol,
        better=dict(each.metric.better),
        results={source.name: _result(each, observations[source.name, each.name], seed) for source in sources},
    )


def told(clips: Clips, damaged: Sequence[Skipped]) -> Data:
    """What a report says of the corpus."""
    index = next(path for name in (SHARDS_INDEX, PAIRS_INDEX) if (path := clips.folder / name).exists())
    return Data(
        corpus=str(clips.folder),
        index_sha256=hashlib.sha256(index.read_bytes()).hexdigest(),
        split=clips.split,
        clips=len(clips),
        ids_sha256=_digest([entry.id for entry in clips.entries]),
        damaged=tuple(damaged),
    )


def _result(each: Measuring, observed: Observed, seed: int) -> Result:
    found = observed.observations
    figures = metric_figures(each.metric, found) if found else MetricValues({})
    ends = intervals(each.metric, found, seed) if found else {}
    values = {}
    for name, value in figures.values.items():
        low, high = ends.get(name, (None, None))
        values[name] = Value(value=value, low=low, high=high)
    notes = figures.notes if len(found) != 1 else (*figures.notes, "one clip alone: no intervals")
    return Result(
        n=len(found),
        values=values,
        clips=_by_clip(each, observed),
        notes=notes,
        skipped=tuple(Skipped(clip=clip, reason=reason) for clip, reason in observed.skipped),
        left_out=observed.left_out,
    )


def _by_clip(each: Measuring, observed: Observed) -> dict[str, dict[str, float]]:
    if not isinstance(each.metric, PerClip):
        return {}
    pairs = zip(observed.clips, observed.observations, strict=True)
    return {name: dict(each.metric.per_clip(found)) for name, found in pairs}


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
