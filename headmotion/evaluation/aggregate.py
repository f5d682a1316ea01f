"""From observations to the entries of a report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.interfaces.metric import MetricValues, PerClip
from ..data.array_file import file_digest
from ..data.corpus_files import LocalFiles
from ..data.pair_index import INDEX
from ..data.shard_header import HEADER, read_header
from .eval_split import EvalSplit
from .intervals import RULE, bootstrap_intervals, finite_values
from .metric_selection import NamedMetric
from .motion_source import MotionSource
from .observe import Observations, SourceObservations, json_protocol
from .report import CorpusReport, MetricReport, ReportedValue, SkippedClip, SourceResult

REFERENCE = "the clip's first frame"
"""Part of the protocol: where generated motion starts."""


def metric_report(
    item: NamedMetric, sources: Sequence[MotionSource], observations: Observations, split: EvalSplit, seed: int
) -> MetricReport:
    """Return the values of one metric for all sources, with the metric's protocol and that of the evaluation.

    Args:
        item: the metric.
        sources: what was evaluated first, then baselines.
        observations: of all sources and metrics.
        split: the evaluated clips.
        seed: of the bootstrap.
    """
    # Rates and clips are those of the evaluated source: baselines may fail on other clips.
    main = observations[sources[0].name, item.name]
    protocol: dict[str, Any] = {
        **json_protocol(item),
        "representation": split.representation.spec.model_dump(mode="json"),
        "reference": REFERENCE,
        "split": split.split,
        "fps": sorted(main.rates),
        "n": len(main.observations),
        # Two reports with this digest measured the same clips, wherever the corpora are.
        "clips_sha256": _digest(main.digests),
        "interval": RULE,
    }
    return MetricReport(
        spec=item.spec.model_dump(mode="json"),
        protocol=protocol,
        better=dict(item.metric.better),
        results={source.name: _source_result(item, observations[source.name, item.name], seed) for source in sources},
    )


def corpus_report(split: EvalSplit, damaged: Sequence[SkippedClip]) -> CorpusReport:
    """Return the corpus, its split and the clips that cannot be used, as a report names them."""
    # The index stands for the corpus, because hashing all shards would read every byte.
    return CorpusReport(
        corpus=str(split.folder),
        index_sha256=_index_digest(split.folder),
        split=split.split,
        clips=len(split),
        ids_sha256=_digest([entry.id for entry in split.entries]),
        damaged=tuple(damaged),
    )


def _index_digest(folder: Path) -> str:
    """Return the SHA-256 of a corpus's index."""
    return read_header(LocalFiles(folder)).index.sha256 if (folder / HEADER).exists() else file_digest(folder / INDEX)


def _source_result(item: NamedMetric, source: SourceObservations, seed: int) -> SourceResult:
    observed = source.observations
    result = finite_values(item.metric, observed) if observed else MetricValues({})
    intervals = bootstrap_intervals(item.metric, observed, seed) if observed else {}
    values = {}
    for name, value in result.values.items():
        low, high = intervals.get(name, (None, None))
        values[name] = ReportedValue(value=value, low=low, high=high)
    return SourceResult(
        n=len(observed),
        values=values,
        clips=_values_of_each_clip(item, source),
        notes=result.notes if len(observed) != 1 else (*result.notes, "a single clip: no intervals"),
        skipped=tuple(SkippedClip(clip=clip, reason=reason) for clip, reason in source.skipped),
        left_out=source.left_out,
    )


def _values_of_each_clip(item: NamedMetric, source: SourceObservations) -> dict[str, dict[str, float]]:
    if not isinstance(item.metric, PerClip):
        return {}
    pairs = zip(source.clips, source.observations, strict=True)
    return {name: dict(item.metric.per_clip(observed)) for name, observed in pairs}


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
