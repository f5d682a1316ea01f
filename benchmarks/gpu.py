"""Generation and training on a GPU, as a fraction of what the card can do.

    python -m benchmarks.gpu [--device cuda]

Prints two tables. The limit of a frame is the longer of two times: that of reading every weight once, by the bandwidth
of a large copy, and that of as many products, by the rate of a large product of the same type. Both are measured first.
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

from .goals.timing import median_seconds
from .timings import step_times

PRESETS, BATCHES, MODES = ("small", "paper-code"), (1, 16, 256), ("eager", "graph", "compiled")
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
FRAMES = 8
"""Frames per call: a compiled call is one graph of all its frames."""
LARGE = 1 << 28
"""Size in bytes of the copy that shows the bandwidth."""


def seconds(action: Callable[[], object], device: torch.device) -> float:
    """Return the median seconds of a few calls, each until the device is done."""

    def synchronized() -> None:
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return median_seconds({"call": synchronized})["call"]


def bandwidth(device: torch.device, size: int = LARGE) -> float:
    """Return the bytes per second that a large copy reads and writes."""
    source = torch.zeros(size // 4, device=device)
    target = torch.empty_like(source)
    return 2 * size / seconds(lambda: target.copy_(source), device)


def product_rate(device: torch.device, dtype: torch.dtype, side: int = 8192) -> float:
    """Return the multiply-adds per second of a large matrix product."""
    matrix = torch.ones(side, side, device=device, dtype=dtype)
    return float(side) ** 3 / seconds(lambda: matrix @ matrix, device)


def generator_of(preset: str, device: torch.device) -> MSSyncGenerator:
    """Build a generator that starts from zeros, because noise is drawn on the CPU and cannot be captured in a graph."""
    spec = {"generator": {"type": "ms-sync", "preset": preset, "initial_state": "zeros"}}
    generator = hm.build(spec, device=str(device)).generator
    assert isinstance(generator, MSSyncGenerator)
    return generator


def call_of(generator: MSSyncGenerator, batch: int, mode: str, dtype: torch.dtype) -> Callable[[], object]:
    """Return a call that generates `FRAMES` frames of a batch."""
    device = next(generator.parameters()).device
    reference = torch.rand(batch, 3, 68, 2, device=device)
    audio = torch.randn(batch, 4 * FRAMES, generator.audio.channels, device=device)
    network = torch.compile(generator) if mode == "compiled" else generator

    def call() -> Tensor:
        with torch.no_grad(), _autocast(device, dtype):
            motion: Tensor = network(reference, audio)
        return motion

    return _captured(call) if mode == "graph" else call


def _autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype, cache_enabled=False)  # a captured graph would lose the cache


def _captured(call: Callable[[], object]) -> Callable[[], object]:
    """Return the same work as a CUDA graph, warmed up on a stream of its own, as capturing requires."""
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
    """Yield the rows of the first table."""
    rates = {name: product_rate(device, dtype, side) for name, dtype in TYPES.items()}
    bytes_per_second = bandwidth(device)
    for preset in presets:
        generator = generator_of(preset, device)
        parts = (generator.encoder, generator.lstm, generator.branches)
        weights = sum(parameter.numel() for part in parts for parameter in part.parameters())
        for batch in batches:
            for name, dtype in TYPES.items():
                limit = max(weights * dtype.itemsize / bytes_per_second, weights * batch / rates[name])
                for mode in MODES if device.type == "cuda" else ("eager",):
                    frame = seconds(call_of(generator, batch, mode, dtype), device) / FRAMES
                    case = f"preset `{preset}`, batch {batch}, {name}, {mode}"
                    yield f"| {case} | {batch / frame:,.0f} | {1000 * frame:.3f} | {limit / frame:.1%} |"


def training(device: torch.device) -> Iterator[str]:
    """Yield the rows of the second table. A training step reads values back, so it is neither captured nor compiled."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for precision in ("32", "bf16"):
            for step in step_times(corpus, device, [f"precision={precision}"]):
                case = f"`{step.recipe}`, {step.phase} phase, {step.clips} clips, {precision}"
                yield f"| {case} | {1 / step.seconds:.2f} | {step.clips / step.seconds:,.0f} |"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, or one of several such as cuda:1, or cpu to try it")
    device = torch.device(parser.parse_args().device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("no GPU is available")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}\n")
    tables = {
        "| generation | frames/s, all clips | ms per frame | fraction of the limit |": generation(device),
        "| training | steps/s | clips/s |": training(device),
    }
    for head, rows in tables.items():
        print(head, "|" + "---|" * (head.count("|") - 1), sep="\n")
        for row in rows:
            print(row, flush=True)
        print()


if __name__ == "__main__":
    main()
