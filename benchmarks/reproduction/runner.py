"""Run an experiment: train its judges and generators in parallel processes, and measure them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from functools import partial

import torch

from .experiments import Experiment, GeneratorRun, Judge, Size
from .run_metrics import recorded_values, run_values
from .workspace import Workspace

MINUTES = "length"
"""The experiment whose generators also generate for minutes."""


def train_judge(workspace: Workspace, judge: Judge) -> str:
    """Train a judge and return a line that says how long it took."""
    return f"{judge.name}: {_seconds(lambda: workspace.judge(judge)):.0f} s"


def train_run(workspace: Workspace, run: GeneratorRun) -> str:
    """Train a generator and return a line that says how long it took."""
    return f"{run.name}: trained in {_seconds(lambda: workspace.run(run)):.0f} s"


def measure_run(workspace: Workspace, size: Size, minutes: bool, run: GeneratorRun) -> str:
    """Measure a trained generator and return a line that says how long it took."""
    return f"{run.name}: measured in {_seconds(lambda: run_values(workspace, run, size, minutes)):.0f} s"


def _seconds(work: Callable[[], object]) -> float:
    torch.set_num_threads(1)
    start = time.monotonic()
    work()
    return time.monotonic() - start


def run_experiment(workspace: Workspace, size: Size, experiment: Experiment, pool: Executor) -> None:
    """Train and measure everything that an experiment needs and that does not exist yet."""
    print(f"{experiment.name}: {len(experiment.runs)} runs", flush=True)
    workspace.corpus(experiment.corpus)
    _map_with_progress(pool, partial(train_judge, workspace), _distinct(run.guide for run in experiment.runs))
    _map_with_progress(pool, partial(train_run, workspace), experiment.runs)
    _map_with_progress(pool, partial(train_judge, workspace), _distinct(run.metric for run in experiment.runs))
    measure = partial(measure_run, workspace, size, experiment.name == MINUTES)
    _map_with_progress(pool, measure, experiment.runs)
    recorded_values(workspace, experiment, size)


def _distinct(judges: Iterable[Judge]) -> list[Judge]:
    """Return each judge once, in order."""
    return list(dict.fromkeys(judges))


def _map_with_progress(pool: Executor, work: partial[str], items: list[Judge] | list[GeneratorRun]) -> None:
    for number, line in enumerate(pool.map(work, items), start=1):
        print(f"  [{number}/{len(items)}] {line}", flush=True)
