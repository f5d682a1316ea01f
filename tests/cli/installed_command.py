"""The installed command, and what is given to it and read of its results."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

COMMAND = Path(sys.executable).with_name("headmotion")
RATE = 16_000


def command(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)], cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )


def write_speech(path: Path, seconds: float = 1.0, rate: int = RATE) -> Path:
    wave = 0.3 * np.sin(2 * np.pi * 180 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, wave * (np.arange(len(wave)) % 4000 < 2500), rate)
    return path


def frames_of(video: Path) -> tuple[int, Fraction, bool]:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return sum(1 for _ in container.decode(stream)), Fraction(stream.average_rate), bool(container.streams.audio)
