"""Where the time of `headmotion animate` goes, from the start of Python to its end."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

import headmotion as hm
from headmotion.cli.main import SEARCHES

ASSETS = Path(hm.__file__).parent / "assets"
SECONDS, RUNS = 3, 5

STAGES = """
import gc, json, sys, time
from pathlib import Path

gc.set_threshold(*gc.get_threshold()[:2], int(sys.argv.pop()))

seconds, last = {}, time.process_time()

def end(stage):
    global last
    seconds[stage], last = time.process_time() - last, time.process_time()

import torch
end("import of torch")
torch.set_num_threads(1)
import cv2
import headmotion, headmotion.cli, headmotion.controls
from headmotion.media.frames_writer import write_frames
from headmotion.media.image import read_picture
from headmotion.pipeline.loading import load
cv2.setNumThreads(1)
end("other imports")
from headmotion.core.plugins import registry
registry()
end("plugins")
pipe = load("ms-sync", device="cpu")
end("model")
speech, assets, target = map(Path, sys.argv[1:])
motion = pipe.generate(speech, reference=assets / "portrait_landmarks.npz")
end("motion")
frames = list(pipe.renderer.frames([motion], read_picture(assets / "portrait.png")))
end("pictures")
write_frames(frames, target, 25, headmotion.Audio.load(speech), quiet=True)
end("encoding")
gc.freeze()
print(json.dumps(seconds))
"""
"""What the command does, in its order; the last argument is `SEARCHES`."""


def stage_seconds() -> dict[str, float]:
    """Return the median seconds of the processor of each stage, on one thread."""
    runs: list[dict[str, float]] = []
    with TemporaryDirectory() as folder:
        speech = Path(folder) / "speech.wav"
        soundfile.write(speech, hm.Audio.load(ASSETS / "speech.flac").read(48_000)[: SECONDS * 48_000], 48_000)
        arguments = speech, ASSETS, Path(folder) / "talk.mp4", SEARCHES
        command = [sys.executable, "-c", STAGES, *map(str, arguments)]
        for _ in range(RUNS):
            before = _children_seconds()
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            stages = dict(json.loads(done.stdout))
            runs.append(stages | {"start and end of Python": _children_seconds() - before - sum(stages.values())})
    return {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}


def rows() -> Iterator[str]:
    """Yield the lines of the table."""
    seconds = stage_seconds()
    total = sum(seconds.values())
    yield from (
        f"## `headmotion animate` of {SECONDS} s with a picture",
        "",
        "| part | seconds | share |",
        "|---|---|---|",
    )
    for stage, value in seconds.items():
        yield f"| {stage} | {value:.2f} | {100 * value / total:.0f}% |"


def _children_seconds() -> float:
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
