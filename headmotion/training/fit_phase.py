"""Fit phase: a part of the pipeline takes its basis and statistics from the training clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.component import Component
from ..core.errors import SpecError
from ..core.interfaces.phase import Phase, PhaseOptimizer
from ..core.interfaces.representation import SupportsFitting
from ..core.interfaces.specs import resolve_spec
from .batches import MOTION
from .context import TrainContext
from .corpus_checks import check_motion
from .specs import FitPhaseSpec


class FitPhase(Phase):
    """One step, in which the part sees the motion of every clip once; its tensors go into the model.

    Every process fits for itself, to the same numbers. A run that is stopped in between begins the pass anew.

    Raises:
        SpecError: a part that cannot be fitted.
        CorpusError: clips of another type than it is fitted to.
    """

    def __init__(self, spec: FitPhaseSpec, context: TrainContext) -> None:
        self.spec, self.context, self.steps, self.name = spec, context, spec.steps, context.name
        part: Component = getattr(context.pipeline, spec.fits)
        if not isinstance(part, SupportsFitting):
            got = f"{part.spec.type_name()}, which has nothing to fit"
            expected = f"a {spec.fits.replace('_', ' ')} with SupportsFitting"
            raise SpecError(f"{self.name} phase", expected, got, "remove the phase")
        self.part = part
        self.source = resolve_spec("representation", part.fit_source).build()
        check_motion(context.corpus, self.source)
        context.tracks((), MOTION)
        self.modules: dict[str, nn.Module] = {spec.fits: part}
        self.optimizers: dict[str, PhaseOptimizer] = {}
        self._frames = 0

    @override
    def start(self) -> None:
        pass

    @override
    def result(self) -> Mapping[str, Any]:
        return {self.spec.fits: self.part}

    @override
    def step(self, number: int) -> Mapping[str, float]:
        corpus = self.context.corpus
        count = min(self.spec.max_clips or len(corpus), len(corpus))
        indices = np.unique(np.linspace(0, len(corpus) - 1, count).round().astype(int))
        self._frames = 0
        self.part.fit(self._motions(indices.tolist()))
        return {"clips": float(len(indices)), "frames": float(self._frames)}

    def _motions(self, indices: list[int]) -> Iterator[Tensor]:
        """Yield the motion ``[t, P, D]`` of clips in the unit frame."""
        device, dtype = self.context.pipeline.device, self.context.partition.dtype
        for index in indices:
            values = self.context.corpus.read(index, MOTION).motion
            assert values is not None
            self._frames += len(values)
            motion = torch.from_numpy(values)
            yield self.source.normalize(motion, self.source.frame_of(motion[:1])).to(device, dtype)
