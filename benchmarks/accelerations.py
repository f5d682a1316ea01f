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
from collections.abc import Callable, Iterable, Iterator
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

from .goals.generation import inputs
from .plain_parts import states_of_each_window
from .waits.work import training_step

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


SYNCERS, GENERATOR = partial(training_step, "small-cpu", 0), partial(training_step, "small-cpu", 1)
PAPER = partial(training_step, "paper-short", 1, changes=("data.batch_size=16", "phases.syncers.batch_size=16"))

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


def measure_all(
    accelerations: Iterable[Acceleration] = ACCELERATIONS,
    columns: tuple[str, str] = ("acceleration", "without over with"),
) -> Iterator[str]:
    """Yield the lines of a table."""
    yield from (f"| {columns[0]} | workload | {columns[1]} |", "|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for acceleration in accelerations:
            middle, low, high = ratio(acceleration, corpus)
            yield f"| {acceleration.name} | {acceleration.workload} | {middle:.2f} ({low:.2f} to {high:.2f}) |"


def main(lines: Iterable[str]) -> None:
    """Print a table as it is measured."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main(measure_all())
