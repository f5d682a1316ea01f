"""Training steps: how long they take, and which share each part of them has."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.batches import ClipSampler
from headmotion.training.build import TrainingParts, build_training
from headmotion.training.contrastive_phase import ContrastivePhase
from headmotion.training.distributed import Processes
from headmotion.training.recipe import load_recipe

RECIPES: dict[str, tuple[list[str], tuple[int, int]]] = {
    "small-cpu": ([], (20, 8)),
    "paper-short": (["data.batch_size=16", "syncers.batch_size=16"], (6, 1)),
}
"""Changes, and the steps of each phase that are timed; a whole batch of the paper takes minutes on one core."""


class Stopwatch:
    """Seconds spent in functions while they are watched. What runs within a watched function counts as that one's."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = False

    @contextmanager
    def watching(self, parts: TrainingParts) -> Iterator[None]:
        """Watch what a step is made of."""
        encoder, generator = type(parts.pipeline.audio_encoder), type(parts.pipeline.generator)
        watched: list[tuple[Any, str, str]] = [
            (ClipSampler, "draw", "data"),
            (encoder, "forward", "audio features"),
            (AdversarialPhase, "_step_discriminator", "discriminators"),
            (AdversarialPhase, "_adversarial", "discriminators"),
            (generator, "forward", "generator forward"),
            (SyncerPyramid, "forward", "sync loss forward"),
            (type(parts.contrastive), "groups", "syncers forward"),
            (torch.Tensor, "backward", "backward"),
            (torch.optim.Adam, "step", "optimizer"),
        ]
        with ExitStack() as patches:
            for owner, name, label in watched:
                patches.enter_context(patch.object(owner, name, self._timed(getattr(owner, name), label)))
            yield

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return function(*arguments, **named)
            self._inside, start = True, time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self._inside = False
                self.seconds[label] += time.perf_counter() - start

        return call


def step_times(
    corpus: Path, device: torch.device | None = None, also: Sequence[str] = ()
) -> Iterator[tuple[str, str, int, float, Counter[str]]]:
    """Recipe, phase, clips per step, seconds per step, and the share of each part; ``also`` changes all recipes."""
    for name, (changes, counts) in RECIPES.items():
        parts = build_training(load_recipe(name, [*changes, *also]), [corpus], Processes(device=device))
        phases: tuple[ContrastivePhase | AdversarialPhase, ...] = (parts.contrastive, parts.adversarial)
        for phase, steps in zip(phases, counts, strict=True):
            if phase is parts.adversarial:
                parts.freeze_syncers()
            watch = Stopwatch()
            phase.step(0)
            with watch.watching(parts):
                start = time.perf_counter()
                for number in range(1, steps + 1):
                    phase.step(number)
                whole = time.perf_counter() - start
            shares = Counter({label: seconds / whole for label, seconds in watch.seconds.items()})
            shares["other"] = 1 - sum(shares.values())
            yield name, phase.name, phase.batches.size, whole / steps, shares
