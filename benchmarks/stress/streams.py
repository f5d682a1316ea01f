"""Campaign of streams: sessions fed with any sound, at any rate, in pieces of any size, saved, restored and pooled."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

import headmotion as hm

from .case import Call, Finding, Result, summary
from .files import judged
from .good_files import ASSETS

RATES = (8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 8123, 47_999)
FPS = (None, 25, 30, 60, "30000/1001", 12.5, "1/2", 100)
CONTROLS: tuple[dict[str, Any], ...] = (
    *({}, {}, {"smooth": 80}, {"lips": 1.3}, {"close_silence": True}, {"head": 0.5}, {"hold_pose": True}),
    *({"blink": 20}, {"limit": True}, {"look_at": (10.0, -5.0)}, {"opening": [0.1, 0.0, 0.2]}),
    {"smooth": 200, "limit": True, "blink": 40},
)
"""Edits of the motion, as options name them."""
TOLERANCE = 1e-5
"""Largest difference between stream and file (sides of the unit frame)."""
MODELS = ("model.safetensors", "causal-flow", "ms-sync")
"""Models of long streams: a small one, and those that are bundled."""
GROWTH_BYTES = 64 << 20
"""Most memory that a long stream may gain after its first half (bytes)."""

STREAM_CPU_S = 600
"""Bound of a stream's processor time (s): a push costs about 0.1 ms, and there is one per sample in some."""

Wave = npt.NDArray[np.float32]


def sound(kind: str, seconds: float, rate: int, seed: int) -> Wave:
    """Return a sound by its name."""
    rng, count = np.random.default_rng(seed), max(1, round(seconds * rate))
    time = np.arange(count) / rate
    waves = {
        "silence": lambda: np.zeros(count),
        "noise": lambda: rng.normal(0, 0.2, count),
        "denormals": lambda: rng.normal(0, 1, count) * 1e-42,
        "music": lambda: sum(np.sin(2 * np.pi * f * time) for f in rng.uniform(60, 2000, 6)) / 7,
        "square": lambda: np.sign(np.sin(2 * np.pi * rng.uniform(20, 4000) * time)),
        "offset": lambda: np.full(count, rng.uniform(-1, 1)),
        "clicks": lambda: (rng.random(count) < 0.001) * rng.choice([-1.0, 1.0], count),
        "speech": lambda: 0.3 * np.sin(2 * np.pi * 150 * time) * np.maximum(0, np.sin(2 * np.pi * 3 * time)),
        "loud": lambda: rng.uniform(-60, 60, count),
        "clipped": lambda: np.clip(rng.normal(0, 2, count), -1, 1),
        "recording": lambda: recording(count, rate),
        "sweep": lambda: np.sin(2 * np.pi * rate / 4 * time**2 / max(seconds, 0.1)),
    }
    return np.asarray(waves[kind](), np.float32)


SOUNDS = (
    *("silence", "noise", "denormals", "music", "square", "offset", "clicks", "speech", "loud", "clipped"),
    *("recording", "sweep"),
)


def recording(count: int, rate: int) -> Wave:
    """Return the bundled speech, again and again."""
    wave = hm.Audio.load(ASSETS / "speech.flac").read(rate)
    return np.resize(wave, count)


@dataclass(frozen=True)
class StreamsCampaign:
    """Streams beside files, sessions beside pools, and long streams.

    Args:
        trees: good inputs, as `trees.make` leaves them.
        long_s: length of a long stream (s).
    """

    trees: Path
    long_s: float = 600.0
    name: str = "streams"
    title: str = "streams"

    def run(self, rng: Random, folder: Path) -> Result:
        """Run one stream."""
        here = folder / "here"
        shutil.copytree(self.trees / "session.safetensors", here)
        kind = rng.choice(["pieces"] * 6 + ["pool", "long"])
        settings: dict[str, Any] = {
            "sound": rng.choice(SOUNDS),
            "rate": rng.choice(RATES),
            "fps": rng.choice(FPS),
            "seconds": rng.choice([0.01, 0.3, 1.0, 2.5, 6.0]),
            "seed": rng.randrange(1 << 30),
            "controls": rng.choice(CONTROLS),
        }
        if kind == "long":
            settings |= {"seconds": self.long_s, "sound": rng.choice((*SOUNDS, "any")), "model": rng.choice(MODELS)}
        runs: dict[str, Any] = {"pieces": pieces, "pool": pool, "long": long_stream}
        one = Call((kind,), (0,), "made.safetensors", run=partial(runs[kind], **settings))
        variant = f"{kind}: {settings}"
        findings, outcome = judged(one, folder, variant)
        facts: dict[str, Any] = json.loads(outcome.out.splitlines()[-1]) if outcome.status == 0 else {}
        if facts.get("max_growth_bytes", 0) > GROWTH_BYTES:
            findings.append(Finding("memory", f"{facts['max_growth_bytes']} bytes more", one.arguments, variant))
        return Result(variant, tuple(findings), facts=facts, **summary([outcome]))


