"""Goals of generation: against the baseline, over the floor, and the bundled model from audio to motion.

    python -m benchmarks.goals.generation ours|baseline BATCH THREADS

prints milliseconds per frame of one of the two networks.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.ms_sync.blocks import GroupedLinear
from headmotion.ms_sync.generator import MSSyncGenerator

from .baseline_networks import BaselineGenerator, parameters
from .timing import KEEP_MEMORY, Measurement, last_line_of, median_seconds, threads

FRAMES, TURNS = 40, 2
"""Frames of MS-Sync-short, and turns of each network."""


def authors_size() -> MSSyncGenerator:
    """Build the generator with the authors' widths."""
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": "paper-code"}}, device="cpu")
    assert isinstance(pipe.generator, MSSyncGenerator)
    return pipe.generator


def inputs(batch: int, frames: int = FRAMES) -> tuple[Tensor, Tensor]:
    """Draw a reference ``[B, 3, 68, 2]`` and audio features ``[B, 4*T, 26]``."""
    rng = torch.Generator().manual_seed(0)
    return torch.rand(batch, 3, 68, 2, generator=rng), torch.randn(batch, 4 * frames, 26, generator=rng)


def against_baseline(batch: int, count: int) -> Callable[[], Measurement]:
    """Compare frames per second with those of the baseline, by default; the note has it with memory kept as well.

    Args:
        batch: clips that are generated together.
        count: threads.
    """

    def measure() -> Measurement:
        ours, baseline = _both(batch, count, {})
        ours_kept, baseline_kept = _both(batch, count, KEEP_MEMORY)
        note = (
            f"{ours:.1f} ms per frame, baseline {baseline:.1f} ms; memory kept: {baseline_kept / ours_kept:.2f} x, "
            f"{ours_kept:.1f} and {baseline_kept:.1f} ms; {parameters(authors_size()):,} parameters each"
        )
        return Measurement(baseline / ours, "x", note)

    return measure


def _both(batch: int, count: int, allocator: Mapping[str, str]) -> Iterator[float]:
    """Return the milliseconds per frame of ours and of the baseline, which take turns in processes of their own."""
    environment = {name: value for name, value in os.environ.items() if name not in KEEP_MEMORY}
    environment |= allocator

    def ms(which: str) -> float:
        return float(
            last_line_of("benchmarks.goals.generation", which, str(batch), str(count), environment=environment)
        )

    turns = [[ms(which) for which in NETWORKS] for _ in range(TURNS)]
    return (statistics.median(milliseconds) for milliseconds in zip(*turns, strict=True))


def over_floor(batch: int) -> Callable[[], Measurement]:
    """Compare with the bare products of one frame, one after the other, on one thread."""

    def measure() -> Measurement:
        generator, arguments = authors_size(), inputs(batch)
        products = bare_products(generator, batch)
        cases: dict[str, Callable[[], object]] = {
            "ours": lambda: generator(*arguments),
            "floor": lambda: [product() for _ in range(FRAMES) for product in products],
        }
        with threads(1), torch.inference_mode():
            medians = median_seconds(cases, 5 if batch == 1 else 3)
        ms = {name: 1000 * seconds / FRAMES for name, seconds in medians.items()}
        note = f"{ms['ours']:.1f} ms per frame with the audio's pyramid, {len(products)} products {ms['floor']:.1f} ms"
        return Measurement(medians["ours"] / medians["floor"], "x", note)

    return measure


def bare_products(generator: MSSyncGenerator, batch: int) -> list[Callable[[], Tensor]]:
    """Return the matrix products of one frame, each into memory that exists already, without biases."""
    weights: list[Tensor] = []
    for part in (generator.encoder, generator.lstm, generator.branches):
        for module in part.modules():
            if isinstance(module, GroupedLinear):
                weights.append(module.weight.detach())
            elif isinstance(module, nn.Linear):
                weights.append(module.weight.detach().T.unsqueeze(0))
            elif isinstance(module, nn.LSTMCell):
                weights += [weight.detach().T.unsqueeze(0) for weight in (module.weight_ih, module.weight_hh)]
    return [_product(torch.randn(len(weight), batch, weight.shape[1]), weight) for weight in weights]


def _product(rows: Tensor, weight: Tensor) -> Callable[[], Tensor]:
    out = torch.empty(*rows.shape[:2], weight.shape[2])
    return lambda: torch.bmm(rows, weight, out=out)


def real_time() -> Measurement:
    """Measure seconds of motion per second of the bundled model, from a wave to a `Motion`, on one thread."""
    duration = 30
    pipe = hm.load("ms-sync", device="cpu")
    wave = (np.random.default_rng(0).normal(0, 0.05, 16_000 * duration).astype(np.float32), 16_000)
    with threads(1):
        seconds = median_seconds({"ours": lambda: pipe.generate(wave)}, 5)["ours"]
    return Measurement(duration / seconds, "x real time", f"{1000 * seconds / (25 * duration):.2f} ms per frame")


def main(which: str, batch: int, count: int) -> None:
    """Time one of the two networks and print its milliseconds per frame."""
    torch.set_num_threads(count)
    torch.manual_seed(0)
    network, arguments = NETWORKS[which](), inputs(batch)
    with torch.inference_mode():
        seconds = median_seconds({which: lambda: network(*arguments)}, 3)[which]
    print(1000 * seconds / FRAMES)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"ours": authors_size, "baseline": lambda: BaselineGenerator().eval()}

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
