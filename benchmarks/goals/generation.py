"""Goals of generation: the yardstick, the floor, and the bundled model from audio to motion.

    python -m benchmarks.goals.generation ours|yardstick BATCH THREADS

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

from .baseline_networks import YardstickGenerator, parameters
from .measuring import KEPT_MEMORY, Figure, in_turns, printed, threads

FRAMES, TURNS = 40, 2
"""The length of MS-Sync-short; how often each network has its turn."""


def authors_size() -> MSSyncGenerator:
    """The generator of the authors' widths."""
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": "paper-code"}}, device="cpu")
    assert isinstance(pipe.generator, MSSyncGenerator)
    return pipe.generator


def inputs(batch: int, frames: int = FRAMES) -> tuple[Tensor, Tensor]:
    """A reference and audio."""
    chance = torch.Generator().manual_seed(0)
    return (
        torch.rand(batch, 3, 68, 2, generator=chance),
        torch.randn(batch, 4 * frames, 26, generator=chance),
    )


def against_yardstick(batch: int, count: int) -> Callable[[], Figure]:
    """Frames per second over those of the yardstick, as processes start; the note has it with memory kept as well."""

    def measure() -> Figure:
        ours, plain = _both(batch, count, {})
        ours_kept, plain_kept = _both(batch, count, KEPT_MEMORY)
        note = (
            f"{ours:.1f} ms per frame, yardstick {plain:.1f} ms; memory kept: {plain_kept / ours_kept:.2f} x, "
            f"{ours_kept:.1f} and {plain_kept:.1f} ms; {parameters(authors_size()):,} parameters each"
        )
        return Figure(plain / ours, "x", note)

    return measure


def _both(batch: int, count: int, allocator: Mapping[str, str]) -> Iterator[float]:
    """Milliseconds per frame of ours and of the yardstick, which take turns in processes of their own."""
    environment = {name: value for name, value in os.environ.items() if name not in KEPT_MEMORY}
    environment |= allocator

    def ms(which: str) -> float:
        return float(printed("benchmarks.goals.generation", which, str(batch), str(count), environment=environment))

    turns = [[ms(which) for which in NETWORKS] for _ in range(TURNS)]
    return (statistics.median(each) for each in zip(*turns, strict=True))


def over_floor(batch: int) -> Callable[[], Figure]:
    """Time over that of the bare products of one frame, one after the other, on one thread."""

    def measure() -> Figure:
        generator, given = authors_size(), inputs(batch)
        products = bare_products(generator, batch)
        cases: dict[str, Callable[[], object]] = {
            "ours": lambda: generator(*given),
            "floor": lambda: [product() for _ in range(FRAMES) for product in products],
        }
        with threads(1), torch.inference_mode():
            took = in_turns(cases, 5 if batch == 1 else 3)
        ms = {name: 1000 * seconds / FRAMES for name, seconds in took.items()}
        note = f"{ms['ours']:.1f} ms per frame with the audio's pyramid, {len(products)} products {ms['floor']:.1f} ms"
        return Figure(took["ours"] / took["floor"], "x", note)

    return measure


def bare_products(generator: MSSyncGenerator, batch: int) -> list[Callable[[], Tensor]]:
    """The matrix products of one frame, each into memory that is there already; no biases and nothing between them."""
    weights: list[Tensor] = []
    for part in (generator.encoder, generator.lstm, generator.branches):
        for module in part.modules():
            if isinstance(module, GroupedLinear):
                weights.append(module.weight.detach())
            elif isinstance(module, nn.Linear):
                weights.append(module.weight.detach().T.unsqueeze(0))
            elif isinstance(module, nn.LSTMCell):
                weights += [each.detach().T.unsqueeze(0) for each in (module.weight_ih, module.weight_hh)]
    return [_product(torch.randn(len(weight), batch, weight.shape[1]), weight) for weight in weights]


def _product(given: Tensor, weight: Tensor) -> Callable[[], Tensor]:
    out = torch.empty(*given.shape[:2], weight.shape[2])
    return lambda: torch.bmm(given, weight, out=out)


def real_time() -> Figure:
    """Seconds of motion per second of the bundled model, from a wave to a `Motion`, on one thread."""
    seconds = 30
    pipe = hm.load("ms-sync", device="cpu")
    wave = (np.random.default_rng(0).normal(0, 0.05, 16_000 * seconds).astype(np.float32), 16_000)
    with threads(1):
        took = in_turns({"ours": lambda: pipe.generate(wave)}, 5)["ours"]
    return Figure(seconds / took, "x real time", f"{1000 * took / (25 * seconds):.2f} ms per frame")


def main(which: str, batch: int, count: int) -> None:
    """Time one of the two and print its milliseconds per frame."""
    torch.set_num_threads(count)
    torch.manual_seed(0)
    network, given = NETWORKS[which](), inputs(batch)
    with torch.inference_mode():
        took = in_turns({which: lambda: network(*given)}, 3)
    print(1000 * took[which] / FRAMES)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"ours": authors_size, "yardstick": lambda: YardstickGenerator().eval()}

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
