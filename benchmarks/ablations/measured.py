"""Values of trained models: of what they draw, by the benchmark of talking heads, and of the motion that they make."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import headmotion as hm
from benchmarks.talking_heads.measures import Values
from benchmarks.talking_heads.methods import Drawn, Method, StillPicture, digest, generated, load
from benchmarks.talking_heads.recording import Recording
from benchmarks.talking_heads.results import Results
from headmotion.core.files import atomic_output, write_text
from headmotion.core.interfaces.metric import Metric, PerClip

from .protocol import Column

Columns = Mapping[str, Column]
"""Columns by name."""
REFERENCE = StillPicture.name
"""Row of every table of pictures, which nothing was trained for."""


class Measured:
    """Values by model and clip, kept in a folder: nothing is measured twice."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, Results(folder)

    def still(self, recording: Recording, columns: Columns) -> Values:
        """Return the values of the first picture in every frame."""
        return self._pictures(StillPicture(), columns, recording)

    def pictures(self, model: Path, source: str, recording: Recording, columns: Columns) -> Values:
        """Return the values of what a model draws, by the columns of the talking heads and by further ones.

        Raises:
            SpecError: a metric without values per clip.
        """
        return self._pictures(Drawn(str(model), str(model), source), columns, recording)

    def motion(self, model: Path, columns: Columns, recording: Recording) -> Values:
        """Return the values of what a model's generator makes of the speech.

        Raises:
            SpecError: a metric without values per clip.
        """
        return self._kept("motion", digest(str(model)), columns, recording, lambda: _motion(model, columns, recording))

    def _pictures(self, method: Method, columns: Columns, recording: Recording) -> Values:
        values, made_from = self.results.pictures(method, recording), json.dumps(dict(method.identity))
        more = self._kept("columns", made_from, columns, recording, lambda: _drawn(method, columns, recording))
        return values | more

    def _kept(
        self, kind: str, made_from: str, columns: Columns, recording: Recording, measure: Callable[[], Values]
    ) -> Values:
        """Return stored values, which are measured if they are not there."""
        if not columns:
            return {}
        text = json.dumps({name: column.model_dump() for name, column in columns.items()}, sort_keys=True)
        digest = hashlib.sha256((made_from + text).encode()).hexdigest()[:16]
        stored = self.folder / kind / digest / f"{recording.name.replace('/', '-')}.json"
        if not stored.exists():
            values = measure()
            stored.parent.mkdir(parents=True, exist_ok=True)
            with atomic_output(stored) as temporary:
                write_text(temporary, json.dumps(values, indent=1))
        result: Values = json.loads(stored.read_text("utf-8"))
        return result


def _motion(model: Path, columns: Columns, recording: Recording) -> Values:
    motion = generated(str(model), recording)
    real = replace(recording.motion, values=recording.poses[..., : motion.values.shape[2]])
    clip = hm.MetricInput(recording.name, motion, real, audio=hm.Audio(*recording.speech))
    return _values(clip, columns, load(str(model)).representation)


def _drawn(method: Method, columns: Columns, recording: Recording) -> Values:
    drawn = torch.from_numpy(method.draw(recording)[1:]).permute(0, 3, 1, 2)
    pair = hm.PicturePair(drawn, recording.frames[1:], recording.poses[1:])
    clip = hm.MetricInput(recording.name, recording.motion[1:], recording.motion[1:], pictures=pair)
    return _values(clip, columns, recording.motion.build_representation())


def _values(clip: hm.MetricInput, columns: Columns, representation: hm.Representation) -> Values:
    """Return the values by column, without those that the clip does not have, as correlations of what never moves."""
    values = {}
    for name, column in columns.items():
        metric = _metric(json.dumps(column.metric, sort_keys=True), representation)
        if not isinstance(metric, PerClip):
            raise hm.SpecError(f"column {name!r}", "a metric with values per clip", str(column.metric))
        measured = metric.per_clip(metric.observe(clip))
        if column.value in measured:
            values[name] = measured[column.value]
        elif column.value not in metric.better:
            raise hm.SpecError(f"column {name!r}", f"a value among {', '.join(measured)}", repr(column.value))
    return values


@functools.cache
def _metric(spec: str, representation: hm.Representation) -> Metric:
    return hm.resolve_spec("metric", dict[str, Any](json.loads(spec))).build(hm.BuildContext(representation, 26))
