"""The order of things: what each experiment needs, side by side where it can be, and told as it is done."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Executor
from functools import partial

import torch

from .measuring import measured, recorded
from .running import Workshop
from .table import Experiment, Judge, Run, Size

MINUTES = "length"
"""The experiment whose runs also speak for minutes."""


def make_judge(shop: Workshop, judge: Judge) -> str:
    """Train a judge; says how long it took."""
    torch.set_num_threads(1)
    began = time.monotonic()
    shop.judge(judge)
    return f"{judge.name}: {time.monotonic() - began:.0f} s"


def make_run(shop: Workshop, run: Run) -> str:
    """Train a run; says how long it took."""
    torch.set_num_threads(1)
    began = time.monotonic()
    shop.run(run)
    return f"{run.name}: trained in {time.monotonic() - began:.0f} s"


def measure(shop: Workshop, size: Size, minutes: bool, run: Run) -> str:
    """Measure a trained run; says how long it took."""
    torch.set_num_threads(1)
    began = time.monotonic()
    measured(shop, run, size, minutes)
    return f"{run.name}: measured in {time.monotonic() - began:.0f} s"


def prove(shop: Workshop, size: Size, experiment: Experiment, pool: Executor) -> None:
    """Everything that an experiment needs."""
    print(f"{experiment.name}: {len(experiment.runs)} runs", flush=True)
    shop.corpus(experiment.corpus)
    told(pool, partial(make_judge, shop), distinct(run.guide for run in experiment.runs))
    told(pool, partial(make_run, shop), experiment.runs)
    told(pool, partial(make_judge, shop), distinct(run.metric for run in experiment.runs))
    told(pool, partial(measure, shop, size, experiment.name == MINUTES), experiment.runs)
    recorded(shop, experiment, size)


def distinct(judges: Iterable[Judge]) -> list[Judge]:
    """Each once, in order."""
    return list(dict.fromkeys(judges))


def told(pool: Executor, work: partial[str], items: list[Judge] | list[Run]) -> None:
    """Do the same with each item, and say so as they are done."""
    for number, line in enumerate(pool.map(work, items), start=1):
        print(f"  [{number}/{len(items)}] {line}", flush=True)
