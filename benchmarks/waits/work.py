"""The work that users wait for, one function per kind, in a process that runs one turn per request.

    python benchmarks/waits/work.py NAME FOLDER

Prints a line when it is ready, and for each line of standard input takes a turn and prints its seconds, on the clock
and of the processor. It imports `headmotion` alone, so that the same work can be given to an earlier commit.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

Turn = Callable[[], list[float] | None]
"""One turn; it may return seconds of its own, which then count in place of its duration."""

FRAMES, CLIPS, PUSHES, SESSIONS, VIDEO_FRAMES = 150, 100, 1000, 128, 150
"""Frames of a portrait, clips that are measured, pushes of 20 ms, live sessions, frames of the video."""


def animate(folder: Path) -> Turn:
    """`headmotion animate` of three seconds of speech, from the shell."""
    target = folder / f"talk-{os.getpid()}.mp4"
    picture = ["--image", f"{folder}/portrait.png", "--landmarks", f"{folder}/portrait.npz"]
    command = [sys.executable, "-c", "from headmotion.cli import main; main()", "animate", f"{folder}/speech.wav"]

    def turn() -> None:
        target.unlink(missing_ok=True)
        subprocess.run([*command, *picture, "-o", str(target), "-q"], check=True, capture_output=True)

    return turn


def loop(folder: Path) -> Turn:
    """Motion and a video for three seconds of speech, by a pipeline that is loaded already."""
    import headmotion

    pipe, target = headmotion.load("ms-sync", device="cpu"), folder / f"loop-{os.getpid()}.mp4"
    speech, picture = folder / "speech.wav", folder / "portrait.png"

    def turn() -> None:
        motion = pipe.generate(speech, reference=folder / "portrait.npz")
        pipe.render(motion, target, image=picture, audio=speech, quiet=True)

    return turn


def portrait(folder: Path) -> Turn:
    """The portrait, 512 x 512, to .mp4."""
    import headmotion
    from headmotion.media.image import read_picture

    pipe, target = headmotion.load("ms-sync", device="cpu"), folder / f"portrait-{os.getpid()}.mp4"
    motion = pipe.generate(folder / "long.wav", reference=folder / "portrait.npz")[:FRAMES]
    picture = read_picture(folder / "portrait.png")

    def turn() -> None:
        pipe.render(motion, target, image=picture, quiet=True)

    return turn


def prepare(folder: Path) -> Turn:
    """`headmotion prepare` of a video of 720 x 576, in this process."""
    from headmotion.preparation import prepare

    target = folder / f"corpus-{os.getpid()}"

    def turn() -> None:
        shutil.rmtree(target, ignore_errors=True)
        prepare(folder / "video.mp4", target, workers=0, quiet=True)

    return turn


def push(folder: Path) -> Turn:
    """The 99th percentile of pushes of 20 ms at 48 kHz to a live session."""
    import headmotion

    pipe, wave = headmotion.load("ms-sync", device="cpu"), headmotion.Audio.load(folder / "long.wav").read(48_000)
    chunks = wave[: len(wave) // 960 * 960].reshape(-1, 960)

    def turn() -> list[float]:
        session, seconds = pipe.stream(sample_rate=48_000), []
        for number in range(PUSHES):
            start = time.process_time(), time.perf_counter()
            session.push(chunks[number % len(chunks)])
            seconds.append((time.perf_counter() - start[1], time.process_time() - start[0]))
        return [float(value) for value in np.percentile(seconds[50:], 99, axis=0)]

    return turn


def pool(folder: Path) -> Turn:
    """A second of audio for each of many live sessions in a pool, in steps of 20 ms."""
    import headmotion

    pipe, wave = headmotion.load("ms-sync", device="cpu"), headmotion.Audio.load(folder / "long.wav").read(16_000)
    together = pipe.pool()
    sessions = [together.open(sample_rate=16_000, seed=seed) for seed in range(SESSIONS)]
    for seed, session in enumerate(sessions):
        session.push(wave[: 8000 + 320 * (seed % 17)])
    together.step()

    def turn() -> None:
        for first in range(16_000, 32_000, 320):
            for session in sessions:
                session.push(wave[first : first + 320])
            together.step()

    return turn


def syncers_step(folder: Path) -> Turn:
    """A step of the bundled recipe, syncers phase."""
    return training_step("small-cpu", 0, folder / "corpus")


def generator_step(folder: Path) -> Turn:
    """A step of the bundled recipe, generator phase."""
    return training_step("small-cpu", 1, folder / "corpus")


def training_step(recipe: str, number: int, corpus: Path, changes: Sequence[str] = ()) -> Turn:
    """A step of the phase with a number, of a recipe with changes."""
    from headmotion.training.build import build_training
    from headmotion.training.distributed import Processes
    from headmotion.training.recipe import load_recipe
    from headmotion.training.take_step import take_step

    training = build_training(load_recipe(recipe, list(changes)), [corpus], Processes())
    for phase in training.phases[:number]:
        phase.start()
        training.finish(phase)
    phase = training.phases[number]
    phase.start()
    steps = iter(range(phase.steps))

    def turn() -> None:
        take_step(phase, next(steps))

    return turn


def evaluation(folder: Path) -> Turn:
    """All metrics of motion but those of other packages, of clips of 80 frames."""
    import torch

    import headmotion
    from headmotion.core.interfaces.metric import MetricInput
    from headmotion.core.interfaces.specs import BuildContext

    face = headmotion.resolve_spec("representation", "landmarks68").build()
    names = ["beat", "blink", "diversity", "head-motion", "jitter", "lip-vertex-error", "lmd", "opening"]
    syncers = {"syncers": str(folder / "syncers.safetensors")}
    specs = [{"type": name} for name in names] + [{"type": "frechet-motion", "durations": (80,)}]
    specs += [{"type": "av-sync", **syncers}, {"type": "frechet-syncers", "durations": (80,), **syncers}]
    metrics = [headmotion.resolve_spec("metric", spec).build(BuildContext(face, 0)) for spec in specs]
    rng = np.random.default_rng(0)
    poses = 200 * face.neutral() + torch.from_numpy(rng.normal(size=(CLIPS, 3, 80, 68, 2))).float()
    waves = rng.normal(0, 0.1, (CLIPS, 51_200)).astype(np.float32)
    clips = [
        MetricInput(str(k), a, b, headmotion.Audio(waves[k], 16_000), (c,))
        for k, (a, b, c) in enumerate([headmotion.Motion(values, Fraction(25)) for values in clip] for clip in poses)
    ]

    def turn() -> None:
        for metric in metrics:
            together = getattr(metric, "observe_batch", None)
            metric.figures(together(clips) if together else [metric.observe(clip) for clip in clips])

    return turn


WORK: dict[str, Callable[[Path], Turn]] = {
    "animate": animate,
    "loop": loop,
    "portrait": portrait,
    "prepare": prepare,
    "push": push,
    "pool": pool,
    "syncers": syncers_step,
    "generator": generator_step,
    "evaluation": evaluation,
}


def seconds_of(turn: Turn) -> list[float]:
    """Take a turn and return its seconds: on the clock, and of the processor, child processes included."""

    def processor() -> float:
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    start = time.perf_counter(), processor()
    own = turn()
    return own or [time.perf_counter() - start[0], processor() - start[1]]


def serve(turn: Turn) -> None:
    """Take a turn for each line of standard input."""
    seconds_of(turn)  # the first fills caches
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(seconds_of(turn)), flush=True)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    serve(WORK[sys.argv[1]](Path(sys.argv[2])))
