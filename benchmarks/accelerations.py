"""What each acceleration of MS-Sync brings: time without it over time with it.

    python -m benchmarks.accelerations

Processor time on one thread, so that other programs disturb little. Cases with and without the acceleration take turns
in random order, on the same weights. Page faults can hide the ratios of training steps: keep freed memory by the
environment `KEEP_MEMORY` of `benchmarks.goals.timing`. Prints a table, which docs/where-the-time-goes.md also has.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.ms_sync import blocks, discriminator
from headmotion.training.build import build_training
from headmotion.training.distributed import Processes
from headmotion.training.recipe import load_recipe
from headmotion.training.take_step import take_step

from .goals.generation import inputs
from .plain_parts import states_of_each_window

BOOTSTRAP_DRAWS = 2000
Work = Callable[[], object]


@dataclass(frozen=True)
class Acceleration:
    """One acceleration in one workload."""

    name: str
    workload: str
    make_work: Callable[[Path], Work]
    """Builds the work, over the folder of a corpus."""
    without: Callable[[], AbstractContextManager[object]]
    """Turns the acceleration off."""
    turns: int


def generate(corpus: Path) -> Work:
    """Return the generation of two seconds by the bundled model."""
    network, arguments = hm.load("ms-sync", device="cpu").generator, inputs(1, 50)

    @torch.inference_mode()
    def work() -> None:
        network(*arguments)

    return work


def push(corpus: Path) -> Work:
    """Return the streaming of 40 chunks of 40 ms through the bundled model."""
    session, chunk = hm.load("ms-sync", device="cpu").stream(sample_rate=16_000), np.zeros(640, np.float32)

    def work() -> None:
        for _ in range(40):
            session.push(chunk)

    return work


def train(recipe: str, phase: int, changes: Sequence[str], corpus: Path) -> Work:
    """Return a training step of a phase, by its number, of a recipe with changes."""
    training = build_training(load_recipe(recipe, list(changes)), [corpus], Processes())
    for earlier in training.phases[:phase]:
        training.finish(earlier)
    trained = training.phases[phase]
    trained.start()
    steps = iter(range(trained.steps))

    def work() -> None:
        take_step(trained, next(steps))

    return work


SYNCERS, GENERATOR = partial(train, "small-cpu", 0, ()), partial(train, "small-cpu", 1, ())
PAPER = partial(train, "paper-short", 1, ("data.batch_size=16", "phases.syncers.batch_size=16"))

ACCELERATIONS = (
    Acceleration(
        "GELU of few numbers without oneDNN (`blocks.grouped_gelu`)",
        "generation, bundled model, batch 1",
        generate,
        lambda: patch.object(blocks, "MIN_GELU_INPUTS", 0),
        120,
    ),
    Acceleration(
        "short convolutions by products (`blocks.ConvBlock.stream`)",
        "streaming, bundled model, chunks of 40 ms",
        push,
        lambda: patch.object(blocks, "MIN_CONV_OUTPUTS", -1),
        60,
    ),
    Acceleration(
        "windows that start together share a run of the LSTM (`window_states`)",
        "training, `small-cpu`, generator phase",
        GENERATOR,
        lambda: patch.object(discriminator, "window_states", states_of_each_window),
        12,
    ),
    Acceleration(
        "windows that start together share a run of the LSTM (`window_states`)",
        "training, `paper-short`, generator phase, 16 clips",
        PAPER,
        lambda: patch.object(discriminator, "window_states", states_of_each_window),
        3,
    ),
    Acceleration(
        "depth-wise convolutions tap by tap (`depthwise.convolve_by_taps`)",
        "training, `small-cpu`, syncers phase",
        SYNCERS,
        lambda: patch.object(blocks, "trains_on_cpu", lambda sequence: False),
        30,
    ),
)


def ratio(acceleration: Acceleration, corpus: Path) -> tuple[float, float, float]:
    """Return the time without over the time with an acceleration, and its 95 % interval."""
    work, rng = acceleration.make_work(corpus), random.Random(0)
    times: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(acceleration.turns + 1):
        for accelerated in rng.sample([True, False], 2):
            start = time.process_time()
            if accelerated:
                work()
            else:
                with acceleration.without():
                    work()
            if turn:  # the first fills caches
                times[accelerated].append(time.process_time() - start)
    fast, slow = np.array(times[True]), np.array(times[False])
    draws = np.random.default_rng(0).integers(0, len(fast), (BOOTSTRAP_DRAWS, len(fast)))
    low, high = np.percentile(np.median(slow[draws], axis=1) / np.median(fast[draws], axis=1), [2.5, 97.5])
    return float(np.median(slow) / np.median(fast)), float(low), float(high)


def measure_all() -> Iterator[str]:
    """Yield the lines of the table."""
    yield from ("| acceleration | workload | without over with |", "|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for acceleration in ACCELERATIONS:
            middle, low, high = ratio(acceleration, corpus)
            yield f"| {acceleration.name} | {acceleration.workload} | {middle:.2f} ({low:.2f} to {high:.2f}) |"


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for line in measure_all():
        print(line, flush=True)
