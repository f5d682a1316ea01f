"""Goals of generation: the yardstick, the floor, and the bundled model from audio to motion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.ms_sync.blocks import GroupedLinear
from headmotion.ms_sync.generator import MSSyncGenerator

from .measuring import Figure, in_turns, threads
from .yardstick import YardstickGenerator, lend, parameters

FRAMES = 40
"""The length of MS-Sync-short."""


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
    """Frames per second over those of the yardstick with the same weights."""

    def measure() -> Figure:
        ours, plain = authors_size(), YardstickGenerator().eval()
        lend(ours, plain)
        given = inputs(batch)
        with threads(count), torch.inference_mode():
            took = in_turns({"ours": lambda: ours(*given), "plain": lambda: plain(*given)}, 5 if batch == 1 else 3)
        ms = {name: 1000 * seconds / FRAMES for name, seconds in took.items()}
        note = f"{ms['ours']:.1f} ms per frame, yardstick {ms['plain']:.1f} ms"
        return Figure(took["plain"] / took["ours"], "x", f"{note}; {parameters(ours):,} parameters each")

    return measure


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
