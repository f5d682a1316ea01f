"""Measure speed and memory on this machine and write docs/performance.md.

python -m benchmarks.run            # all
python -m benchmarks.run start-up   # one group
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import torch

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.media.image import read_picture

from .goals.performance_page import PAGE, WAITS, retained_section, section
from .goals.timing import resident_mb

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "headmotion" / "assets"
BUNDLED = ("causal-flow", "ms-sync")
"""Bundled models of landmarks, the default one first."""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    case: str
    value: str
    note: str = ""


def start_up() -> Iterator[Row]:
    """Imports and the command line, each in a process of its own, in turns with bare Python."""
    python, package, usage = [], [], []
    command = Path(sys.executable).parent / "headmotion"
    for _ in range(9):
        python.append(_process_seconds([sys.executable, "-c", "pass"]))
        package.append(_process_seconds([sys.executable, "-c", "import headmotion"]))
        usage.append(_process_seconds([str(command), "--help"]))
    difference = statistics.median(1000 * (a - b) for a, b in zip(package, python, strict=True))
    yield Row("`import headmotion` over bare Python", f"{difference:.0f} ms", "goal: under 150 ms, no torch")
    yield Row("`headmotion --help`", f"{1000 * statistics.median(usage):.0f} ms", "goal: under 500 ms")


def generation() -> Iterator[Row]:
    """Seconds of motion per second on one core, from a wave in memory; goal of the bundled models: 25 x real time."""
    wave = (np.random.default_rng(0).normal(0, 0.05, 16_000 * 30).astype(np.float32), 16_000)
    pipes = {f"bundled `{name}`": hm.load(name, device="cpu") for name in BUNDLED}
    for preset in ("paper", "paper-code"):
        spec = {"generator": {"type": "ms-sync", "preset": preset}}
        pipes[f"preset `{preset}`"] = hm.build(spec, device="cpu")
    for name, pipe in pipes.items():
        seconds = _median(lambda pipe=pipe: pipe.generate(wave), 3)  # type: ignore[misc]
        lookahead = pipe.lookahead_ms(16_000)
        note = (
            "whole clip needed"
            if lookahead is None
            else f"look-ahead {lookahead:.0f} ms at 16 kHz, {pipe.lookahead_ms(48_000):.0f} at 48"
        )
        yield Row(
            f"{name}, generation", f"{30 / seconds:.1f} x real time", f"{1000 * seconds / 750:.2f} ms per frame; {note}"
        )


def exported() -> Iterator[Row]:
    """The step of `headmotion export` in ONNX Runtime on one core, from samples in memory to the unit frame."""
    from .goals.exported import chunk_times

    paper = {"generator": {"type": "ms-sync", "preset": "paper"}}
    pipes = {f"bundled `{name}`": hm.load(name, device="cpu") for name in BUNDLED}
    pipes["preset `paper`"] = hm.build(paper, device="cpu")
    for name, pipe in pipes.items():
        for precision in ("32", "int8"):
            frames, times, megabytes = chunk_times(pipe, precision)  # type: ignore[arg-type]
            seconds = float(np.median(times))
            note = f"{1000 * seconds / frames:.2f} ms per frame; {frames} frames at once; {megabytes:.1f} MB"
            yield Row(f"{name}, `--precision {precision}`", f"{frames / 25 / seconds:.1f} x real time", note)


def streaming() -> Iterator[Row]:
    """A session that is fed with chunks of 20 ms for ten minutes."""
    pipe = hm.load("ms-sync", device="cpu")
    session, chunk = pipe.stream(sample_rate=48_000), np.zeros(960, np.float32)
    times = []
    for number in range(50 * 600):
        if number == 3000:
            early = resident_mb()
        start = time.perf_counter()
        session.push(chunk)
        times.append(time.perf_counter() - start)
    late = resident_mb()
    yield Row(
        "push of 20 ms at 48 kHz",
        f"{1000 * statistics.median(times):.2f} ms",
        f"99th percentile {1000 * np.percentile(times, 99):.1f} ms",
    )
    yield Row("memory, minute 10 less minute 1 of a session", f"{late - early:+.1f} MB", "goal: flat")


def audio() -> Iterator[Row]:
    """Decoding, downmix and resampling of a long file."""
    import soundfile

    path = Path(os.environ.get("TMPDIR", "/tmp")) / "headmotion-bench.flac"
    with soundfile.SoundFile(path, "w", 44_100, 2) as stream:
        for _ in range(600):
            stream.write(np.random.default_rng(0).normal(0, 0.05, (44_100, 2)))
    seconds = _median(lambda: [len(block) for block in hm.Audio.load(path).blocks(16_000)], 3)
    path.unlink()
    yield Row("44.1 kHz stereo FLAC to 16 kHz mono", f"{600 / seconds:.0f} x real time")


def rendering() -> Iterator[Row]:
    """Frames per second on one core, 512 x 512, without and with video encoding."""
    cv2.setNumThreads(1)
    pipe = hm.load("ms-sync", device="cpu")
    motion = pipe.generate(ASSETS / "speech.flac", reference=ASSETS / "portrait_landmarks.npz")[:150]
    picture = read_picture(ASSETS / "portrait.png")
    for name in ("skeleton", "portrait"):
        renderer = pipe.with_renderer(name)
        list(renderer.frames([motion[:5]], picture))
        seconds = _median(lambda renderer=renderer: [0 for _ in renderer.frames([motion], picture)], 3)  # type: ignore[misc]
        yield Row(
            f"`{name}`, 512 x 512",
            f"{len(motion) / seconds:.0f} frames/s",
            "goal: 50 for the portrait" if name == "portrait" else "",
        )
    target = Path(os.environ.get("TMPDIR", "/tmp")) / "headmotion-bench.mp4"
    seconds = _median(lambda: pipe.render(motion, target, image=picture, renderer="portrait", quiet=True), 3)
    target.unlink()
    yield Row("`portrait` to mp4", f"{len(motion) / seconds:.0f} frames/s", "encoder threads are the library's")


def generators() -> Iterator[Row]:
    """Milliseconds per frame of the generator alone, for all clips of a batch."""
    from .timings import frame_times

    for frame in frame_times():
        note = f"{frame.median / frame.batch:.2f} ms per clip and frame; least {frame.minimum:.2f} ms"
        threads = "1 thread" if frame.threads == 1 else f"{frame.threads} threads"
        yield Row(f"preset `{frame.preset}`, batch {frame.batch}, {threads}", f"{frame.median:.2f} ms per frame", note)


def training() -> Iterator[Row]:
    """Steps on synthetic clips, one core, and where their time goes; discriminators include their own backward."""
    from .timings import step_times

    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for step in step_times(corpus):
            shares = ", ".join(
                f"{part} {100 * share:.0f}%" for part, share in step.shares.most_common() if share >= 0.005
            )
            case = f"`{step.recipe}`, {step.phase} phase, {step.clips} clips per step"
            note = f"{step.clips / step.seconds:.0f} clips/s; {shares}"
            yield Row(case, f"{1 / step.seconds:.2f} steps/s", note)


GROUPS: dict[str, Callable[[], Iterator[Row]]] = {
    "start-up": start_up,
    "generation": generation,
    "generators": generators,
    "streaming": streaming,
    "exported": exported,
    "audio": audio,
    "rendering": rendering,
    "training": training,
}


def _process_seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _median(action: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(names: list[str]) -> None:
    """Print the groups of these names; without names, print all and write the page as well."""
    torch.set_num_threads(1)
    lines = [
        "# Performance",
        "",
        "Made by `make bench` (`python -m benchmarks.run`). Medians on one core unless a row says otherwise.",
        "",
        f"Machine: {platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()},"
        f" torch {torch.__version__}.",
    ]
    for name, group in GROUPS.items():
        if names and name not in names:
            continue
        lines += [
            "",
            f"## {name.capitalize()}",
            "",
            (group.__doc__ or "").strip(),
            "",
            "| what | median | note |",
            "|---|---|---|",
        ]
        for row in group():
            lines.append(f"| {row.case} | {row.value} | {row.note} |")
            print(lines[-1], flush=True)
    if not names:
        lines += retained_section(WAITS)
        lines += section()
        PAGE.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
