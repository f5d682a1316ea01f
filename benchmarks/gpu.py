"""Generation and training on a GPU, as a share of what the card can do.

    python -m benchmarks.gpu [--device cuda]

Prints two tables. The limit of a frame is the longer of reading every weight once, by the bandwidth of a large copy,
and of as many products, by the rate of a large product of the same type; both are measured first.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.ms_sync.generator import MSSyncGenerator

from .goals.measuring import in_turns
from .steps import step_times

PRESETS, BATCHES, MODES = ("small", "paper-code"), (1, 16, 256), ("eager", "graph", "compiled")
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
FRAMES = 8
"""Per call: a compiled call is one graph of all its frames."""
LARGE = 1 << 28
"""Bytes of the copy that shows the bandwidth."""


def seconds(action: Callable[[], object], device: torch.device) -> float:
    """Median of some calls, each until the device is done."""

    def done() -> None:
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return in_turns({"call": done})["call"]


def bandwidth(device: torch.device, size: int = LARGE) -> float:
    """Bytes per second that a large copy reads and writes."""
    source = torch.zeros(size // 4, device=device)
    target = torch.empty_like(source)
    return 2 * size / seconds(lambda: target.copy_(source), device)


def product_rate(device: torch.device, dtype: torch.dtype, side: int = 8192) -> float:
    """Multiply-adds per second of a large matrix product."""
    matrix = torch.ones(side, side, device=device, dtype=dtype)
    return float(side) ** 3 / seconds(lambda: matrix @ matrix, device)


def generator_of(preset: str, device: torch.device) -> MSSyncGenerator:
    """One that starts from zeros, for noise is drawn on the CPU and could not be captured in a graph."""
    spec = {"generator": {"type": "ms-sync", "preset": preset, "initial_state": "zeros"}}
    generator = hm.build(spec, device=str(device)).generator
    assert isinstance(generator, MSSyncGenerator)
    return generator


def call_of(generator: MSSyncGenerator, batch: int, mode: str, dtype: torch.dtype) -> Callable[[], object]:
    """A call that generates `FRAMES` frames of a batch."""
    device = next(generator.parameters()).device
    reference = torch.rand(batch, 3, 68, 2, device=device)
    audio = torch.randn(batch, 4 * FRAMES, generator.audio.channels, device=device)
    chosen = torch.compile(generator) if mode == "compiled" else generator

    def call() -> Tensor:
        with torch.no_grad(), _cast(device, dtype):
            made: Tensor = chosen(reference, audio)
        return made

    return _captured(call) if mode == "graph" else call


def _cast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype, cache_enabled=False)  # a captured graph would lose the cache


def _captured(call: Callable[[], object]) -> Callable[[], object]:
    """The same work as a CUDA graph, warmed up on a stream of its own as capturing wants it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def generation(
    device: torch.device, presets: Sequence[str] = PRESETS, batches: Sequence[int] = BATCHES, side: int = 8192
) -> Iterator[str]:
    """Rows of the first table."""
    read, rates = bandwidth(device), {name: product_rate(device, dtype, side) for name, dtype in TYPES.items()}
    for preset in presets:
        generator = generator_of(preset, device)
        parts = (generator.encoder, generator.lstm, generator.branches)
        weights = sum(each.numel() for part in parts for each in part.parameters())
        for batch in batches:
            for name, dtype in TYPES.items():
                limit = max(weights * dtype.itemsize / read, weights * batch / rates[name])
                for mode in MODES if device.type == "cuda" else ("eager",):
                    took = seconds(call_of(generator, batch, mode, dtype), device) / FRAMES
                    what = f"preset `{preset}`, batch {batch}, {name}, {mode}"
                    yield f"| {what} | {batch / took:,.0f} | {1000 * took:.3f} | {limit / took:.1%} |"


def training(device: torch.device) -> Iterator[str]:
    """Rows of the second table. A training step reads figures back, so that it is neither captured nor compiled."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for precision in ("32", "bf16"):
            for recipe, phase, clips, took, _ in step_times(corpus, device, [f"precision={precision}"]):
                what = f"`{recipe}`, {phase} phase, {clips} clips, {precision}"
                yield f"| {what} | {1 / took:.2f} | {clips / took:,.0f} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, or one of several such as cuda:1; cpu to try it out")
    device = torch.device(parser.parse_args().device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU is at hand")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}\n")
    tables = {
        "| generation | frames/s, all clips | ms per frame | share of the limit |": generation(device),
        "| training | steps/s | clips/s |": training(device),
    }
    for head, rows in tables.items():
        print(head, "|" + "---|" * (head.count("|") - 1), sep="\n")
        for row in rows:
            print(row, flush=True)
        print()


if __name__ == "__main__":
    main()
