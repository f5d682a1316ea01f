"""Train and measure every experiment, and write docs/results.md.

    python -m benchmarks.reproduction --size quick --clips SHARED_DATA

What exists is not made again, and an interrupted run is resumed from its last saved step.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .experiments import SIZES, experiments
from .results_page import ResultsPage
from .runner import run_experiment
from .workspace import Workspace


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--clips", type=Path, help="folder of recorded clips; without it only synthetic ones are used")
    parser.add_argument("--output", type=Path, default=Path("runs/reproduction"))
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, with one thread each")
    parser.add_argument(
        "--only", nargs="*", metavar="EXPERIMENT", help="experiments to run; without names, only write the page"
    )
    parser.add_argument(
        "--judge",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="syncers that were trained before, such as grid-guide=runs/first/syncers.safetensors",
    )
    arguments = parser.parse_args()
    files = {name: Path(file) for name, _, file in (judge.partition("=") for judge in arguments.judge)}
    size = SIZES[arguments.size]
    all_experiments = experiments(size, arguments.clips, files)
    workspace = Workspace(arguments.output / size.name)
    command = f"make prove SIZE={size.name}" + (" CLIPS=SHARED_DATA" if arguments.clips else "")
    command += f" JUDGES='{' '.join(arguments.judge)}'" if arguments.judge else ""
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        for experiment in all_experiments:
            if arguments.only is None or experiment.name in arguments.only:
                run_experiment(workspace, size, experiment, pool)
    ResultsPage(arguments.page, workspace, size).write(all_experiments, command)
    print(arguments.page)


if __name__ == "__main__":
    main()
