"""The order of things: what each experiment needs, side by side where it can be, and told as it is done."""

from __future__ import annotations

import time
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


def make_run(shop: Workshop, size: Size, minutes: bool, run: Run) -> str:
    """Train and measure a run; says how long it took."""
    torch.set_num_threads(1)
    began = time.monotonic()
    shop.run(run)
    trained = time.monotonic()
    measured(shop, run, size, minutes)
    return f"{run.name}: {trained - began:.0f} s of training, {time.monotonic() - trained:.0f} s of measuring"


def prove(shop: Workshop, size: Size, experiment: Experiment, pool: Executor) -> None:
    """Everything that an experiment needs."""
    print(f"{experiment.name}: {len(experiment.runs)} runs", flush=True)
    shop.corpus(experiment.corpus)
    judges = dict.fromkeys(judge for run in experiment.runs for judge in (run.guide, run.metric))
    told(pool, partial(make_judge, shop), list(judges))
    told(pool, partial(make_run, shop, size, experiment.name == MINUTES), experiment.runs)
    recorded(shop, experiment, size)


def told(pool: Executor, work: partial[str], items: list[Judge] | list[Run]) -> None:
    """Do the same with each item, and say so as they are done."""
    for number, line in enumerate(pool.map(work, items), start=1):
        print(f"  [{number}/{len(items)}] {line}", flush=True)
