"""Milliseconds per frame of the generator alone, by batch and threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import torch

import headmotion as hm

FRAMES = {"small": 50, "paper-code": 8}
"""Long enough to be measured, short enough for many turns."""
TURNS = 7


def frame_times() -> Iterator[tuple[str, int, int, float, float]]:
    """Preset, batch, threads, and the median and least milliseconds per frame; all cases take turns."""
    cases = {}
    for preset, frames in FRAMES.items():
        pipe = hm.build({"generator": {"type": "ms-sync", "preset": preset}}, device="cpu")
        for batch in (1, 16):
            reference = pipe.representation.neutral().expand(batch, 1, -1, -1)
            audio = torch.randn(batch, 4 * frames, pipe.audio_encoder.channels)
            for threads in (1, 2):
                cases[preset, batch, threads] = (pipe.generator, reference, audio)
    took: dict[tuple[str, int, int], list[float]] = {case: [] for case in cases}
    for turn in range(TURNS + 1):
        for case, (generator, reference, audio) in cases.items():
            torch.set_num_threads(case[2])
            with torch.inference_mode():
                start = time.perf_counter()
                generator(reference, audio)
            if turn:
                took[case].append(1000 * (time.perf_counter() - start) / FRAMES[case[0]])
    torch.set_num_threads(1)
    for case, times in took.items():
        yield *case, statistics.median(times), min(times)
