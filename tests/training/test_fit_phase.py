"""The fit phase: a representation takes its tensors from the clips, once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from headmotion.core.errors import CorpusError
from headmotion.data.corpus import open_corpus
from headmotion.training.batch_partition import BatchPartition
from headmotion.training.fit_phase import FitPhase
from headmotion.training.specs import FitPhaseSpec


class Mean(nn.Module):
    """The mean pose of a corpus."""

    fit_source, fitted, name = "landmarks68", False, "mean"

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(68, 2))

    def fit(self, motions: Iterable[Tensor]) -> None:
        self.get_buffer("mean").copy_(torch.cat(list(motions)).mean(0))
        self.fitted = True


def phase(corpus: Path, spec: FitPhaseSpec, source: str = "landmarks68") -> FitPhase:
    representation = Mean()
    representation.fit_source = source
    pipeline = SimpleNamespace(**{spec.fits: representation}, device=torch.device("cpu"))
    context = SimpleNamespace(
        name="fit",
        pipeline=pipeline,
        corpus=open_corpus(corpus),
        partition=BatchPartition(),
        tracks=lambda parts, always: always,
    )
    return FitPhase(spec, cast("Any", context))


def test_every_clip_is_seen_once_in_the_unit_frame(small_corpus: Path) -> None:
    fit = phase(small_corpus, FitPhaseSpec())
    values = fit.step(0)
    assert values == {"clips": 8.0, "frames": 8 * 55.0}
    mean = fit.modules["representation"].get_buffer("mean")
    assert 0.2 < float(mean.min()) < float(mean.max()) < 0.8 and fit.result()["representation"].fitted
    assert phase(small_corpus, FitPhaseSpec(max_clips=3)).step(0)["clips"] == 3


def test_another_part_of_the_pipeline_may_be_fitted(small_corpus: Path) -> None:
    fit = phase(small_corpus, FitPhaseSpec(fits="generator", max_clips=2))
    assert fit.step(0)["clips"] == 2 and fit.modules.keys() == fit.result().keys() == {"generator"}
    assert fit.result()["generator"].fitted


def test_clips_of_another_type_are_refused(small_corpus: Path) -> None:
    with pytest.raises(CorpusError, match=r"motion of mesh478, \[T, 478, .* got the shape \[T, 68"):
        phase(small_corpus, FitPhaseSpec(), source="mesh478")
