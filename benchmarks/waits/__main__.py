"""Compare the time of what users wait for with that of an earlier commit.

    python -m benchmarks.waits [--before COMMIT] [--turns N] [NAME ...]

Both do the same work in processes of their own, which take turns, so that load meets both. Prints a table of medians;
without names it becomes a section of docs/performance.md, which `python -m benchmarks.run` retains.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from ..goals.performance_page import WAITS, replace_section
from .floors import FLOORS
from .materials import write_materials
from .work import CLIPS, FRAMES, SESSIONS, VIDEO_FRAMES, WORK

ROOT = Path(__file__).parents[2]
BEFORE = "0431401"
"""The commit before the first work on these times."""


@dataclass(frozen=True)
class Wait:
    """How the time of a kind of work is reported."""

    title: str
    unit: str
    goal: str = ""
    """What is to be reached, and what is aimed for."""
    value: Callable[[float], float] = float
    """From seconds per turn."""


WAITS_BY_NAME = {
    "animate": Wait("`headmotion animate` of 3 s of speech with picture and landmarks", "s", "2.2; 1.5"),
    "loop": Wait("Python loop over 3 s clips with rendering to mp4", "s per clip", "0.7; 0.4"),
    "portrait": Wait("portrait to mp4, 512 x 512", "frames/s", "150; 250", lambda seconds: FRAMES / seconds),
    "prepare": Wait("`prepare`, 720 x 576, one process", "frames/s", "60; 120", lambda seconds: VIDEO_FRAMES / seconds),
    "push": Wait("99th percentile of a 20 ms push at 48 kHz", "ms", "8; 4", lambda seconds: 1000 * seconds),
    "pool": Wait("sessions in real time on one thread", "sessions", "80; 150", lambda seconds: SESSIONS / seconds),
    "syncers": Wait("training step of `small-cpu`, syncers phase", "s", "0.6 x; 0.4 x"),
    "generator": Wait("training step of `small-cpu`, generator phase", "s", "0.5 x; 0.33 x"),
    "evaluation": Wait(
        "metrics of motion, 1,000 clips of 80 frames", "s", "60; 20", lambda seconds: 1000 / CLIPS * seconds
    ),
}


WORK_SCRIPT = (str(ROOT / "benchmarks" / "waits" / "work.py"),)
"""A file, because as a module it would import the benchmarks of the earlier commit."""
FLOOR_SCRIPT = ("-m", "benchmarks.waits.floors")


class Worker:
    """A process that does one kind of work with the package of one tree, or what that work cannot do without."""

    def __init__(self, name: str, tree: Path, folder: Path, script: Sequence[str] = WORK_SCRIPT) -> None:
        command = [sys.executable, *script, name, str(folder)]
        environment = os.environ | {"PYTHONPATH": str(tree)}
        # An installed package is compiled, so commands must not compile it in each turn.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        while self._read() != "ready":
            pass

    def take_turn(self) -> list[float]:
        """Return the seconds of a turn, on the clock and of the processor."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        return [float(seconds) for seconds in json.loads(self._read())]

    def end(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise SystemExit(f"the work ended with status {self._process.wait()}")
        return line.strip()


def export(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder."""
    archive = subprocess.run(["git", "archive", commit, "headmotion"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")


def compare(name: str, trees: list[Path], folder: Path, turns: int) -> str:
    """Return the line of the table for one kind of work."""
    wait, workers = WAITS_BY_NAME[name], [Worker(name, tree, folder) for tree in trees]
    if name in FLOORS:
        workers.append(Worker(name, ROOT, folder, FLOOR_SCRIPT))
    seconds = [[worker.take_turn() for worker in workers] for _ in range(turns)]
    for worker in workers:
        worker.end()
    (clock_before, own_before), (clock, own), *floor = (
        [statistics.median(column) for column in zip(*taken, strict=True)] for taken in zip(*seconds, strict=True)
    )
    values = [f"{wait.value(spent):.3g} {wait.unit}" for spent in (clock_before, clock, *(least for least, _ in floor))]
    before, now, limit = [*values, ""][:3]
    ratios = f"{clock / clock_before:.2f} | {own / own_before:.2f}"
    return f"| {wait.title} | {before} | {now} | {ratios} | {limit} | {wait.goal} |"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"kinds of work, all by default: {', '.join(WORK)}")
    parser.add_argument("--before", default=BEFORE, metavar="COMMIT", help="what is compared with")
    parser.add_argument("--turns", type=int, default=7, help="turns of each")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - WORK.keys():
        parser.error(f"no such work: {', '.join(sorted(unknown))}")
    lines = ["| what | before | now | time, now / before | processor time | limit | goal; aim |", "|---" * 7 + "|"]
    with tempfile.TemporaryDirectory() as temporary:
        earlier, folder = Path(temporary) / "before", Path(temporary) / "work"
        folder.mkdir()
        export(arguments.before, earlier)
        write_materials(folder)
        print(*lines, sep="\n", flush=True)
        for name in arguments.names or WORK:
            lines.append(compare(name, [earlier, ROOT], folder, arguments.turns))
            print(lines[-1], flush=True)
    if not arguments.names:
        replace_section(WAITS, [INTRODUCTION.format(before=arguments.before, now=_commit()), "", *lines])


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return described.stdout.strip()


INTRODUCTION = """\
Made by `python -m benchmarks.waits`: commit {before} against {now}, in turns, medians. Processor time is that of all
threads and child processes; it is what remains comparable while others use the machine. Goals are absolute unless they
are marked by x, and meant for two idle cores. The limit is what no program could do without, alone: Python and torch
for a command, encoding frames that are drawn already for a video, the floating-point operations at the speed of a
large matrix product for steps and sessions. The recipe keeps the audio features of the clips, so its steps no longer
encode them; to encode all clips once, before the first step, is not in the table."""

if __name__ == "__main__":
    main()
