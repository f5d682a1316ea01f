"""Goals of training: one step of both networks, ours and the yardstick's, each in a process of its own.

    python -m benchmarks.goals.training ours|yardstick

prints seconds per step and the peak of memory as JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.sync.pyramid import Pyramid
from headmotion.training.build import build_training
from headmotion.training.distributed import Processes
from headmotion.training.recipe import load_recipe

from .baseline_networks import LEVELS, YardstickDiscriminator, YardstickGenerator, YardstickSyncer
from .measuring import Figure, printed

BATCH, FRAMES, STEPS, TURNS, THREADS = 8, 40, 2, 2, 2


def step_time() -> Figure:
    """Seconds of our step over those of the yardstick's."""
    ours, plain = (statistics.median(run["seconds"] for run in each) for each in _runs())
    note = f"{ours:.2f} s, yardstick {plain:.2f} s; {BATCH} clips of {FRAMES} frames, 512 wide, {THREADS} threads"
    return Figure(ours / plain, "x", note)


def peak_memory() -> Figure:
    """Peak of our process's memory over that of the yardstick's."""
    ours, plain = (max(run["peak_gb"] for run in each) for each in _runs())
    return Figure(ours / plain, "x", f"{ours:.2f} GB, yardstick {plain:.2f} GB; {BATCH} clips")


def _runs() -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Both in turns."""
    turns = [(_process("ours"), _process("yardstick")) for _ in range(TURNS)]
    return [ours for ours, _ in turns], [plain for _, plain in turns]


def _process(which: str) -> dict[str, float]:
    figures: dict[str, float] = json.loads(printed("benchmarks.goals.training", which))
    return figures


def our_step(folder: Path) -> Callable[[int], object]:
    """A step of the recipe `paper-short` with the authors' widths, reading of data and audio features included."""
    corpus = write_synthetic(folder / "corpus", clips=2 * BATCH, seconds=3.2)
    changes = ["pipeline.generator={type: ms-sync, preset: paper-code}", f"data.batch_size={BATCH}"]
    changes += [f"syncers.batch_size={BATCH}"]
    parts = build_training(load_recipe("paper-short", changes), [corpus], Processes())
    parts.freeze_syncers()
    return parts.adversarial.step


def yardstick_step() -> Callable[[int], object]:
    """A step as it is described in 1.8 and 1.9: discriminators first, then the generator, each with its own rollout."""
    generator, discriminator = YardstickGenerator(), YardstickDiscriminator()
    syncers = nn.ModuleList(YardstickSyncer() for _ in range(LEVELS)).eval().requires_grad_(False)
    of_generator = torch.optim.Adam(generator.parameters(), 2e-5, (0.0, 0.999))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), 1e-5, (0.0, 0.999))
    pyramid = Pyramid(LEVELS)
    reference, real = torch.rand(BATCH, 3, 68, 2), torch.rand(BATCH, FRAMES, 68, 2)
    audio = torch.randn(BATCH, 4 * FRAMES, 26)

    def step(number: int) -> None:
        with torch.no_grad():
            made = generator(reference, audio)
        on_real, on_made = discriminator(reference, real), discriminator(reference, made)
        hinge = sum((1 - on_real[name]).relu().mean() + (1 + on_made[name]).relu().mean() for name in on_real)
        _update(of_discriminator, discriminator, hinge)
        made = generator(reference, audio)
        loss = -sum(score.mean() for score in discriminator(reference, made).values())
        levels = pyramid.pair(made, audio)
        loss = loss - sum(syncer(m, a) for syncer, (m, a) in zip(syncers, levels, strict=True)) / LEVELS
        _update(of_generator, generator, loss)

    return step


def _update(optimizer: torch.optim.Optimizer, network: nn.Module, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def main(which: str) -> None:
    """Time one of the two and print its figures."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        step = our_step(Path(folder)) if which == "ours" else yardstick_step()
        took = []
        for number in range(STEPS + 1):
            began = time.perf_counter()
            step(number)
            took.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": statistics.median(took[1:]), "peak_gb": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
