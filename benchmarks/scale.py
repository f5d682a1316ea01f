"""Write docs/scale.md: throughputs measured here, and what they mean for a million hours of video.

python benchmarks/scale.py SHARED_DATA [--ray]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import large_index
import safetensors
import soundfile
import timings

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.training.recipe import load_recipe

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
HOURS = 1_000_000
CORES = 10_000
"""Of the cluster in the calculation."""
SOURCE_GB_PER_HOUR = 1.5
"""Of the videos, about 3.3 Mbit/s, as 720p has on the web."""
STORE_GB_PER_S = 10
"""Of the object store."""
SPEECH_FILES = 300
INDEX_CLIPS = (10**4, 10**7)
PORTRAIT = Path(hm.__file__).parent / "assets" / "portrait.png"
EPOCHS = {"syncers": 20, "generator": 5}
"""How often training is assumed to see each hour, by phase."""

TEXT = """\
# A million hours

Made by `{command}` on {cores} cores of {processor}. The first three tables were measured in that run; the fourth is
arithmetic on them.

## What one core does

Hours are hours of speech with its face, at 25 frames per second. One process with one thread on one core.
Whole commands are timed, so a few seconds of start-up are in every figure of `prepare` and `animate`.

{throughput}
## Several processes

{parallel}
Hours per hour. Two processes share one memory bus here, as the machines of a cluster do not. {ray} Two training
processes compute the same model as one (`tests/training/test_distributed.py`). Their speed on two cores of one machine
says nothing about many machines, so no ratio is given.

## What it takes on disk, and to open

{storage}
## A million hours on {cluster_cores:,} cores

{plan}
{saturates}

**A GPU.** No GPU was at hand, so no figure above is a GPU hour. `python -m benchmarks.gpu` measures training steps
and generated frames per second on one, in five minutes.

## How the work is spread

- **Storage**: corpora are read from `s3://`, `gs://` or `http://` with the extra `remote`, shard by shard, into a
  cache folder on each machine. The tests read one from fsspec's memory file system. See [Data](data.md).
- **Preparation**: `headmotion prepare VIDEOS -o CORPUS --ray ADDRESS` makes a task of each video. The machines share
  a file system. Parts that were prepared separately are merged by their headers. What is finished is not done again.
- **Training**: `torchrun --nnodes N --nproc-per-node M -m headmotion train RECIPE --data CORPUS -o RUN`. The
  processes draw one batch together, and each computes its share. See [Training](training.md).
