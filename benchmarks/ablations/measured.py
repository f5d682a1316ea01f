"""Values of trained models: of what they draw, by the benchmark of talking heads, and of the motion that they make."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import headmotion as hm
from benchmarks.talking_heads.measures import Values
from benchmarks.talking_heads.methods import Drawn, StillPicture, digest, generated, load
from benchmarks.talking_heads.recording import Recording
from benchmarks.talking_heads.results import Results
from headmotion.core.files import atomic_output, write_text
from headmotion.core.interfaces.metric import Metric, PerClip

from .protocol import MotionColumn

REFERENCE = StillPicture.name
"""Row of every table of pictures, which nothing was trained for."""


class Measured:
    """Values by model and clip, kept in a folder: nothing is measured twice."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, Results(folder)

    def still(self, recording: Recording) -> Values:
        """Return the values of the first picture in every frame."""
        return self.results.pictures(StillPicture(), recording)

    def pictures(self, model: Path, source: str, recording: Recording) -> Values:
        """Return the values of what a model draws, by the columns of the talking heads."""
        return self.results.pictures(Drawn(str(model), str(model), source), recording)

    def motion(self, model: Path, columns: Mapping[str, MotionColumn], recording: Recording) -> Values:
        """Return the values of what a model's generator makes of the speech.

        Raises:
            SpecError: a metric without values per clip, or without the named value.
        """
        text = json.dumps({name: column.model_dump() for name, column in columns.items()}, sort_keys=True)
        kept = hashlib.sha256((digest(str(model)) + text).encode()).hexdigest()[:16]
        stored = self.folder / "motion" / kept / f"{recording.name.replace('/', '-')}.json"
        if not stored.exists():
            values = _measure(model, columns, recording)
            stored.parent.mkdir(parents=True, exist_ok=True)
            with atomic_output(stored) as temporary:
                write_text(temporary, json.dumps(values, indent=1))
        found: Values = json.loads(stored.read_text("utf-8"))
        return found


def _measure(model: Path, columns: Mapping[str, MotionColumn], recording: Recording) -> Values:
    made = generated(str(model), recording)
    real = replace(recording.motion, values=recording.poses[..., : made.values.shape[2]])
    clip = hm.MetricInput(recording.name, made, real, audio=hm.Audio(*recording.speech))
    values = {}
    for name, column in columns.items():
        metric = _metric(json.dumps(column.metric, sort_keys=True), str(model))
        if not isinstance(metric, PerClip):
            raise hm.SpecError(f"column {name!r}", "a metric with values per clip", str(column.metric))
        found = metric.per_clip(metric.observe(clip))
        if column.value not in found:
            raise hm.SpecError(f"column {name!r}", f"a value among {', '.join(found)}", repr(column.value))
        values[name] = found[column.value]
    return values


@functools.cache
def _metric(spec: str, model: str) -> Metric:
    representation, made_from = load(model).representation, dict[str, Any](json.loads(spec))
    return hm.resolve_spec("metric", made_from).build(hm.BuildContext(representation, 26))
