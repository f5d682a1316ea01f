"""Campaign of hours: an hour of continuous sound through live sessions, their frames compared with those of files."""

from __future__ import annotations

import json
import resource
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile

import headmotion as hm

from .case import Call, Finding, Result, summary
from .files import judged
from .streams import FPS, GROWTH_BYTES, RATES, SOUNDS, TOLERANCE, Wave, resident_bytes, sound

MODELS = ("causal-flow", "ms-sync", "blendshapes", "model.safetensors")
"""The bundled models, and a small one with random weights."""
POOLS = (16, 32, 48)
"""Sessions that are stepped together; the hour is divided among them."""
ALONE_S = 30.0
"""Seconds of the hour that one session streams alone, before the others."""
COMPARED = 3
"""Of so many sessions, one is compared with its file."""
PUSHES = {
    "one sample": (0.0,),
    "a few samples": (0.0, 0.0002, 0.0005),
    "20 ms": (0.02,),
    "odd": (0.0009, 0.0, 0.0631, 0.256),
    "a second": (1.0,),
    "ten seconds": (10.0,),
}
"""Lengths of pushes (s), in turns; 0 is one sample."""
PASSAGE_S = (0.5, 40.0)
"""Shortest and longest passage of one kind of sound and one size of pushes."""
SINGLE_PUSHES = 50_000
"""Most single samples in a row: there are so many in a second, and each is a call."""
STEPS_S = (0.04, 0.2, 1.0, 5.0)
"""Audio between two steps of a pool."""
SAVED = 0.1
"""Share of the passages after which a session is saved, and the restored one goes on."""
SETTLED, LATE = 0.2, 0.95
"""Shares of the hour after which memory is compared, while all sessions are open."""
HOUR_CPU_S = 1800
"""Bound of the processor time of an hour of sound (s): half of real time, for slow machines too."""


@dataclass(frozen=True)
class Live:
    """One session."""

    rate: int
    fps: Any
    channels: int
    seconds: float
    seed: int


@dataclass(frozen=True)
class HoursCampaign:
    """Hours of streaming: any sound at any rate in pushes of any size, the frames of the file, memory that stays.

    Args:
        trees: good inputs, as `trees.make` leaves them.
        seconds: length of the sound of a case (s).
        models: models, of which a case takes one.
    """

    trees: Path
    seconds: float = 3600.0
    models: tuple[str, ...] = MODELS
    name: str = "hours"
    title: str = "hours of streaming"

    def run(self, rng: Random, folder: Path) -> Result:
        """Stream an hour with one model."""
        shutil.copytree(self.trees / "session.safetensors", folder / "here")
        model, count = rng.choice(self.models), rng.choice(POOLS)
        alone = min(ALONE_S, self.seconds / 2)
        lengths = [alone, *[(self.seconds - alone) / count] * count]
        lives = [
            Live(rng.choice(RATES), rng.choice(FPS), rng.choice([1, 1, 1, 2]), length, rng.randrange(1 << 30))
            for length in lengths
        ]
        one = Call(("hour",), (0,), "made", run=partial(stream, model, lives))
        variant = f"{model.partition('.')[0]}: {[list(asdict(live).values()) for live in lives]}"
        findings, outcome = judged(one, folder, variant)
        facts: dict[str, Any] = json.loads(outcome.out.splitlines()[-1]) if outcome.status == 0 else {}
        if facts.get("max_growth_bytes", 0) > GROWTH_BYTES:
            findings.append(Finding("memory", f"{facts['max_growth_bytes']} bytes more", one.arguments, variant))
        return Result(variant, tuple(findings), facts=facts, **summary([outcome]))


def stream(model: str, lives: list[Live]) -> None:
    """Stream the first session alone and the others in a pool, and print what was streamed, in seconds by kind."""
    resource.setrlimit(resource.RLIMIT_CPU, (HOUR_CPU_S, HOUR_CPU_S))
    folder = Path("made")
    folder.mkdir()
    pipe = hm.load(model, device="cpu")
    streams = [
        Stream(pipe, live, folder / f"{number}.wav", number % COMPARED == 0) for number, live in enumerate(lives)
    ]
    _stream_alone(pipe, streams[0])
    growth = _stream_together(pipe, streams[1:], folder / "session.safetensors")
    seconds: dict[str, float] = defaultdict(float)
    for each in streams:
        for name, value in each.counts.items():
            seconds[name] += value
    facts = {"max_difference": max(each.difference for each in streams), "max_growth_bytes": growth}
    print(json.dumps({"hours_s": seconds["streamed_s"], **seconds, **facts}))
    shutil.rmtree(folder)


def _stream_alone(pipe: hm.Pipeline, only: Stream) -> None:
    session = pipe.stream(**only.options)
    for chunk in only.chunks:
        only.take(session.push(chunk))
    only.take(session.flush())
    only.end()


