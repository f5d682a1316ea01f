"""Dry run of a training: what it would do, how long it would take and what memory it needs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml  # type: ignore[import-untyped]

from ..core.interfaces.phase import Phase
from .build import build_training
from .corpus_representation import with_corpus_representation
from .distributed import Processes, join_processes
from .gradient_coverage import GradientCoverage
from .recipe import RecipeSpec, load_recipe
from .take_step import take_step

TIMED_STEPS = 2
"""Steps of each phase that are timed, after one that is not: the first pays for what is set up once."""
STATUS = Path("/proc/self/status")
"""Where Linux keeps a process's own peak of memory."""


@dataclass(frozen=True)
class DryRun:
    """What was measured; `str` returns the recipe as YAML, with the values as comments in front."""

    recipe: RecipeSpec
    """The recipe with all its values."""
    parameters: dict[str, int]
    """Numbers that are trained, by phase and optimizer."""
    step_seconds: dict[str, float]
    """By phase."""
    memory: int | None
    """Peak in bytes: of the GPU on CUDA, or else of the whole process; None on the CPU of Windows."""
    device: str
    """Device of the training."""
    processes: int
    """Number of processes."""
    warnings: tuple[str, ...] = ()
    """What looks wrong, one line each, such as parameters that no gradient reaches."""
    start: str = ""
    """The model that the training starts from and which parts get its weights; empty if there is none."""

    @property
    def seconds(self) -> float:
        """Time of all steps of all phases, without saving and previews."""
        return sum(self.recipe.phases[phase].steps * seconds for phase, seconds in self.step_seconds.items())

    def __str__(self) -> str:
        lines = [f"{count:>11,} parameters, {name}" for name, count in self.parameters.items()]
        lines += [f"{seconds:>11.4g} seconds per step of {name}" for name, seconds in self.step_seconds.items()]
        memory = "unknown" if self.memory is None else f"{self.memory / 2**20:,.0f}"
        lines.append(f"{memory:>11} MB at most, of each process")
        duration = _format_duration(self.seconds)
        lines.append(f"{duration:>11} in all on {self.processes} x {self.device}, without previews")
        lines += [f"starts from {self.start}"] if self.start else []
        lines += [f"warning: {text}" for text in self.warnings]
        recipe = yaml.safe_dump(self.recipe.model_dump(mode="json"), sort_keys=False)
        return "".join(f"# {line}\n" for line in lines) + str(recipe)


def dry_run(
    recipe: str | os.PathLike[str] | RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    device: str = "auto",
    overrides: Sequence[str] = (),
    start: str | os.PathLike[str] | None = None,
) -> DryRun:
    """Build a recipe over corpora and take a few steps of each phase; nothing is written, the parameters are dropped.

    Args:
        recipe: a bundled name, a YAML file, or a `RecipeSpec`.
        data: corpus folders.
        device: ``cpu``, ``cuda`` or ``auto``.
        overrides: ``a.b=value`` changes of the recipe.
        start: model whose weights the parts of the recipe begin with; see `headmotion.training.train`.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        CheckpointError: there is no such model.
        TrainingError: the weights of the model do not fit the recipe, or a step is not finite.
    """
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    spec = with_corpus_representation(spec, data)
    with join_processes(device) as processes:
        training = build_training(spec, data, processes, start=start)
        model = training.start
        seconds, parameters, warnings = {}, {}, list[str](model.notes if model else ())
        for phase in training.phases:
            phase.start()
            warnings += training.warnings[phase.name]
            seconds[phase.name], found = _step_seconds(phase, processes)
            warnings += found
            for name, stepper in phase.optimizers.items():
                parameters[f"{phase.name}: {name}"] = sum(parameter.numel() for parameter in stepper.parameters)
            training.finish(phase)
        peak = peak_memory(processes.device)
        shown = f"{model}: {', '.join(model.parts)}" if model else ""
        device, count = str(processes.device), processes.count
        return DryRun(training.recipe, parameters, seconds, peak, device, count, tuple(warnings), shown)


def _step_seconds(phase: Phase, processes: Processes) -> tuple[float, list[str]]:
    """Return the seconds of a step, and warnings about weights that are not trained."""
    start, warnings = 0.0, list[str]()
    # One more than is timed, unless the phase has no more.
    count = min(TIMED_STEPS, max(1, phase.steps - 1))
    first = 1 if phase.steps > 1 else 0
    coverage = GradientCoverage(phase, first + count)
    for number in range(first + count):
        if number == first:
            start = _now(processes.device)
        take_step(phase, number)
        warnings += coverage.update(number)
    return (_now(processes.device) - start) / count, warnings


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def peak_memory(device: torch.device) -> int | None:
    """Return the peak of memory in bytes, of a GPU or of this process; None for a process on Windows."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # On Linux not by getrusage, which also counts what the process that started this one held.
    lines = STATUS.read_text("utf-8").splitlines() if STATUS.exists() else []
    if peaks := [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]:
        return peaks[0]
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _format_duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
