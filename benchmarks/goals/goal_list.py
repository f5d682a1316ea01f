"""The goals: what is measured, which value is enough, and which is aimed for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import exported, features, generation, scaling, streaming, training
from .timing import Measurement


@dataclass(frozen=True)
class Goal:
    """One line of the table."""

    title: str
    enough: float
    aim: float
    measure: Callable[[], Measurement]
    more_is_better: bool = False
    of_memory: bool = False
    """Whether it is about the memory that a process holds, which must then be returned as it is by default."""

    def verdict(self, value: float) -> str:
        """Return whether a value is enough, or even what is aimed for."""
        sign = 1 if self.more_is_better else -1
        if sign * value >= sign * self.aim:
            return "as aimed for"
        return "reached" if sign * value >= sign * self.enough else "missed"


GOALS: dict[str, Goal] = {
    "generation-1-1": Goal(
        "generation against the baseline, batch 1, one thread", 5, 7, generation.against_baseline(1, 1), True
    ),
    "generation-1-2": Goal(
        "generation against the baseline, batch 1, two threads", 2.5, 3.5, generation.against_baseline(1, 2), True
    ),
    "generation-16-1": Goal(
        "generation against the baseline, batch 16, one thread", 3, 5, generation.against_baseline(16, 1), True
    ),
    "generation-16-2": Goal(
        "generation against the baseline, batch 16, two threads", 3, 5, generation.against_baseline(16, 2), True
    ),
    "floor-1": Goal("time over the floor of bare products, batch 1", 1.15, 1.05, generation.over_floor(1)),
    "floor-16": Goal("time over the floor of bare products, batch 16", 1.5, 1.25, generation.over_floor(16)),
    "real-time": Goal("bundled model, audio to motion, one thread", 40, 100, generation.real_time, True),
    "real-time-onnx": Goal("the same, exported, in ONNX Runtime", 40, 100, exported.real_time, True),
    "push": Goal("streaming: from a pushed chunk to its frame", 10, 3, streaming.push_latency),
    "push-onnx": Goal("the same, exported, in ONNX Runtime", 10, 3, exported.push_latency),
    "look-ahead": Goal("streaming: look-ahead of the bundled model", 400, 160, streaming.look_ahead),
    "memory-streaming": Goal("memory: growth while streaming", 10, 1, streaming.memory_streaming, of_memory=True),
    "memory-files": Goal("memory: growth from file to file", 10, 1, streaming.memory_file_to_file, of_memory=True),
    "memory-hour": Goal(
        "memory: `animate` of an hour, with a picture", 350, 250, streaming.memory_hour, of_memory=True
    ),
    "step-time": Goal("training step against the baseline's, time", 0.6, 0.35, training.step_time),
    "step-memory": Goal(
        "training step against the baseline's, peak of memory", 1, 0.6, training.peak_memory, of_memory=True
    ),
    "features": Goal("audio features against python_speech_features", 5, 10, features.audio_features, True),
    "evaluation": Goal("offset and confidence of 1,000 clips of 80 frames", 10, 3, features.evaluation),
    "portrait": Goal("renderer `portrait`, 512 x 512, one core", 80, 200, features.portrait, True),
    "scaling": Goal("cost against work, largest exponent", 1.1, 1, scaling.cost_against_work),
}