def pieces(sound: str, rate: int, fps: Any, seconds: float, seed: int, controls: dict[str, Any]) -> None:
    """Compare a stream in pieces of any size, saved and restored on its way, with the file."""
    import torch

    import headmotion as hm

    resource.setrlimit(resource.RLIMIT_CPU, (STREAM_CPU_S, STREAM_CPU_S))
    rng, wave = Random(seed), _wave(sound, seconds, rate, seed)
    pipe = hm.load("model.safetensors", device="cpu")
    options: Any = {"fps": fps, "seed": seed, "controls": hm.controls.from_options(**controls)}
    expected = pipe.generate((wave, rate), **options).values
    session, parts = pipe.stream(sample_rate=rate, **options), []
    sizes = rng.choice([[1], [1, 2, 3], [160, 640], [7, 0, 4096], [rate], [len(wave)]])
    place = 0
    while place < len(wave):
        size = rng.choice(sizes) if len(sizes) > 1 or place < 4000 or sizes[0] > 1 else rate // 10
        parts.append(session.push(wave[place : place + size]).values)
        place += size
        if rng.random() < 0.02:
            session.snapshot("made.safetensors")
            session = pipe.restore("made.safetensors")
    parts.append(session.flush().values)
    streamed = torch.cat(parts)
    assert streamed.shape == expected.shape, (streamed.shape, expected.shape)
    assert bool(torch.isfinite(streamed).all())
    difference = float((streamed - expected).abs().max())
    assert difference < TOLERANCE, difference
    _print(streamed_s=seconds, max_difference=difference)


def pool(sound: str, rate: int, fps: Any, seconds: float, seed: int, controls: dict[str, Any]) -> None:
    """Compare sessions that come and go in a pool with the same alone."""
    import headmotion as hm

    rng, largest = Random(seed), 0.0
    pipe = hm.load("model.safetensors", device="cpu")
    together = pipe.pool()
    options: Any = {"sample_rate": rate, "fps": fps, "controls": hm.controls.from_options(**controls)}
    pairs = [(together.open(seed=seed + k, **options), pipe.stream(seed=seed + k, **options)) for k in range(4)]
    for _ in range(6):
        expected = {}
        for member, single in pairs:
            wave = _wave(sound, rng.choice([0.02, 0.2, 0.5]), rate, rng.randrange(99))
            member.push(wave)
            expected[member] = single.push(wave).values
        moved = together.step()
        for member, _single in pairs:
            frames = moved[member].values if member in moved else expected[member][:0]
            assert frames.shape == expected[member].shape, (frames.shape, expected[member].shape)
            largest = max([largest, *(frames - expected[member]).abs().flatten().tolist()])
        if len(pairs) > 1 and rng.random() < 0.3:
            pairs.pop(rng.randrange(len(pairs)))[0].close()
    assert largest < TOLERANCE, largest
    _print(streamed_s=seconds, max_difference=largest)


def long_stream(
    sound: str, rate: int, fps: Any, seconds: float, seed: int, controls: dict[str, Any], model: str
) -> None:
    """Feed a session for long, with one kind of sound or any, and compare memory at half and at the end."""
    import torch

    import headmotion as hm

    resource.setrlimit(resource.RLIMIT_CPU, (STREAM_CPU_S, STREAM_CPU_S))
    rng = Random(seed)
    pipe = hm.load(model, device="cpu")
    edits = hm.controls.from_options(**controls)
    session, frames, half, streamed = pipe.stream(sample_rate=rate, fps=fps, seed=seed, controls=edits), 0, 0, 0.0
    while streamed < seconds:
        length = rng.choice([0.04, 1.0, 10.0])
        kind = rng.choice(SOUNDS) if sound == "any" else sound
        motion = session.push(_wave(kind, length, rate, rng.randrange(99))).values
        assert bool(torch.isfinite(motion).all())
        frames += len(motion)
        streamed += length
        if not half and streamed > seconds / 2:
            half = resident_bytes()
    grown = resident_bytes() - half
    frames += len(session.flush())
    _print(streamed_s=streamed, long_s=streamed, max_growth_bytes=grown)


def _wave(kind: str, seconds: float, rate: int, seed: int) -> Wave:
    return sound(kind, seconds, rate, seed)


def resident_bytes() -> int:
    """Return the memory of this process that is in use (bytes), without what the allocator keeps for later."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _print(**facts: float) -> None:
    print(json.dumps(facts))
