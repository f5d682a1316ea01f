"""Train, measure and write down every experiment of the proof.

    python -m benchmarks.proof --size quick --clips SHARED_DATA

Whatever is done already is not done again, and a run that was cut short goes on from its last saved step.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .proving import prove
from .running import Workshop
from .table import SIZES, experiments


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