def _stream_together(pipe: hm.Pipeline, streams: list[Stream], saved: Path) -> int:
    """Stream in a pool, and return how many bytes memory has grown by."""
    pool, rng = pipe.pool(), Random(streams[0].live.seed)
    members = {pool.open(**each.options): each for each in streams}
    now, seconds, settled, late = 0.0, streams[0].live.seconds, 0, 0
    while members:
        now += rng.choice(STEPS_S)
        for member, each in list(members.items()):
            while each.position_s < now and len(chunk := next(each.chunks, NO_SAMPLES)):
                member.push(chunk)
            if each.position_s < now:
                member.flush()
            elif each.is_to_be_saved():
                member.snapshot(saved)
                member.close()
                del members[member]
                members[pool.add(pipe.restore(saved))] = each
        for member, motion in pool.step().items():
            members[member].take(motion)
        for member in [member for member in members if member not in pool]:
            if member.error is not None:
                raise member.error
            members.pop(member).end()
        if not settled and now > SETTLED * seconds:
            settled = resident_bytes()
        if not late and now > LATE * seconds:
            late = resident_bytes()
    return late - settled


NO_SAMPLES: Wave = np.zeros(0, np.float32)


class Stream:
    """The samples of a session, and what its frames should be.

    Args:
        pipe: the model.
        live: the session.
        path: file of the samples, which is written.
        is_compared: whether the frames are compared with those of the file.
    """

    def __init__(self, pipe: hm.Pipeline, live: Live, path: Path, is_compared: bool) -> None:
        self.live, self._path = live, path
        self.options: dict[str, Any] = {"sample_rate": live.rate, "fps": live.fps, "seed": live.seed}
        self._passages = list(_passages(live))
        _write(path, live, self._passages)
        self._parts = pipe.iter_motion(path, fps=live.fps, seed=live.seed) if is_compared else None
        self._next = NO_SAMPLES
        self._saving, self._rng = False, Random(live.seed + 1)
        self.chunks = self._read()
        self.position_s = self.difference = 0.0
        self.counts: dict[str, float] = defaultdict(float)

    def take(self, motion: hm.Motion) -> None:
        """Compare the next frames with those of the file."""
        frames = motion.values.numpy()
        assert np.isfinite(frames).all(), self.live
        self.counts["frames"] += len(frames)
        if self._parts is None or not len(frames):
            return
        while len(self._next) < len(frames):
            values = next(self._parts).values.numpy()
            self._next = np.concatenate([self._next, values]) if len(self._next) else values
        expected, self._next = self._next[: len(frames)], self._next[len(frames) :]
        difference = float(np.abs(frames - expected).max(initial=0))
        assert difference < TOLERANCE, f"{difference} before frame {self.counts['frames']:.0f} of {self.live}"
        self.difference = max(self.difference, difference)
        self.counts["compared_frames"] += len(frames)

    def end(self) -> None:
        """Check that there are as many frames as there should be, and remove the file."""
        expected = hm.Audio.load(self._path).frames(self.live.fps or 25)
        assert self.counts["frames"] == expected, f"{self.counts['frames']:.0f} frames, not {expected}, of {self.live}"
        self.counts["streamed_s"] += self.live.seconds
        self.counts[f"rate {self.live.rate}"] += self.live.seconds
        self._path.unlink()

    def is_to_be_saved(self) -> bool:
        """Return whether the session is to be saved now."""
        saving, self._saving = self._saving, False
        self.counts["restored"] += saving
        return saving

    def _read(self) -> Iterator[Wave]:
        """Yield the samples in pushes, and count where they are."""
        samples = 0
        with soundfile.SoundFile(self._path) as recording:
            for passage in self._passages:
                left = passage.samples
                for length in cycle(PUSHES[passage.pushes]):
                    chunk = recording.read(min(left, max(1, round(length * self.live.rate))), "float32")
                    left -= len(chunk)
                    samples += len(chunk)
                    self.position_s = samples / self.live.rate
                    yield chunk
                    if not left:
                        break
                self.counts[f"pushes {passage.pushes}"] += passage.samples / self.live.rate
                self.counts[f"sound {passage.sound}"] += passage.samples / self.live.rate
                self._saving = self._rng.random() < SAVED


@dataclass(frozen=True)
class Passage:
    """Some seconds of one kind of sound, pushed in one way."""

    sound: str
    pushes: str
    samples: int
    seed: int


def _passages(live: Live) -> Iterator[Passage]:
    rng, left = Random(live.seed), round(live.seconds * live.rate)
    while left:
        pushes = rng.choice(list(PUSHES))
        samples = min(left, round(rng.uniform(*PASSAGE_S) * live.rate))
        if pushes == "one sample":
            samples = min(samples, SINGLE_PUSHES)
        yield Passage(rng.choice(SOUNDS), pushes, samples, rng.randrange(1 << 30))
        left -= samples


def _write(path: Path, live: Live, passages: list[Passage]) -> None:
    with soundfile.SoundFile(path, "w", live.rate, live.channels, "FLOAT", format="WAV") as out:
        for passage in passages:
            wave = sound(passage.sound, passage.samples / live.rate, live.rate, passage.seed)
            # A second channel is the same one, quieter and in antiphase.
            out.write(wave if live.channels == 1 else np.stack([wave, -0.4 * wave], axis=1))
