"""Metrics of a run, stored in a file next to its models, so that the page can be written without training anything."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.files import atomic_output
from headmotion.data.corpus import open_corpus
from headmotion.sync.trained import TrainedSyncers, load_syncers

from .corpora import CAUSES, Synthetic, digest, stored_causes, unseen
from .experiments import Experiment, GeneratorRun, Size
from .generated_clips import GeneratedClips, generate_clips
from .motion_metrics import WINDOW, Table, cause_correlations, drift, synchrony
from .workspace import Workspace

PROTOCOL = 2
"""Increased when something is measured differently; stored metrics of another number are measured again."""
LONG = Synthetic("minutes", clips=8, seconds=60.0, seed=77)
"""Speech of speakers in no other corpus, 20 to 40 times as long as the clips that are trained on."""
BOOTSTRAP_DRAWS = 2000


class RunValues:
    """Metrics of one run, or of the recordings of a corpus, by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def table(self, name: str) -> Table:
        """Return a metric as an array."""
        return np.array(self.values[name], dtype=np.float64)


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def sign(self) -> int:
        """1 or -1 if the whole interval lies on one side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def interval(values: Table) -> Interval:
    """Bootstrap values ``[seeds, clips]`` over seeds and, independently, over clips, which all seeds share.

    The two are crossed, not nested: a clip that is hard for one seed is hard for the next.
    """
    rng = np.random.default_rng(0)
    seeds, clips = values.shape
    seed_weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), BOOTSTRAP_DRAWS) / seeds
    clip_weights = rng.multinomial(clips, np.full(clips, 1 / clips), BOOTSTRAP_DRAWS) / clips
    draws = np.einsum("ds,sc,dc->d", seed_weights, values, clip_weights)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def run_values(workspace: Workspace, run: GeneratorRun, size: Size, minutes: bool) -> RunValues:
    """Return the metrics of a trained run, measured unless they are stored.

    Args:
        workspace: where everything is.
        run: the run.
        size: how many clips are measured.
        minutes: whether it also generates for minutes.
    """
    return _cached(values_path(workspace, run, size, minutes), lambda: _measure_run(workspace, run, size, minutes))


def values_path(workspace: Workspace, run: GeneratorRun, size: Size, minutes: bool) -> Path:
    """Return the file of a run's metrics."""
    settings = {"protocol": PROTOCOL, "unseen": size.unseen, "metric": run.metric.key, "minutes": minutes}
    return workspace.folder_of(run) / f"figures-{digest(settings)[:8]}.json"


def recorded_values(workspace: Workspace, experiment: Experiment, size: Size) -> RunValues:
    """Return the same metrics of the recordings, measured unless they are stored."""
    run = experiment.runs[0]
    name = f"recordings-{digest({'protocol': PROTOCOL, 'unseen': size.unseen})[:8]}.json"
    target = workspace.folder_of(run.metric) / name
    return _cached(target, lambda: _measure_recordings(workspace, run, size))


def _cached(target: Path, measure: Callable[[], Mapping[str, Any]]) -> RunValues:
    if not target.exists():
        values = measure()
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(target) as temporary:
            temporary.write_text(json.dumps(values), "utf-8")
    return RunValues(json.loads(target.read_text("utf-8")))


def _measure_run(workspace: Workspace, run: GeneratorRun, size: Size, minutes: bool) -> Mapping[str, Any]:
    torch.set_num_threads(1)
    corpus = workspace.corpus(run.corpus)
    judge, clips = load_syncers(workspace.judge(run.metric)), unseen(corpus, size.unseen)
    values: dict[str, Any] = {"synchrony": []}
    for model in workspace.run(run):
        pipe = hm.load(model, device="cpu")
        batches = list(generate_clips(pipe, clips))
        values["synchrony"].append(_synchrony(judge, batches, lambda batch: batch.generated))
    # All that follows is of the last model.
    values["wrong"] = _synchrony(judge, batches, lambda batch: batch.generated, other_speech=True)
    values |= _cause_correlations(pipe.representation, corpus, batches, lambda batch: batch.generated)
    values["moved"] = [ratios for batch in batches for ratios in motion_ratios(batch)]
    if minutes:
        values["drift"] = _drift(workspace, pipe)
    return {**values, **_card(pipe)}


