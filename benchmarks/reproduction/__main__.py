"""Train, measure and write down every experiment of the proof.

    python -m benchmarks.reproduction --size quick --clips SHARED_DATA

Whatever is done already is not done again, and a run that was cut short goes on from its last saved step.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .page import Page
from .proving import prove
from .running import Workshop
from .table import SIZES, experiments


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--clips", type=Path, help="folder of recorded clips; without it, synthetic ones alone")
    parser.add_argument("--output", type=Path, default=Path("runs/proof"))
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, of one thread each")
    parser.add_argument(
        "--only", nargs="*", metavar="EXPERIMENT", help="experiments to run; none: write the page alone"
    )
    parser.add_argument(
        "--judge",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="syncers that were trained before, such as grid-guide=runs/first/syncers.safetensors",
    )
    arguments = parser.parse_args()
    given = {name: Path(file) for name, _, file in (each.partition("=") for each in arguments.judge)}
    size = SIZES[arguments.size]
    every = experiments(size, arguments.clips, given)
    shop = Workshop(arguments.output / size.name)
    command = f"make prove SIZE={size.name}" + (" CLIPS=SHARED_DATA" if arguments.clips else "")
    command += f" JUDGES='{' '.join(arguments.judge)}'" if arguments.judge else ""
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        for experiment in every:
            if arguments.only is None or experiment.name in arguments.only:
                prove(shop, size, experiment, pool)
    Page(arguments.page, shop, size).write(every, command)
    print(arguments.page)


if __name__ == "__main__":
    main()
