"""Train, measure and write down every experiment of the proof.

    python -m benchmarks.proof --size quick --clips SHARED_DATA

Whatever is done already is not done again, and a run that was cut short goes on from its last saved step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch

from .measuring import measured, recorded
from .running import Workshop
from .table import SIZES, Experiment, Judge, Run, Size, experiments

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


def prove(shop: Workshop, size: Size, chosen: Iterable[Experiment], pool: Executor) -> None:
    """Everything that the experiments need, one experiment after another."""
    for experiment in chosen:
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


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--clips", type=Path, help="folder of recorded clips; without it, synthetic ones alone")
    parser.add_argument("--output", type=Path, default=Path("runs/proof"))
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, of one thread each")
    parser.add_argument("--only", nargs="*", metavar="EXPERIMENT")
    arguments = parser.parse_args()
    size = SIZES[arguments.size]
    every = experiments(size, arguments.clips)
    chosen = [each for each in every if not arguments.only or each.name in arguments.only]
    shop = Workshop(arguments.output / size.name)
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        prove(shop, size, chosen, pool)


if __name__ == "__main__":
    main()