def _measure_recordings(workspace: Workspace, run: GeneratorRun, size: Size) -> Mapping[str, Any]:
    corpus = workspace.corpus(run.corpus)
    judge, pipe = load_syncers(workspace.judge(run.metric)), hm.load(workspace.run(run)[0], device="cpu")
    batches = list(generate_clips(pipe, unseen(corpus, size.unseen)))
    values: dict[str, Any] = {
        "synchrony": [_synchrony(judge, batches, lambda batch: batch.recorded)],
        "wrong": _synchrony(judge, batches, lambda batch: batch.recorded, other_speech=True),
    }
    return {**values, **_cause_correlations(pipe.representation, corpus, batches, lambda batch: batch.recorded)}


def _synchrony(
    judge: TrainedSyncers,
    batches: list[GeneratedClips],
    motion: Callable[[GeneratedClips], Tensor],
    other_speech: bool = False,
) -> list[Any]:
    """Return ``[clips, levels, figures]``, with a clip's own speech or with that of the third next clip."""
    tables = [synchrony(judge, motion(batch), batch.audio.roll(3 * other_speech, 0)) for batch in batches]
    return list(np.round(np.concatenate(tables), 5).tolist())


def _cause_correlations(
    representation: hm.Representation,
    corpus: Path,
    batches: list[GeneratedClips],
    motion: Callable[[GeneratedClips], Tensor],
) -> Mapping[str, Any]:
    """Return correlations ``[clips, scales]`` with a clip's own causes and with another's, if causes are known."""
    if not (corpus / CAUSES).exists() or "mouth" not in representation.openings:
        return {}
    ids = [id for batch in batches for id in batch.ids]
    motions = [values for batch in batches for values in motion(batch)]

    def correlations(shift: int) -> list[list[float]]:
        causes = (stored_causes(corpus, ids[(k + shift) % len(ids)]) for k in range(len(ids)))
        pairs = zip(motions, causes, strict=True)
        values = [cause_correlations(representation, values, curves) for values, curves in pairs]
        return list(np.round(values, 5).tolist())

    return {"followed": correlations(0), "followed_wrong": correlations(3)}


def motion_ratios(batch: GeneratedClips) -> list[list[float]]:
    """Return per clip the spread over time and the jitter (third difference) of generated over recorded motion."""
    generated, recorded = (
        torch.stack([motion.std(1).mean((1, 2)), motion.diff(3, dim=1).square().mean((1, 2, 3)).sqrt()], dim=1)
        for motion in (batch.generated, batch.recorded)
    )
    return [[round(value, 5) for value in row] for row in (generated / recorded.clamp(min=1e-9)).tolist()]


def _drift(workspace: Workspace, pipe: hm.Pipeline) -> Mapping[str, Any]:
    (batch,) = generate_clips(pipe, open_corpus(workspace.corpus(LONG)))
    half = len(batch.recorded) // 2
    return {
        "generated": drift(batch.generated, batch.recorded),
        # One half of the recordings against the other, as generated motion against recordings.
        "recorded": drift(batch.recorded[:half], batch.recorded[half:]),
        "seconds": WINDOW / float(pipe.spec.fps),
    }


def _card(pipe: hm.Pipeline) -> Mapping[str, Any]:
    """Return how the run was made."""
    machine = (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, torch {torch.__version__}"
    )
    return {
        **{name: pipe.card[name] for name in ("commit", "training_seconds")},
        "parameters": sum(weights.numel() for weights in pipe.generator.parameters()),
        "machine": machine,
    }
