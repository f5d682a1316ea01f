"""Goals of training: one step of ours and of the baseline, each in a process of its own.

    python -m benchmarks.goals.training ours|baseline

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
from headmotion.training.recipe import load_recipe

from .baseline_networks import LEVELS, BaselineDiscriminator, BaselineGenerator, BaselineSyncer
from .timing import Measurement, last_line_of

BATCH, FRAMES, STEPS, TURNS, THREADS = 8, 40, 2, 2, 2


def step_time() -> Measurement:
    """Compare the seconds of a step with those of the baseline."""
    ours, baseline = (statistics.median(run["seconds"] for run in runs) for runs in _runs())
    note = f"{ours:.2f} s, baseline {baseline:.2f} s; {BATCH} clips of {FRAMES} frames, 512 wide, {THREADS} threads"
    return Measurement(ours / baseline, "x", note)


def peak_memory() -> Measurement:
    """Compare the peak of a process's memory with that of the baseline."""
    ours, baseline = (max(run["peak_gb"] for run in runs) for runs in _runs())
    return Measurement(ours / baseline, "x", f"{ours:.2f} GB, baseline {baseline:.2f} GB; {BATCH} clips")


def _runs() -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Run both in turns."""
    turns = [(_run("ours"), _run("baseline")) for _ in range(TURNS)]
    return [ours for ours, _ in turns], [baseline for _, baseline in turns]


def _run(which: str) -> dict[str, float]:
    values: dict[str, float] = json.loads(last_line_of("benchmarks.goals.training", which))
    return values


def our_step(folder: Path) -> Callable[[int], object]:
    """Return a step of the recipe `paper-short` with the authors' widths, including data and audio features."""
    corpus = write_synthetic(folder / "corpus", clips=2 * BATCH, seconds=3.2)
    changes = ["pipeline.generator={type: ms-sync, preset: paper-code}", f"data.batch_size={BATCH}"]
    changes += [f"phases.syncers.batch_size={BATCH}"]
    parts = build_training(load_recipe("paper-short", changes), [corpus])
    for phase in parts.phases[:-1]:
        parts.finish(phase)
    parts.phases[-1].start()
    return parts.phases[-1].step


def baseline_step() -> Callable[[int], object]:
    """Return a step as described in 1.8 and 1.9: discriminators, then the generator, each with its own rollout."""
    generator, discriminator = BaselineGenerator(), BaselineDiscriminator()
    syncers = nn.ModuleList(BaselineSyncer() for _ in range(LEVELS)).eval().requires_grad_(False)
    of_generator = torch.optim.Adam(generator.parameters(), 2e-5, (0.0, 0.999))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), 1e-5, (0.0, 0.999))
    pyramid = Pyramid(LEVELS)
    reference, real = torch.rand(BATCH, 3, 68, 2), torch.rand(BATCH, FRAMES, 68, 2)
    audio = torch.randn(BATCH, 4 * FRAMES, 26)

    def step(number: int) -> None:
        with torch.no_grad():
            generated = generator(reference, audio)
        real_scores, scores = discriminator(reference, real), discriminator(reference, generated)
        hinge = sum((1 - real_scores[head]).relu().mean() + (1 + scores[head]).relu().mean() for head in scores)
        _update(of_discriminator, discriminator, hinge)
        generated = generator(reference, audio)
        loss = -sum(score.mean() for score in discriminator(reference, generated).values())
        levels = pyramid.pair(generated, audio)
        loss = loss - sum(syncer(m, a) for syncer, (m, a) in zip(syncers, levels, strict=True)) / LEVELS
        _update(of_generator, generator, loss)

    return step


def _update(optimizer: torch.optim.Optimizer, network: nn.Module, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def main(which: str) -> None:
    """Time one of the two and print seconds per step and peak memory."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        step = our_step(Path(folder)) if which == "ours" else baseline_step()
        times = []
        for number in range(STEPS + 1):
            start = time.perf_counter()
            step(number)
            times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": statistics.median(times[1:]), "peak_gb": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
