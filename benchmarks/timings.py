"""Timings that several benchmarks share: frames of the generator, and training steps with the share of each part."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch

import headmotion as hm
from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.build import Training, build_training
from headmotion.training.clip_sampler import ClipSampler
from headmotion.training.contrastive_phase import ContrastivePhase
from headmotion.training.distributed import Processes
from headmotion.training.recipe import load_recipe

FRAMES = {"small": 50, "paper-code": 8}
"""Frames per call by preset: enough to be measured, few enough for many turns."""
TURNS = 7
RECIPES: dict[str, tuple[list[str], tuple[int, int]]] = {
    "small-cpu": ([], (20, 8)),
    "paper-short": (["data.batch_size=16", "phases.syncers.batch_size=16"], (6, 1)),
}
"""Changes, and timed steps of each phase. A whole batch of the paper takes minutes on one core."""


class FrameTime(NamedTuple):
    """Milliseconds per frame of the generator alone."""

    preset: str
    batch: int
    threads: int
    median: float
    minimum: float


def frame_times() -> Iterator[FrameTime]:
    """Time the generator by preset, batch and threads; all cases take turns, so that load meets all of them."""
    cases = {}
    for preset, frames in FRAMES.items():
        pipe = hm.build({"generator": {"type": "ms-sync", "preset": preset}}, device="cpu")
        for batch in (1, 16):
            reference = pipe.representation.neutral().expand(batch, 1, -1, -1)
            audio = torch.randn(batch, 4 * frames, pipe.audio_encoder.channels)
            for threads in (1, 2):
                cases[preset, batch, threads] = (pipe.generator, reference, audio)
    times: dict[tuple[str, int, int], list[float]] = {case: [] for case in cases}
    for turn in range(TURNS + 1):
        for case, (generator, reference, audio) in cases.items():
            torch.set_num_threads(case[2])
            with torch.inference_mode():
                start = time.perf_counter()
                generator(reference, audio)
            if turn:  # the first fills caches
                times[case].append(1000 * (time.perf_counter() - start) / FRAMES[case[0]])
    torch.set_num_threads(1)
    for case, milliseconds in times.items():
        yield FrameTime(*case, statistics.median(milliseconds), min(milliseconds))


class Stopwatch:
    """Seconds that functions take, by a clock. What runs within a timed function counts as part of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = False

    @contextmanager
    def timing(self, parts: Training) -> Iterator[None]:
        """Time the parts of a step."""
        encoder, generator = type(parts.pipeline.audio_encoder), type(parts.pipeline.generator)
        functions: list[tuple[Any, str, str]] = [
            (ClipSampler, "draw", "data"),
            (encoder, "forward", "audio features"),
            (AdversarialPhase, "_step_discriminator", "discriminators"),
            (AdversarialPhase, "_adversarial", "discriminators"),
            (generator, "forward", "generator forward"),
            (SyncerPyramid, "forward", "sync loss forward"),
            (ContrastivePhase, "groups", "syncers forward"),
            (torch.Tensor, "backward", "backward"),
            (torch.optim.Adam, "step", "optimizer"),
        ]
        with ExitStack() as patches:
            for owner, name, label in functions:
                patches.enter_context(patch.object(owner, name, self._timed(getattr(owner, name), label)))
            yield

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._inside:
                return function(*arguments, **options)
            self._inside, start = True, self._clock()
            try:
                return function(*arguments, **options)
            finally:
                self._inside = False
                self.seconds[label] += self._clock() - start

        return call


class StepTime(NamedTuple):
    """Seconds of a training step."""

    recipe: str
    phase: str
    clips: int
    """Clips per step."""
    seconds: float
    shares: Counter[str]
    """Fraction of the time by part of the step."""


def step_times(
    corpus: Path,
    device: torch.device | None = None,
    overrides: Sequence[str] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[StepTime]:
    """Time the steps of both phases of `RECIPES`, on one device, with further changes of all recipes."""
    for recipe, (changes, counts) in RECIPES.items():
        parts = build_training(load_recipe(recipe, [*changes, *overrides]), [corpus], Processes(device=device))
        for phase, steps in zip(parts.phases, counts, strict=True):
            assert isinstance(phase, ContrastivePhase | AdversarialPhase)
            phase.start()
            stopwatch = Stopwatch(clock)
            phase.step(0)
            with stopwatch.timing(parts):
                start = clock()
                for number in range(1, steps + 1):
                    phase.step(number)
                total = clock() - start
            shares = Counter({label: seconds / total for label, seconds in stopwatch.seconds.items()})
            shares["other"] = 1 - sum(shares.values())
            parts.finish(phase)
            yield StepTime(recipe, phase.name, phase.batches.size, total / steps, shares)
