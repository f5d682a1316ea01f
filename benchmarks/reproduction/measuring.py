"""The figures of a run, kept in a file beside its models, so that they can be made anew without training anything."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.files import atomic_output
from headmotion.data.corpus import open_corpus
from headmotion.sync.trained import TrainedSyncers, load_syncers

from .corpora import CAUSES, Synthetic, causes, unseen
from .digests import digest
from .drift import WINDOW, drift
from .running import Workshop
from .scales import followed
from .speaking import Spoken, spoken
from .synchrony import synchrony
from .table import Experiment, Run, Size

Table = npt.NDArray[np.float64]
PROTOCOL = 2
"""Counted up when something here measures differently; figures of another number are made anew."""
LONG = Synthetic("minutes", clips=8, seconds=60.0, seed=77)
"""Speech of speakers that no corpus shows, 20 to 40 times as long as what is trained on."""


class MetricValues:
    """What was measured of one run, or of the recordings of a corpus."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def table(self, name: str) -> Table:
        """An array of figures."""
        return np.array(self.values[name], dtype=np.float64)


def measured(shop: Workshop, run: Run, size: Size, minutes: bool) -> MetricValues:
    """Figures of a trained run.

    Args:
        minutes: whether it also speaks for minutes.
    """
    return _kept(place(shop, run, size, minutes), lambda: _of_run(shop, run, size, minutes))


def place(shop: Workshop, run: Run, size: Size, minutes: bool) -> Path:
    """Where the figures of a run are or will be."""
    settings = {"protocol": PROTOCOL, "unseen": size.unseen, "metric": run.metric.key, "minutes": minutes}
    return shop.place(run) / f"figures-{digest(settings)[:8]}.json"


def recorded(shop: Workshop, experiment: Experiment, size: Size) -> MetricValues:
    """The same figures of the recordings themselves."""
    run = experiment.runs[0]
    target = shop.place(run.metric) / f"recordings-{digest({'protocol': PROTOCOL, 'unseen': size.unseen})[:8]}.json"
    return _kept(target, lambda: _of_recordings(shop, run, size))


def _kept(target: Path, make: Callable[[], Mapping[str, Any]]) -> MetricValues:
    if not target.exists():
        values = make()
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(target) as temporary:
            temporary.write_text(json.dumps(values), "utf-8")
    return MetricValues(json.loads(target.read_text("utf-8")))


def _of_run(shop: Workshop, run: Run, size: Size, minutes: bool) -> Mapping[str, Any]:
    torch.set_num_threads(1)
    corpus = shop.corpus(run.corpus)
    judge, clips = load_syncers(shop.judge(run.metric)), unseen(corpus, size.unseen)
    values: dict[str, Any] = {"synchrony": []}
    for model in shop.run(run):
        pipe = hm.load(model, device="cpu")
        speech = list(spoken(pipe, clips))
        values["synchrony"].append(_judged(judge, speech, lambda part: part.generated))
    values["wrong"] = _judged(judge, speech, lambda part: part.generated, other=True)
    values |= _followed(pipe.representation, corpus, speech, lambda part: part.generated)
    values["moved"] = [ratios for part in speech for ratios in moved(part)]
    if minutes:
        values["drift"] = _drift(shop, pipe)
    return {**values, **_card(pipe)}


def _of_recordings(shop: Workshop, run: Run, size: Size) -> Mapping[str, Any]:
    corpus = shop.corpus(run.corpus)
    judge, pipe = load_syncers(shop.judge(run.metric)), hm.load(shop.run(run)[0], device="cpu")
    speech = list(spoken(pipe, unseen(corpus, size.unseen)))
    values: dict[str, Any] = {
        "synchrony": [_judged(judge, speech, lambda part: part.real)],
        "wrong": _judged(judge, speech, lambda part: part.real, other=True),
    }
    return {**values, **_followed(pipe.representation, corpus, speech, lambda part: part.real)}


def _judged(
    judge: TrainedSyncers, speech: list[Spoken], motion: Callable[[Spoken], Tensor], other: bool = False
) -> list[Any]:
    """``[clips, levels, figures]``; with ``other``, beside the speech of the next clip but two."""
    parts = [synchrony(judge, motion(each), each.audio.roll(3 * other, 0)) for each in speech]
    return list(np.round(np.concatenate(parts), 5).tolist())


def _followed(
    representation: hm.Representation, corpus: Path, speech: list[Spoken], motion: Callable[[Spoken], Tensor]
) -> Mapping[str, Any]:
    """Correlations with known causes ``[clips, scales]``, the clip's own and another's, where causes are known."""
    if not (corpus / CAUSES).exists() or "mouth" not in representation.openings:
        return {}
    ids = [id for part in speech for id in part.ids]
    motions = [each for part in speech for each in motion(part)]
    own, wrong = (
        [followed(representation, one, causes(corpus, ids[(k + step) % len(ids)])) for k, one in enumerate(motions)]
        for step in (0, 3)
    )
    return {"followed": np.round(own, 5).tolist(), "followed_wrong": np.round(wrong, 5).tolist()}


def moved(speech: Spoken) -> list[list[float]]:
    """Of each clip, how far (spread over time) and how roughly (jitter, third difference) motion moves, over real."""
    made, real = (
        torch.stack([motion.std(1).mean((1, 2)), motion.diff(3, dim=1).square().mean((1, 2, 3)).sqrt()], dim=1)
        for motion in (speech.generated, speech.real)
    )
    return [[round(value, 5) for value in row] for row in (made / real.clamp(min=1e-9)).tolist()]


def _drift(shop: Workshop, pipe: hm.Pipeline) -> Mapping[str, Any]:
    (part,) = spoken(pipe, open_corpus(shop.corpus(LONG)))
    half = len(part.real) // 2
    return {
        "generated": drift(part.generated, part.real),
        # Recordings of some beside those of the others, as generated motion is beside recordings.
        "recorded": drift(part.real[:half], part.real[half:]),
        "seconds": WINDOW / float(pipe.spec.fps),
    }


def _card(pipe: hm.Pipeline) -> Mapping[str, Any]:
    """What the page says of how the run was made."""
    wanted = ("commit", "training_seconds")
    parameters = sum(weights.numel() for weights in pipe.generator.parameters())
    machine = (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, torch {torch.__version__}"
    )
    return {name: pipe.card[name] for name in wanted} | {"parameters": parameters, "machine": machine}
