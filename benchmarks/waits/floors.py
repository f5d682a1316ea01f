"""What the work cannot do without, alone: no program does it in less time on this machine.

    python -m benchmarks.waits.floors NAME FOLDER

It speaks like ``work.py``. A command needs Python and torch, a video the encoding of its frames, a step of training or
of sessions its floating-point operations, at the speed of a large matrix product.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .work import FRAMES, WORK, Turn, serve

EDGE, PRODUCTS = 1024, 5
"""Edge of the matrices, and how many products are timed; the fastest counts."""


def start_python(folder: Path) -> Turn:
    """Start Python and import torch."""

    def turn() -> None:
        subprocess.run([sys.executable, "-c", "import torch"], check=True, cwd=folder)

    return turn


def encode(frames: int, speech: str | None, folder: Path) -> Turn:
    """Encode frames of the portrait that are drawn already."""
    import headmotion as hm
    from headmotion.media.frames_writer import write_frames
    from headmotion.media.image import read_picture

    pipe, target = hm.load("ms-sync", device="cpu"), folder / f"encoded-{os.getpid()}.mp4"
    motion = pipe.generate(folder / "long.wav", reference=folder / "portrait.npz")[:frames]
    pictures = list(pipe.renderer.frames([motion], read_picture(folder / "portrait.png")))
    audio = None if speech is None else hm.Audio.load(folder / speech)

    def turn() -> None:
        write_frames(pictures, target, 25, audio, quiet=True)

    return turn


def multiply(name: str, folder: Path) -> Turn:
    """Take as long as the work's operations would at the speed of a large matrix product on one thread."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    work = WORK[name](folder)
    work()
    with FlopCounterMode(display=False) as counter:
        work()
    operations, factor = counter.get_total_flops(), torch.rand(EDGE, EDGE)

    def turn() -> list[float]:
        seconds = []
        for _ in range(PRODUCTS):
            start = time.perf_counter()
            factor @ factor
            seconds.append(time.perf_counter() - start)
        least = min(seconds) * operations / (2 * EDGE**3)
        return [least, least]

    return turn


FLOORS: dict[str, Callable[[Path], Turn]] = {
    "animate": start_python,
    "loop": partial(encode, 75, "speech.wav"),
    "portrait": partial(encode, FRAMES, None),
    "pool": partial(multiply, "pool"),
    "syncers": partial(multiply, "syncers"),
    "generator": partial(multiply, "generator"),
}

if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    serve(FLOORS[sys.argv[1]](Path(sys.argv[2])))