- **Generation**: `headmotion animate --jobs jobs.csv --ray ADDRESS`. See [Many files](many-files.md).
"""


@dataclass(frozen=True)
class Throughput:
    """What one process does."""

    what: str
    hours_per_core_hour: float
    note: str


def main(shared: Path, with_ray: bool) -> None:
    """Measure everything and write the page."""
    with tempfile.TemporaryDirectory() as root, ray_cluster(with_ray) as address:
        folder = Path(root)
        prepared = prepare(shared / "grid_more", folder, "one", ["--workers", "1"])
        speech = sorted((shared / "grid_s1").glob("*.flac"))[:SPEECH_FILES]
        picture = ["--image", str(PORTRAIT), "--landmarks", str(PORTRAIT.with_name("portrait_landmarks.npz"))]
        motions = animate(speech, folder / "motions", ["--format", "npz", "--workers", "1"])
        videos = animate(speech[:10], folder / "videos", ["--workers", "1", *picture])
        one_core = [
            Throughput(
                "`prepare`, 360 x 288 and 720 x 576, with pictures of 128 x 128", prepared, "detector `face-mesh`"
            ),
            *training(shared / "grid_s1"),
            Throughput("`animate` to motion files", motions, "bundled model"),
            Throughput("`animate` to mp4, 512 x 512", videos, "bundled model and portrait"),
        ]
        parallel = [("one process", prepared, motions)]
        ways = {"two processes": ["--workers", "2"]} | ({"Ray, two processors": ["--ray", address]} if address else {})
        for name, options in ways.items():
            hours = prepare(shared / "grid_more", folder, name.split()[0], options)
            parallel.append((name, hours, animate(speech, folder / name, ["--format", "npz", *options])))
        corpus = folder / "one"
        storage = disk_use(corpus)
        index = [open_many(clips, folder / f"index-{clips}") for clips in INDEX_CLIPS]
    measured = {item.what: item.hours_per_core_hour for item in one_core}
    text = TEXT.format(
        command="python benchmarks/scale.py SHARED_DATA" + (" --ray" if address else ""),
        cores=os.cpu_count(),
        processor=processor(),
        throughput=table(
            ("", "hours per core hour", "with"), [(i.what, f"{i.hours_per_core_hour:.1f}", i.note) for i in one_core]
        ),
        parallel=parallel_table(parallel),
        ray="Ray is a local cluster of two processors." if address else "Without `--ray`, Ray was left out.",
        storage=storage_table(storage, index),
        cluster_cores=CORES,
        plan=table(("", "core hours", f"on {CORES:,} cores", "read or written"), plan(measured, storage)),
        saturates=saturation(measured, storage),
    )
    PAGE.write_text(text, "utf-8")


@contextlib.contextmanager
def ray_cluster(enabled: bool) -> Iterator[str]:
    """Start a local Ray cluster of two processors, and yield its address, or an empty string."""
    if not enabled:
        yield ""
        return
    import ray  # type: ignore[import-not-found]

    context = ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        yield context.address_info["address"]
    finally:
        ray.shutdown()


def headmotion(*arguments: str | Path) -> float:
    """Run a command as a user does, with a thread per process, and return its seconds, with those of its start."""
    command = [sys.executable, "-m", "headmotion", *(os.fspath(argument) for argument in arguments)]
    start = time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def prepare(videos: Path, folder: Path, name: str, options: list[str]) -> float:
    """Prepare a corpus with pictures, and return hours of clips per hour."""
    seconds = headmotion("prepare", videos, "-o", folder / name, "--frames", "128", "--quiet", *options)
    return open_corpus(folder / name).seconds / seconds


def animate(speech: list[Path], output: Path, options: list[str]) -> float:
    """Generate files for speech, and return hours of speech per hour."""
    seconds = headmotion("animate", *speech, "-o", output, "--quiet", *options)
    return sum(soundfile.info(path).duration for path in speech) / seconds


def training(clips: Path) -> Iterator[Throughput]:
    """Time the phases of the bundled recipe, and yield hours of clips that a step uses per hour."""
    recipe = load_recipe("small-cpu")
    # The first recipe of the timings; another one would take minutes.
    for step in itertools.islice(timings.step_times(clips), len(recipe.phases)):
        assert step.recipe == "small-cpu"
        hours = step.clips * recipe.phases[step.phase].frames / 25 / step.seconds  # type: ignore[attr-defined]
        yield Throughput(f"training, phase `{step.phase}`", hours, f"recipe `small-cpu`, {step.clips} clips a step")


def disk_use(corpus: Path) -> dict[str, float]:
    """Return megabytes per hour by track, and bytes of the index per clip."""
    opened, sizes = open_corpus(corpus), dict.fromkeys(("motion", "audio", "frames"), 0.0)
    for shard in (corpus / "shards").iterdir():
        with safetensors.safe_open(shard, "numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a mapping
                track = name.partition(".")[0]
                sizes[track if track in sizes else "frames"] += tensors.get_tensor(name).nbytes
    return {track: size / 1e6 / (opened.seconds / 3600) for track, size in sizes.items()}


def open_many(clips: int, folder: Path) -> dict[str, float]:
    """Open an index of made-up clips and draw from it, in a process of its own."""
    large_index.write_large_corpus(folder, clips)
    command = [sys.executable, large_index.__file__, "--folder", os.fspath(folder)]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))


def plan(measured: dict[str, float], storage: dict[str, float]) -> Iterator[tuple[str, ...]]:
    """Yield what a million hours cost, by kind of work."""
    bytes_of = {
        "prepare": sum(storage.values()),
        "training": storage["motion"] + storage["audio"],
        "animate": storage["motion"],
    }
    for what, speed in measured.items():
        repeats = next((count for phase, count in EPOCHS.items() if f"`{phase}`" in what), 1)
        core_hours = HOURS * repeats / speed
        traffic = (
            next(size for start, size in bytes_of.items() if what.strip("`").startswith(start)) * HOURS * repeats / 1e6
        )
        name = what if repeats == 1 else f"{what}, each hour {repeats} times"
        yield name, f"{core_hours:,.0f}", f"{core_hours / CORES / 24:.1f} days", f"{traffic:,.0f} TB"


def saturation(measured: dict[str, float], storage: dict[str, float]) -> str:
    """Say how many cores a store of some speed feeds, and which kind of work needs the fastest one."""
    prepared = next(speed for what, speed in measured.items() if what.startswith("`prepare`"))
    trained = max(speed for what, speed in measured.items() if what.startswith("training"))
    read_gb = {
        f"preparing video of {SOURCE_GB_PER_HOUR} GB an hour": prepared * SOURCE_GB_PER_HOUR,
        "training on motion and sound": trained * (storage["motion"] + storage["audio"]) / 1000,
    }
    fed = {what: STORE_GB_PER_S * 3600 / gb for what, gb in read_gb.items()}
    first = min(fed, key=lambda what: fed[what])
    cores = " and ".join(f"{count:,.0f} cores {what}" for what, count in fed.items())
    return (
        f"**What saturates first.** A store that gives {STORE_GB_PER_S} GB a second feeds {cores}. So {first} is "
        "the first to wait for the store; with fewer cores than that, the processors are the limit."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def parallel_table(rows: list[tuple[str, float, float]]) -> str:
    """Return hours per hour of each way, and its ratio to one process."""
    _, *first = rows[0]
    cells = [
        (name, *(f"{own:.1f} ({own / one:.2f} x)" for own, one in zip(own_values, first, strict=True)))
        for name, *own_values in rows
    ]
    return table(("hours per hour", "`prepare`", "`animate` to motion files"), cells)


def storage_table(storage: dict[str, float], index: list[dict[str, float]]) -> str:
    """Return the size of tracks, and what opening an index costs."""
    sizes = table(("track", "MB per hour"), [(f"`{track}`", f"{size:.0f}") for track, size in storage.items()])
    head = ("clips in the index", "open it", "memory", "draw a batch of 96")
    cells = [
        (f"{i['clips']:,.0f}", f"{i['open_s']:.2f} s", f"{i['open_mb']:.0f} MB", f"{i['draw_us']:.0f} us")
        for i in index
    ]
    return sizes + "\n" + table(head, cells)


def processor() -> str:
    """Return the name of the processor, if the system states it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "an unknown processor"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--ray", action="store_true", help="also on a local Ray cluster of two processors")
    arguments = parser.parse_args()
    main(arguments.shared.resolve(), arguments.ray)
