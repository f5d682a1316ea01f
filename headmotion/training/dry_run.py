"""A training that is only measured: what it would do, how long it would take and what memory it needs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml  # type: ignore[import-untyped]
from torch import nn

from .build import assemble
from .distributed import Processes, joined
from .phases import Phase
from .recipe import RecipeSpec, load_recipe

MEASURED = 2
"""Steps of each phase that are timed, after one that is not: the first pays for what is set up once."""
STATUS = Path("/proc/self/status")
"""Where Linux tells a process about its memory."""


@dataclass(frozen=True)
class DryRun:
    """What was measured; `str` gives the recipe as YAML, with the figures as comments in front."""

    recipe: RecipeSpec
    parameters: dict[str, int]
    """By component."""
    step_seconds: dict[str, float]
    """By phase."""
    memory: int
    """Largest number of bytes in use: of the GPU on CUDA, else of the whole process."""
    device: str
    processes: int

    @property
    def seconds(self) -> float:
        """All steps of both phases, without saving and watching."""
        steps = {"syncers": self.recipe.syncers.steps, "generator": self.recipe.generator.steps}
        return sum(steps[phase] * seconds for phase, seconds in self.step_seconds.items())

    def __str__(self) -> str:
        figures = [f"{count:>11,} parameters of the {name}" for name, count in self.parameters.items()]
        figures += [f"{seconds:>11.4g} seconds per step of the {name}" for name, seconds in self.step_seconds.items()]
        figures.append(f"{self.memory / 2**20:>11,.0f} MB at most, of each process")
        figures.append(f"{_spoken(self.seconds):>11} in all on {self.processes} x {self.device}, without samples")
        recipe = yaml.safe_dump(self.recipe.model_dump(mode="json"), sort_keys=False)
        return "".join(f"# {line}\n" for line in figures) + str(recipe)


def dry_run(
    recipe: str | os.PathLike[str] | RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    device: str = "auto",
    overrides: Sequence[str] = (),
) -> DryRun:
    """Build a recipe over corpora and take a few steps of each phase; nothing is written, the parameters are dropped.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        TrainingError: a step is not finite.
    """
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    with joined(device) as processes:
        parts = assemble(spec, data, processes)
        seconds = {}
        for phase in (parts.contrastive, parts.adversarial):
            if phase is parts.adversarial:
                parts.judge()
            if phase.steps:
                seconds[phase.name] = _measured(phase, processes)
        counted = {
            "generator": parts.pipeline.generator,
            "syncers": parts.syncers,
            "discriminator": parts.adversarial.discriminator,
        }
        parameters = {name: _parameters(module) for name, module in counted.items()}
        memory = _memory(processes.device)
        return DryRun(spec, parameters, seconds, memory, str(processes.device), processes.count)


def _measured(phase: Phase, processes: Processes) -> float:
    """Seconds of a step."""
    started = 0.0
    for number in range(1 + MEASURED):
        if number == 1:
            started = _now(processes.device)
        torch.manual_seed(number)
        phase.step(number)
    return (_now(processes.device) - started) / MEASURED


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Where it is told, for getrusage counts what the process that started this one held as well.
    lines = STATUS.read_text("utf-8").splitlines() if STATUS.exists() else []
    if told := [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]:
        return told[0]
    import resource  # not there on Windows, which is not supported

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _spoken(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
